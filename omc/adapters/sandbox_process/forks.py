"""Forks of a warm process: each waits for its orders, locks itself, serves, and is watched until its end.

What is asked and told, packet by packet, stands in `zygote`.
"""

import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from omc.adapters.sandbox_process import lockdown
from omc.adapters.sandbox_process.limits import Limits
from omc.errors import InvalidInput, OmcError, SandboxRefused

LONGEST = 64 * 1024
"""A packet, in bytes."""
KIBIBYTE = 1024
_STANDING = b"\0"
"""What a child reports when every layer stands; anything else is the sentence why not."""
_RAISED, _NOT_LOCKED = 1, 71
_PAUSE_S = 0.1


def check_alone() -> None:
    """SandboxRefused in a process with threads: they are not forked, but the locks that they hold are."""
    found = lockdown.threads()
    if found != 1:
        raise SandboxRefused(f"the process to fork from has {found} threads: a fork of it might hang for ever")


@dataclass(slots=True)
class _Child:
    process: int
    handle: int
    """Its pidfd."""
    orders: socket.socket
    """Where it waits to be told its limits and given its descriptor."""
    report: int
    """The pipe by which it says whether every layer stands."""
    ticket: int | None = None
    """None while it is a spare."""
    locked: bool | None = None
    """None while that is not known."""


class Forks:
    """Made on request, and told of. `serve` is what a locked child does with its socket.

    To fork takes longer than to lock, so a spare child is forked whenever there is nothing else to do.
    """

    def __init__(self, control: socket.socket, serve: Callable[[int], None]) -> None:
        self._control, self._serve = control, serve
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        self._over = False

    def run(self) -> None:
        """Until the parent closes the socket, or ends: its pidfd tells even where a fork of it holds the socket open.
        (PR_SET_PDEATHSIG would not do: it fires when merely the thread ends that started this process.)"""
        parent = os.pidfd_open(os.getppid())
        self._watch(parent, self._end)
        self._watch(self._control.fileno(), self._answer)
        while not self._over:
            ready = self._selector.select(timeout=None if self._spare() or self._locking() else 0)
            if not ready:
                self._prepare_spare()
            for key, _ in ready:
                # What came before it may have settled it.
                if key.fd in self._selector.get_map():
                    key.data()
        for child in self._children.values():
            signal.pidfd_send_signal(child.handle, signal.SIGKILL)

    def _watch(self, descriptor: int, then: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, then)

    def _end(self) -> None:
        self._over = True

    def _spare(self) -> _Child | None:
        return next((child for child in self._children.values() if child.ticket is None), None)

    def _locking(self) -> bool:
        return any(child.ticket is not None and child.locked is None for child in self._children.values())

    def _prepare_spare(self) -> None:
        try:
            self._fork()
        except (OmcError, OSError):
            # Whoever asks for a process will be told why. Meanwhile, not to try again at once:
            time.sleep(_PAUSE_S)

    def _answer(self) -> None:
        try:
            packet, passed, _, _ = socket.recv_fds(self._control, LONGEST, 2)
        except ConnectionError:
            packet, passed = b"", []
        if not packet:
            self._end()
            return
        asked = json.loads(packet)
        try:
            if len(passed) != 1:
                raise InvalidInput(f"a process is given one descriptor, not {len(passed)}")
            limits = Limits(**asked["limits"])
            child = self._spare() or self._fork()
            child.ticket = asked["spawn"]
            with child.orders:
                socket.send_fds(child.orders, [json.dumps(asdict(limits)).encode()], passed)
        except (OmcError, OSError) as error:
            self._tell({"refused": asked["spawn"], "why": str(error)})
        finally:
            for each in passed:
                os.close(each)

    def _fork(self) -> _Child:
        check_alone()
        report, told = os.pipe()
        orders, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            process = os.fork()
            if process == 0:
                orders.close()
                self._become(taken, told)
        except OSError:
            os.close(report)
            orders.close()
            raise
        finally:
            os.close(told)
            taken.close()
        child = _Child(process, os.pidfd_open(process), orders, report)
        self._children[child.handle] = child
        self._watch(report, lambda: self._reported(child))
        self._watch(child.handle, lambda: self._ended(child))
        return child

    def _become(self, orders: socket.socket, told: int) -> NoReturn:
        """The child. It never returns, so that what it holds of the zygote is never cleaned up in it."""
        code = _NOT_LOCKED
        try:
            packet, passed, _, _ = socket.recv_fds(orders, LONGEST, 1)
            # Nothing comes when the zygote has ended.
            if packet:
                lockdown.lock(Limits(**json.loads(packet)), (*passed, told))
                os.write(told, _STANDING)
                os.close(told)
                code = _RAISED
                self._serve(*passed)
                code = 0
        except OmcError as error:
            if code == _NOT_LOCKED:
                os.write(told, str(error).encode())
        finally:
            # Whatever else was raised, an exit included.
            os._exit(code)

    def _reported(self, child: _Child) -> None:
        """Every layer stands, or one does not, or it died before it could say."""
        said = os.read(child.report, LONGEST)
        self._selector.unregister(child.report)
        os.close(child.report)
        child.locked = said == _STANDING
        if child.ticket is None:
            return
        if child.locked:
            self._tell({"spawned": child.ticket, "pid": child.process}, [child.handle])
        else:
            why = said.decode(errors="replace") or "the process ended before every layer stood"
            self._tell({"refused": child.ticket, "why": why})

    def _ended(self, child: _Child) -> None:
        if child.locked is None:
            self._reported(child)
        _, status, used = os.wait4(child.process, 0)
        self._selector.unregister(child.handle)
        os.close(child.handle)
        child.orders.close()
        del self._children[child.handle]
        if child.locked:
            cpu_s, peak_bytes = used.ru_utime + used.ru_stime, used.ru_maxrss * KIBIBYTE
            code = os.waitstatus_to_exitcode(status)
            self._tell({"ended": child.ticket, "exit": code, "cpu_s": cpu_s, "peak_bytes": peak_bytes})

    def _tell(self, what: dict[str, Any], passed: Sequence[int] = ()) -> None:
        try:
            socket.send_fds(self._control, [json.dumps(what).encode()], passed)
        except ConnectionError:
            self._end()
