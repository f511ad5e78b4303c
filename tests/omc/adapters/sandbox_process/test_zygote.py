"""A zygote's life: it forks, tells what became of it, and leaves nothing behind."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omc.adapters.sandbox_process.launch import COMMAND, ENVIRONMENT, spawn_packet
from omc.adapters.sandbox_process.limits import Limits
from tests.omc.adapters.sandbox_process.probing import Prober, command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    made = Prober()
    yield made
    made.close()


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def gone(process: int) -> bool:
    """Ended, though perhaps nobody has asked how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def wait_until_gone(processes: list[int]) -> None:
    while not all(gone(each) for each in processes):
        time.sleep(0.01)


def test_it_says_when_it_is_ready_and_what_that_took(prober: Prober) -> None:
    assert prober.ready["ready"] == prober.process.pid
    assert prober.ready["memory_bytes"] > 0
    assert prober.ready["seconds"] > 0


def test_its_environment_holds_nothing_of_its_parents(prober: Prober) -> None:
    block = Path(f"/proc/{prober.process.pid}/environ").read_bytes()
    assert dict(each.split("=", 1) for each in block.decode().strip("\0").split("\0")) == ENVIRONMENT


def test_it_has_one_thread(prober: Prober) -> None:
    assert len(list(Path(f"/proc/{prober.process.pid}/task").iterdir())) == 1


def test_it_hands_out_a_process_with_a_handle_to_kill_it_by(prober: Prober) -> None:
    answer, passed, channel = prober.spawn(Limits())
    with channel:
        assert answer["pid"] in children(prober.process.pid)
        signal.pidfd_send_signal(passed[0], signal.SIGKILL)
        ended, _ = prober.told()
    assert (ended["ended"], ended["exit"]) == (answer["spawned"], -signal.SIGKILL)
    assert select.select(passed, [], [], 0)[0] == passed
    os.close(passed[0])


def test_a_process_whose_socket_is_closed_ends_well(prober: Prober) -> None:
    answer, passed, channel = prober.spawn(Limits())
    channel.close()
    ended, _ = prober.told()
    os.close(passed[0])
    assert (ended["ended"], ended["exit"]) == (answer["spawned"], 0)
    assert ended["cpu_s"] > 0
    assert ended["peak_bytes"] > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks into a locked process")
def test_hardly_any_memory_can_be_both_written_and_run(prober: Prober) -> None:
    answer, passed, channel = prober.spawn(Limits())
    maps = [each.split() for each in Path(f"/proc/{answer['pid']}/maps").read_text().splitlines()]
    places = [place.split("-") for place, rights, *_ in maps if "w" in rights and "x" in rights]
    channel.close()
    prober.told()
    os.close(passed[0])
    # Python's own callbacks from C (XGBoost's data iterators) are written into one page.
    assert sum(int(end, 16) - int(start, 16) for start, end in places) <= 4096


def test_many_live_side_by_side_and_each_end_is_told_once(prober: Prober) -> None:
    made = [prober.spawn(Limits()) for _ in range(12)]
    assert len({answer["pid"] for answer, _, _ in made}) == 12
    for _, passed, channel in made:
        channel.close()
        os.close(passed[0])
    ends = [prober.told()[0] for _ in made]
    assert sorted(end["ended"] for end in ends) == sorted(answer["spawned"] for answer, _, _ in made)


def test_requests_may_be_made_all_at_once(prober: Prober) -> None:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(5)]
    for ticket, (_, theirs) in enumerate(pairs, 1000):
        socket.send_fds(prober.control, [spawn_packet(ticket, Limits())], [theirs.fileno()])
        theirs.close()
    answers = [prober.told() for _ in pairs]
    assert sorted(answer["spawned"] for answer, _ in answers) == list(range(1000, 1005))
    for (ours, _), (_, passed) in zip(pairs, answers, strict=True):
        ours.close()
        os.close(passed[0])
    assert {prober.told()[0]["exit"] for _ in pairs} == {0}


