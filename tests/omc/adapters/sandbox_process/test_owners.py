"""Those who share a zygote do not meet there: none harms another, and none sees another's."""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from omc.adapters.sandbox_process.limits import Together
from omc.adapters.sandbox_process.meeting import Meeting
from omc.errors import Unavailable
from tests.omc.adapters.sandbox_process.owning import Process, answer, joined, pid_of, wanted
from tests.omc.adapters.sandbox_process.test_zygote import children, gone, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")


def test_an_owner_that_is_killed_takes_its_own_processes_along_and_nobody_elses(owner: Callable[[], Process]) -> None:
    one, other = owner(), owner()
    doomed, safe = [one.spawn(), one.spawn()], [other.spawn(), other.spawn()]
    one.end(signal.SIGKILL)
    wait_until_gone(doomed)
    assert not any(gone(each) for each in safe)
    assert not gone(other.zygote)
    other.spawn()


def test_one_that_is_killed_is_started_anew_and_its_end_is_nobodys_fault(place: Meeting) -> None:
    first = joined(place)
    process = first.spawn(wanted())
    process._channel.send(b"import time; time.sleep(600)", None, 5.0)
    os.kill(first.zygote, signal.SIGKILL)
    with pytest.raises(Unavailable, match="took the sandbox along"):
        process.ask("x", deadline_s=30.0)
    assert process.blameless
    wait_until_gone([pid_of(process)])
    second = joined(place)
    assert second.zygote != first.zygote
    second.spawn(wanted()).close()
    second.close()


def test_an_owner_that_does_not_listen_holds_nobody_up(place: Meeting, owner: Callable[[], Process]) -> None:
    deaf = owner()
    deaf.spawn()
    os.kill(deaf.pid, signal.SIGSTOP)
    mine = joined(place)
    for _ in range(5):
        mine.spawn(wanted()).close()
    os.kill(deaf.pid, signal.SIGCONT)
    deaf.spawn()
    mine.close()


def test_one_that_asks_and_never_reads_is_let_go(place: Meeting) -> None:
    mine, rude = joined(place), place.join()
    with socket.socketpair()[0] as end, rude:
        rude.settimeout(30.0)
        packet = wanted(together=Together(most_each=1)).packet(1)

        def ask_on() -> None:
            while True:
                socket.send_fds(rude, [packet], [end.fileno()])

        with pytest.raises(OSError, match=r"."):
            ask_on()
    mine.spawn(wanted()).close()
    mine.close()


@pytest.mark.parametrize(
    "packet", [b"{", b"[]", b"{}", b'{"spawn": "1"}', b"[" * 60_000], ids=lambda it: it[:9].decode()
)
def test_one_that_makes_no_sense_is_let_go_alone(place: Meeting, packet: bytes) -> None:
    mine, odd = joined(place), place.join()
    with odd:
        odd.settimeout(30.0)
        assert b"ready" in odd.recv(9999)
        odd.send(packet)
        assert odd.recv(9999) == b""
    mine.spawn(wanted()).close()
    mine.close()


@pytest.mark.parametrize("unclear", [{"limits": {"speed": 1}}, {}, {"limits": {"cpu_s": "x"}}, {"limits": 1}])
def test_one_that_asks_for_what_cannot_be_is_told_so(place: Meeting, unclear: dict[str, Any]) -> None:
    odd = place.join()
    with odd, socket.socketpair()[0] as end:
        odd.recv(9999)
        socket.send_fds(odd, [json.dumps({"spawn": 1, **unclear}).encode()], [end.fileno()])
        assert b"refused" in odd.recv(9999)


def test_no_more_run_than_may(place: Meeting, owner: Callable[[], Process]) -> None:
    other, mine = owner(), joined(place)
    other.spawn()
    first = mine.spawn(wanted())
    with pytest.raises(Unavailable, match="1 sandboxes run already for this process"):
        mine.spawn(wanted(together=Together(most_each=1)))
    with pytest.raises(Unavailable, match="2 sandboxes run already on this machine"):
        mine.spawn(wanted(together=Together(most=2)))
    first.close()
    mine.spawn(wanted(together=Together(most=2))).close()
    with pytest.raises(Unavailable, match="memory left"):
        mine.spawn(wanted(together=Together(free_bytes=2**60)))
    mine.spawn(wanted()).close()
    mine.close()


def test_whoever_stepped_back_gets_processes_that_step_back(place: Meeting, owner: Callable[[], Process]) -> None:
    nursery = joined(place)
    here = os.getpriority(os.PRIO_PROCESS, 0)

    def niceness(level: int) -> int:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), level)
        process = nursery.spawn(wanted())
        found = os.getpriority(os.PRIO_PROCESS, pid_of(process))
        process.close()
        return found

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(niceness, 19).result() == 19
    process = nursery.spawn(wanted())
    assert os.getpriority(os.PRIO_PROCESS, pid_of(process)) == here
    process.close()
    nursery.close()


