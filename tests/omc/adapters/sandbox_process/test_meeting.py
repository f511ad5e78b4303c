"""One zygote for all who meet: whoever comes first starts it, and it ends after the last of them, however they end."""

import json
import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from omc.adapters.sandbox_process.launch import Wanted
from omc.adapters.sandbox_process.limits import Limits, Together
from omc.adapters.sandbox_process.meeting import Meeting
from omc.adapters.sandbox_process.nursery import Nursery
from omc.adapters.sandbox_process.owners import is_same_user
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import SandboxRefused, Unavailable
from tests.omc.adapters.sandbox_process.plain import does, walk
from tests.omc.adapters.sandbox_process.test_zygote import children, gone, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

ROOT = os.geteuid() == 0
LINGER_S = 0.5
PREPARED = """
import sys
from omc.adapters.sandbox_process import zygote
from tests.omc.adapters.sandbox_process import probing
def prepare():
    {}
zygote.run(sys.argv[1:], probing.serve, prepare)
"""
BARE = (sys.executable, "-s", "-c", PREPARED.format("pass"))
"""Starts a zygote that has loaded nothing, and serves probes."""


@pytest.fixture
def place(tmp_path: Path) -> Meeting:
    return Meeting(tmp_path / "meeting", BARE, LINGER_S)


def joined(place: Meeting) -> Nursery:
    return Nursery(lambda: (None, place.join()))


def wanted(**settings: Any) -> Wanted:
    return Wanted(Limits(), **settings)