@pytest.mark.parametrize("limits", [{"cpu_s": 0}, {"memory_bytes": 1}], ids=["no time", "no memory"])
def test_limits_that_make_no_sense_are_refused(prober: Prober, limits: dict[str, int]) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        packet = json.dumps({"spawn": 7777, "limits": limits}).encode()
        socket.send_fds(prober.control, [packet], [theirs.fileno()])
        answer, passed = prober.told()
    assert answer["refused"] == 7777
    assert answer["why"].startswith("a sandbox needs")
    assert passed == []


def test_a_request_without_a_descriptor_is_refused(prober: Prober) -> None:
    prober.control.send(spawn_packet(8888, Limits()))
    assert prober.told()[0] == {"refused": 8888, "why": "a process is given one descriptor, not 0"}


def test_it_leaves_no_dead_behind(prober: Prober) -> None:
    for _ in range(3):
        prober.outcome("x = 1")
    assert [each for each in children(prober.process.pid) if gone(each)] == []


def test_a_spare_that_dies_is_replaced() -> None:
    prober = Prober()
    assert prober.outcome("x = 1") == "done 1"
    while not (spares := children(prober.process.pid)):
        time.sleep(0.01)
    os.kill(spares[0], signal.SIGKILL)
    wait_until_gone(spares)
    assert prober.outcome("x = 2") == "done 2"
    prober.close()


def test_it_ends_with_its_children_when_the_socket_closes() -> None:
    prober = Prober()
    _, passed, channel = prober.spawn(Limits())
    channel.send(b"import time; time.sleep(3600)")
    family = children(prober.process.pid)
    prober.close()
    assert prober.process.returncode == 0
    wait_until_gone(family)
    channel.close()
    os.close(passed[0])


def test_its_children_end_when_it_is_killed() -> None:
    prober = Prober()
    _, passed, channel = prober.spawn(Limits())
    channel.send(b"import time; time.sleep(3600)")
    family = children(prober.process.pid)
    prober.process.kill()
    wait_until_gone(family)
    prober.close()
    channel.close()
    os.close(passed[0])


def test_it_ends_when_its_parent_is_killed_even_if_the_socket_stays_open() -> None:
    ours, theirs = socket.socketpair()
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys, time\n"
            "from tests.omc.adapters.sandbox_process.probing import Prober\n"
            "import socket\n"
            "prober = Prober()\n"
            "told = socket.socket(fileno=int(sys.argv[1]))\n"
            "socket.send_fds(told, [str(prober.process.pid).encode()], [prober.control.fileno()])\n"
            "time.sleep(3600)\n",
            str(theirs.fileno()),
        ],
        pass_fds=[theirs.fileno()],
    )
    said, held, _, _ = socket.recv_fds(ours, 100, 1)
    assert not gone(int(said))
    parent.kill()
    parent.wait()
    wait_until_gone([int(said)])
    for each in (ours, theirs):
        each.close()
    os.close(held[0])


def test_a_zygote_with_threads_forks_nothing() -> None:
    before = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    prober = Prober(before=before)
    assert "2 threads" in prober.ready["failed"]
    assert prober.ready["refused"] is True
    prober.control.close()
    prober.process.kill()
    prober.process.wait()


@pytest.mark.parametrize("fault", ["MemoryError('no memory')", "OSError(24, 'no memory')", "Unavailable('no memory')"])
def test_a_zygote_that_cannot_prepare_now_does_not_say_that_it_never_can(fault: str) -> None:
    before = f"from omc.errors import Unavailable\ndef warm(): raise {fault}\nmain.__globals__['warm'] = warm"
    prober = Prober(before=before)
    assert "no memory" in prober.ready["failed"]
    assert prober.ready["refused"] is False
    prober.close()


def test_the_command_is_a_module_of_its_own() -> None:
    assert COMMAND[-2:] == ("-m", "omc.adapters.sandbox_process.zygote")
    assert command()[0] == COMMAND[0] == sys.executable