def test_a_process_that_computes_is_told_from_one_that_sleeps_though_nobody_looks_into_it(place: Meeting) -> None:
    mine = joined(place)
    process, other = mine.spawn(wanted()), mine.spawn(wanted())
    process._channel.send(b"while True: pass", None, 5.0)
    while not process._child.busy():
        time.sleep(0.01)
    other._channel.send(b"import time; time.sleep(600)", None, 5.0)
    while other._child.busy():
        time.sleep(0.01)
    for each in (process, other):
        each.close()
        assert not each._child.busy()
    mine.close()


PLACE = "b(b'\\1\\0' + {there!r}.encode()[:100]), 102"
ATTEMPTS = {
    "knock at the door": ("import socket as s; s.socket(s.AF_UNIX, s.SOCK_SEQPACKET).connect({there!r})", "EACCES"),
    "turn its own socket to the door": (f"call('connect', channel, {PLACE})", "EACCES"),
    "send to the door": (f"call('sendto', channel, b(b'x'), 1, 0, {PLACE})", "EPERM"),
    "remove the door": ("os.unlink({there!r})", "EACCES"),
    "see what the zygote has open": ("os.listdir('/proc/{zygote}/fd')", "EACCES"),
    "open what the zygote has open": ("os.open('/proc/{zygote}/fd/3', 0)", "EACCES"),
    "take what the zygote has open": ("call('pidfd_getfd', channel, 3, 0)", "over"),
    "hold another's process": ("os.pidfd_open({other})", "over"),
    "end another's process": ("os.kill({other}, 9)", "over"),
    "end the zygote": ("os.kill({zygote}, 9)", "over"),
    "write to another's memory": ("open('/proc/{other}/mem', 'rb+')", "EACCES"),
    "come first for the processor": ("os.setpriority(os.PRIO_PROCESS, 0, 0)", "EPERM"),
    "outlast the rest when memory runs out": ("open('/proc/self/oom_score_adj', 'w').write('0')", "EACCES"),
    "hold more than it was given": (
        "import stat\nx = 0\nfor each in range(4096):\n"
        "    try:\n        found = os.fstat(each)\n    except OSError:\n        continue\n"
        "    null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)\n"
        "    x += not (each == channel or (each < 3 and null))",
        "done 0",
    ),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_code_reaches_neither_the_zygote_nor_what_others_have(
    place: Meeting, owner: Callable[[], Process], name: str
) -> None:
    other, mine = owner(), joined(place)
    theirs = other.spawn()
    (there,) = (str(each) for each in place.folder.iterdir() if each.is_socket())
    source, expected = ATTEMPTS[name]
    process = mine.spawn(wanted())
    before = "import ctypes\ndef b(data): return ctypes.create_string_buffer(data)\n"
    given = source.format(there=there, zygote=mine.zygote, other=theirs)
    assert answer(process, before + given) == expected
    process.close()
    assert not gone(theirs)
    mine.spawn(wanted()).close()
    mine.close()


def test_a_process_that_waits_to_be_handed_out_holds_nothing_of_anybodys(place: Meeting) -> None:
    mine = joined(place)
    mine.spawn(wanted()).close()
    # It lets go as soon as it is forked.
    while not (held := [what for spare in children(mine.zygote) for what in open_in(spare)]) or len(held) > 5:
        time.sleep(0.01)
    assert sorted(each.split(":")[0] for each in held) == ["/dev/null"] * 3 + ["pipe", "socket"]
    mine.close()


def open_in(process: int) -> list[str]:
    try:
        return [str(each.readlink()) for each in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return []


def test_when_memory_runs_out_sandboxes_are_the_first_to_go(place: Meeting) -> None:
    mine = joined(place)
    process = mine.spawn(wanted())
    assert Path(f"/proc/{pid_of(process)}/oom_score_adj").read_text() == "1000\n"
    here = Path("/proc/self/oom_score_adj").read_text()
    assert Path(f"/proc/{mine.zygote}/oom_score_adj").read_text() == here
    process.close()
    mine.close()


def test_a_program_that_an_owner_starts_is_not_handed_its_processes(place: Meeting) -> None:
    mine = joined(place)
    process = mine.spawn(wanted())
    held = {int(each.name): str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    handles = [each for each, what in held.items() if "pidfd" in what]
    assert handles
    assert not any(os.get_inheritable(each) for each in (*handles, process._channel._end.fileno()))
    process.close()
    mine.close()
