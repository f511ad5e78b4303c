"""An owner's side of a zygote: asks it for processes, and learns how each of them ends."""

import json
import logging
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from omc.adapters.sandbox_process.child import Ended, cpu_s_of, is_busy
from omc.adapters.sandbox_process.launch import Wanted
from omc.adapters.sandbox_process.owners import received
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.errors import SandboxRefused, Unavailable

_READY_S, _SPAWN_S, _LEAVE_S = 300.0, 60.0, 5.0
Launch = Callable[[], tuple[subprocess.Popen[bytes] | None, socket.socket]]
"""Gives a connection to a zygote, and its process where that is the caller's own."""
logger = logging.getLogger("omc.sandbox")


class Nursery:
    """One connection to a zygote, from its start to its end. From any thread.

    SandboxRefused when this machine lacks a layer of the second wall, Unavailable when the zygote does not start.
    """

    def __init__(self, launch: Launch) -> None:
        self._process, self._control = launch()
        self._lock = threading.Lock()
        self._ticket = 0
        self._spawned: dict[int, Future[tuple[int, int]]] = {}
        self._ended: dict[int, Future[Ended]] = {}
        self._ready: Future[dict[str, Any]] = Future()
        self.over = False
        """Whether it has ended, and a new one is needed."""
        threading.Thread(target=self._listen, name="sandbox-zygote", daemon=True).start()
        try:
            self.zygote: int = self._ready.result(_READY_S)["ready"]
            """Its process."""
        except TimeoutError:
            self.close()
            raise Unavailable(f"the process that sandboxes are forked from was not ready in {_READY_S:g} s") from None
        except BaseException:
            self.close()
            raise

    def spawn(self, wanted: Wanted) -> SandboxProcess:
        """A new process behind the second wall. Unavailable where no more may run, and when none comes in time."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ticket, spawned, ended = self._expected()
        try:
            with theirs:
                self._ask_for(ticket, theirs, wanted)
            pid, handle = spawned.result(_SPAWN_S)
        except BaseException as fault:
            # An interrupt, too, wherever it comes.
            self._give_up(ticket, spawned)
            ours.close()
            if isinstance(fault, TimeoutError):
                raise Unavailable(f"no sandbox was forked within {_SPAWN_S:g} s") from None
            raise
        return SandboxProcess(ours, _Forked(pid, handle, ended))

    def _expected(self) -> "tuple[int, Future[tuple[int, int]], Future[Ended]]":
        """A ticket, and what will be told of it."""
        with self._lock:
            self._ticket += 1
            spawned = self._spawned[self._ticket] = Future()
            ended = self._ended[self._ticket] = Future()
            return self._ticket, spawned, ended

    def _ask_for(self, ticket: int, end: socket.socket, wanted: Wanted) -> None:
        with self._lock:
            if self.over:
                raise Unavailable("the process that sandboxes are forked from has ended")
            try:
                socket.send_fds(self._control, [wanted.packet(ticket)], [end.fileno()])
            except OSError as fault:
                raise Unavailable(f"no sandbox can be forked: {fault}") from None

    def _give_up(self, ticket: int, spawned: "Future[tuple[int, int]]") -> None:
        """What was asked for is nobody's, whether it has come or not, and finds its socket closed."""
        with self._lock:
            self._spawned.pop(ticket, None)
            self._ended.pop(ticket, None)
            if spawned.done() and spawned.exception() is None:
                os.close(spawned.result()[1])

    def close(self) -> None:
        """End every process that came of it, and the zygote when that is one's own."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        if self._process is None:
            return
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        try:
            while self._hear():
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self.over = True
                ends = list(self._ended.values())
            gone = Unavailable("the process that sandboxes are forked from has ended")
            waits: list[Future[Any]] = [self._ready, *self._spawned.values()]
            for waiting in waits:
                with suppress(InvalidStateError):
                    waiting.set_exception(gone)
            for ended in ends:
                # It takes all of them with it.
                with suppress(InvalidStateError):
                    ended.set_result(Ended(-signal.SIGKILL, with_zygote=True))
            self._control.close()

    def _hear(self) -> bool:
        packet, passed = received(self._control)
        if not packet:
            return False
        said = json.loads(packet)
        match said:
            case {"ready": _}:
                self._ready.set_result(said)
            case {"failed": why}:
                self._ready.set_exception((SandboxRefused if said["refused"] else Unavailable)(why))
            case {"spawned": ticket, "pid": pid}:
                warn_once(said.get("missing", ()))
                if passed:
                    self._settle(ticket, passed[0], lambda spawned: spawned.set_result((pid, passed[0])))
                else:
                    # The kernel leaves it out where this process may have no more descriptors. Nobody's, it ends soon.
                    lost = Unavailable("this process has no descriptor left to hold a sandbox by")
                    self._settle(ticket, None, lambda spawned: spawned.set_exception(lost))
            case {"refused": ticket, "why": why}:
                self._ended.pop(ticket, None)
                self._settle(ticket, None, lambda spawned: spawned.set_exception(SandboxRefused(why)))
            case {"unavailable": ticket, "why": why}:
                self._ended.pop(ticket, None)
                self._settle(ticket, None, lambda spawned: spawned.set_exception(Unavailable(why)))
            case {"ended": ticket, "exit": code, "cpu_s": cpu_s, "peak_bytes": peak_bytes}:
                ended = self._ended.pop(ticket, None)
                if ended is not None:
                    ended.set_result(Ended(code, cpu_s, peak_bytes))
        return True

    def _settle(self, ticket: int, handle: int | None, deed: "Callable[[Future[tuple[int, int]]], None]") -> None:
        with self._lock:
            spawned = self._spawned.pop(ticket, None)
            if spawned is not None:
                deed(spawned)
            elif handle is not None:
                # Too late: it is nobody's.
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                os.close(handle)


_warned: set[str] = set()


def warn_once(missing: Iterable[str]) -> None:
    """Of each layer that a sandbox goes without, which only happens where that was asked for."""
    for each in missing:
        if each not in _warned:
            _warned.add(each)
            logger.warning("people's code runs without a lock that it should have, as was asked for: %s", each)


class _Forked:
    """A Child of the zygote, held by a handle that never means another process."""

    def __init__(self, pid: int, handle: int, ended: "Future[Ended]") -> None:
        self.pid = pid
        self._handle: int | None = handle
        self._ended = ended
        self._lock = threading.Lock()
        self._alive = select.poll()
        self._alive.register(handle, select.POLLIN)

    def kill(self) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def cpu_s(self) -> float | None:
        with self._lock:
            if self._handle is None:
                return None
            used_s = cpu_s_of(self.pid)
            # Alive afterwards, so that nobody else had its number before.
            return None if self._alive.poll(0) else used_s

    def busy(self) -> bool:
        with self._lock:
            return self._handle is not None and is_busy(self.pid) and not self._alive.poll(0)

    def ended(self, within_s: float) -> Ended | None:
        try:
            return self._ended.result(within_s)
        except TimeoutError:
            return None

    def close(self) -> None:
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
