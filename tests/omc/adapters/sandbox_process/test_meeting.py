"""One zygote for all who meet: whoever comes first starts it, and it ends after the last of them, however they end."""

import errno
import os
import pickle
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from omc.adapters.sandbox_process.meeting import Meeting
from omc.adapters.sandbox_process.nursery import Nursery
from omc.adapters.sandbox_process.owners import is_same_user
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import SandboxRefused, Unavailable
from tests.omc.adapters.sandbox_process.owning import BARE, LINGER_S, PREPARED, Process, joined, wanted
from tests.omc.adapters.sandbox_process.plain import does, walk
from tests.omc.adapters.sandbox_process.test_zygote import children, gone, wait_until_gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

ROOT = os.geteuid() == 0


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


def test_whoever_started_it_may_leave_before_the_others(owner: Callable[[], Process]) -> None:
    first = owner()
    other = owner()
    spawned = other.spawn()
    first.end(signal.SIGTERM)
    time.sleep(2 * LINGER_S)
    assert owner().zygote == other.zygote
    assert not gone(other.zygote)
    assert not gone(spawned)


def test_it_waits_a_while_for_the_next(place: Meeting) -> None:
    # Long beside what may keep this process from coming back at once.
    place = replace(place, linger_s=3.0)
    first = joined(place)
    first.close()
    second = joined(place)
    assert second.zygote == first.zygote
    second.close()
    wait_until_gone([second.zygote])
    third = joined(place)
    assert third.zygote != first.zygote
    third.close()


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
    shutil.rmtree(place._elsewhere)


def test_where_the_folder_cannot_be_made_they_meet_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = Meeting(tmp_path / "file" / "meeting", BARE, LINGER_S)
    one, other = joined(place), joined(place)
    assert one.zygote == other.zygote
    assert stat.S_IMODE(place._elsewhere.stat().st_mode) == 0o700
    one.close()
    other.close()
    shutil.rmtree(place._elsewhere)


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
    session = Path(f"/proc/{nice.zygote}/autogroup")
    assert not session.exists() or session.read_text().endswith("nice 19\n")
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


def test_one_that_could_not_prepare_is_not_available(tmp_path: Path) -> None:
    fault = "import time; time.sleep(1); raise MemoryError('no memory')"
    place = Meeting(tmp_path / "meeting", (*BARE[:-1], PREPARED.format(fault)), LINGER_S)
    with pytest.raises(Unavailable, match="no memory"):
        joined(place)


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOMEM, errno.ENOENT], ids=lambda code: errno.errorcode[code])
def test_one_that_cannot_be_started_is_not_started_elsewhere_instead(
    place: Meeting, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("omc.adapters.sandbox_process.meeting.launch_at", short)
    with pytest.raises(Unavailable, match="can be started"):
        place.join()
    assert not place._elsewhere.exists()
    monkeypatch.undo()
    joined(place).close()


def test_whoever_lacks_descriptors_does_not_look_elsewhere(place: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    nursery = joined(place)

    def short(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("omc.adapters.sandbox_process.meeting._connected", short)
    with pytest.raises(Unavailable, match="out of reach"):
        place.join()
    assert not place._elsewhere.exists()
    monkeypatch.undo()
    nursery.close()


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