class Process:
    """Another owner: a process of its own that joins, and spawns what loops for ever when it is told to."""

    def __init__(self, place: Meeting) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tests.omc.adapters.sandbox_process.test_meeting import own; own()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self.process.pid
        self.zygote = self._told(json.dumps([str(place.folder), place.command, place.linger_s]))

    def spawn(self) -> int:
        """The pid of what it spawned."""
        return self._told("spawn")

    def _told(self, what: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what.encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self, how: int = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        with self.process:
            pass


def own() -> None:
    """The life of a `Process`."""

    def say(number: int) -> None:
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()

    folder, command, linger_s = json.loads(sys.stdin.readline())
    nursery, held = joined(Meeting(Path(folder), tuple(command), linger_s)), []
    say(nursery.zygote)
    for _ in sys.stdin:
        held.append(nursery.spawn(wanted()))
        held[-1]._channel.send(b"while True: pass", None, 5.0)
        say(pid_of(held[-1]))


def pid_of(process: SandboxProcess) -> int:
    found: int = process._child.pid  # type: ignore[attr-defined]
    return found


@pytest.fixture
def owner(place: Meeting) -> Iterator[Callable[[], Process]]:
    made: list[Process] = []

    def make() -> Process:
        made.append(Process(place))
        return made[-1]

    yield make
    for each in made:
        each.end()


def test_all_who_meet_share_one_zygote_which_is_nobodys_child(place: Meeting, owner: Callable[[], Process]) -> None:
    with ThreadPoolExecutor(4) as pool:
        owners = list(pool.map(lambda _: owner(), range(4)))
    (zygote,) = {each.zygote for each in owners}
    assert all(zygote not in children(each.pid) for each in owners)
    spawned = [each.spawn() for each in owners]
    assert set(spawned) <= set(children(zygote))
    for each in owners:
        each.end()
    wait_until_gone([zygote, *spawned])


def test_an_owner_that_is_killed_takes_its_own_processes_along_and_nobody_elses(owner: Callable[[], Process]) -> None:
    one, other = owner(), owner()
    doomed, safe = [one.spawn(), one.spawn()], [other.spawn(), other.spawn()]
    one.end(signal.SIGKILL)
    wait_until_gone(doomed)
    assert not any(gone(each) for each in safe)
    assert not gone(other.zygote)
    other.spawn()


def test_whoever_started_it_may_leave_before_the_others(owner: Callable[[], Process]) -> None:
    first = owner()
    other = owner()
    spawned = other.spawn()
    first.end(signal.SIGTERM)
    time.sleep(2 * LINGER_S)
    assert not gone(other.zygote)
    assert not gone(spawned)


def test_it_waits_a_while_for_the_next(place: Meeting) -> None:
    first = joined(place)
    first.close()
    second = joined(place)
    assert second.zygote == first.zygote
    second.close()
    wait_until_gone([second.zygote])
    third = joined(place)
    assert third.zygote != first.zygote
    third.close()


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


def test_nobody_else_may_enter_where_they_meet(place: Meeting) -> None:
    place.folder.mkdir(mode=0o755)
    nursery = joined(place)
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    nursery.close()


def test_a_folder_of_any_length_will_do(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 50)
    nursery = joined(Meeting(folder, BARE, LINGER_S))
    assert any(each.is_socket() for each in folder.iterdir())
    nursery.close()


@pytest.mark.parametrize("lies", ["a file", "a dead socket", "a link", "a folder"])
def test_whatever_lies_there_is_not_believed(place: Meeting, tmp_path: Path, lies: str) -> None:
    place.folder.mkdir(mode=0o700)
    there = place.folder / place._name(os.getpriority(os.PRIO_PROCESS, 0))
    if lies == "a file":
        there.write_text("not a socket")
    elif lies == "a link":
        there.symlink_to(tmp_path / "nowhere")
    elif lies == "a folder":
        there.mkdir()
    else:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
            dead.bind(str(there))
    nursery = joined(place)
    nursery.spawn(wanted()).close()
    nursery.close()


@pytest.mark.skipif(not ROOT, reason="only root can be another user")
def test_a_socket_of_another_user_is_not_believed(place: Meeting) -> None:
    place.folder.mkdir(mode=0o700)
    there = place.folder / place._name(os.getpriority(os.PRIO_PROCESS, 0))
    script = (
        "import os, socket, sys, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1])\n"
        "os.setuid(1000); s.listen(); print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(there)], stdout=subprocess.PIPE) as liar:
        assert liar.stdout is not None
        liar.stdout.readline()
        nursery = joined(place)
        assert nursery.zygote != liar.pid
        nursery.close()
        liar.kill()


@pytest.mark.skipif(not ROOT, reason="only root can be another user")
def test_another_user_is_not_let_in() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Meeting(Path(folder), BARE, LINGER_S)
        nursery = joined(place)
        # As if whoever made the folder had been careless.
        place.folder.chmod(0o755)
        (there,) = (each for each in place.folder.iterdir() if each.is_socket())
        there.chmod(0o777)
        script = (
            "import os, socket, sys; os.setuid(1000); s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
            "s.connect(sys.argv[1]); sys.exit(7 if s.recv(99) == b'' else 1)"
        )
        assert subprocess.run([sys.executable, "-c", script, str(there)], check=False).returncode == 7
        nursery.spawn(wanted()).close()
        nursery.close()


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_left_alone(place: Meeting) -> None:
    place.folder.mkdir(mode=0o777)
    os.chown(place.folder, 1000, 1000)
    nursery = joined(place)
    assert list(place.folder.iterdir()) == []
    assert [each.is_socket() for each in place._elsewhere.iterdir()].count(True) == 1
    nursery.close()


def test_where_the_folder_cannot_be_made_they_meet_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = Meeting(tmp_path / "file" / "meeting", BARE, LINGER_S)
    one, other = joined(place), joined(place)
    assert one.zygote == other.zygote
    assert stat.S_IMODE(place._elsewhere.stat().st_mode) == 0o700
    one.close()
    other.close()


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


def test_a_zygote_that_steps_back_serves_nobody_who_does_not(place: Meeting) -> None:
    here = os.getpriority(os.PRIO_PROCESS, 0)
    if here >= 19:
        pytest.skip("this process has stepped back as far as can be")

    def stepped_back() -> Nursery:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        return joined(place)

    with ThreadPoolExecutor(1) as pool:
        nice = pool.submit(stepped_back).result()
    own = joined(place)
    assert own.zygote != nice.zygote
    assert os.getpriority(os.PRIO_PROCESS, own.zygote) == here
    own.close()
    nice.close()


def test_one_that_cannot_start_says_why_to_all_who_wait(tmp_path: Path) -> None:
    thread = (
        "import threading, time; time.sleep(1); threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
    )
    place = Meeting(tmp_path / "meeting", (*BARE[:-1], PREPARED.format(thread)), LINGER_S)

    def refused() -> str:
        with pytest.raises(SandboxRefused) as raised:
            joined(place)
        return str(raised.value)

    with ThreadPoolExecutor(3) as pool:
        assert all("2 threads" in each.result() for each in [pool.submit(refused) for _ in range(3)])


def test_one_that_ends_at_once_is_not_available(tmp_path: Path) -> None:
    place = Meeting(tmp_path / "meeting", (sys.executable, "-c", "raise SystemExit(3)"), LINGER_S)
    with pytest.raises(Unavailable, match="ended"):
        joined(place)


def test_sandboxes_that_meet_share_it_and_travel_with_their_place(tmp_path: Path) -> None:
    one = Sandboxes(meeting=tmp_path / "meeting")
    frame = walk(5, 1)
    with one.of(does("return frame.last * 0.0")) as sandbox:
        assert not sandbox.predict({}, frame).weights.any()
        again = pickle.loads(pickle.dumps(one))
        assert again == one
        assert again._nursery().zygote == one._nursery().zygote
        assert sandbox.cpu_s > 0.0
    zygote = one._nursery().zygote
    one.close()
    with one.of(does("return frame.last * 0.0 + 0.5")) as sandbox:
        assert sandbox.predict({}, frame).weights.all()
        assert one._nursery().zygote == zygote
    one.close()
    os.kill(zygote, signal.SIGKILL)


def test_its_ends_know_each_others_user(place: Meeting) -> None:
    with place.join() as end:
        assert is_same_user(end)
