"""An owner's side of a zygote, against one whose part the test plays."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from omc.adapters.sandbox_process.nursery import Nursery
from omc.errors import Unavailable
from tests.omc.adapters.sandbox_process.owning import wanted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")


class Played:
    """A zygote that forks nothing."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.send(json.dumps({"ready": os.getpid()}).encode())
        self.nursery = Nursery(lambda: (None, theirs))

    def asked(self) -> int:
        """The next ticket."""
        packet, passed, _, _ = socket.recv_fds(self.control, 9999, 1)
        for each in passed:
            os.close(each)
        ticket: int = json.loads(packet)["spawn"]
        return ticket

    def hand_out(self, ticket: int, process: int, *, held: bool = True) -> None:
        handle = os.pidfd_open(process)
        said = json.dumps({"spawned": ticket, "pid": process, "missing": []}).encode()
        socket.send_fds(self.control, [said], [handle] if held else [])
        os.close(handle)

    def tell_end(self, ticket: int) -> None:
        said = {"ended": ticket, "exit": -9, "cpu_s": 1.0, "peak_bytes": 1}
        self.control.send(json.dumps(said).encode())


@pytest.fixture
def zygote() -> Iterator[Played]:
    played = Played()
    yield played
    played.nursery.close()
    played.control.close()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_a_process_that_comes_without_its_handle_is_not_available_and_ends_no_other(
    zygote: Played, child: subprocess.Popen[bytes]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(zygote.nursery.spawn, wanted())
        ticket = zygote.asked()
        zygote.hand_out(ticket, child.pid, held=False)
        with pytest.raises(Unavailable, match="no descriptor left"):
            first.result()
        zygote.tell_end(ticket)
        second = pool.submit(zygote.nursery.spawn, wanted())
        ticket = zygote.asked()
        zygote.hand_out(ticket, child.pid)
        process = second.result()
    assert not zygote.nursery.over
    zygote.tell_end(ticket)
    process.close()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell that runs tests in its background has interrupts ignored."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("interruptible")
def test_what_comes_after_an_interrupt_is_nobodys_and_is_ended(zygote: Played, child: subprocess.Popen[bytes]) -> None:
    def interrupt() -> int:
        ticket = zygote.asked()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return ticket

    with ThreadPoolExecutor(1) as pool:
        interrupted = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            zygote.nursery.spawn(wanted())
        ticket = interrupted.result()
    zygote.hand_out(ticket, child.pid)
    assert child.wait() == -signal.SIGKILL
    zygote.tell_end(ticket)


def test_what_cannot_be_asked_is_not_waited_for(zygote: Played) -> None:
    zygote.nursery._control.shutdown(socket.SHUT_WR)
    with pytest.raises(Unavailable, match="no sandbox can be forked"):
        zygote.nursery.spawn(wanted())
    assert not zygote.nursery._spawned
    assert not zygote.nursery._ended
