"""The forks of a warm process, and those who asked for them: handed out, watched, told of, and ended with their owner.

What is asked and told, packet by packet, stands in `zygote`.
"""

import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omc.adapters.sandbox_process.fork import REFUSED, STANDING, Fork, fork
from omc.adapters.sandbox_process.limits import Limits, Together
from omc.adapters.sandbox_process.owners import LONGEST, Owner, let_in
from omc.errors import InvalidInput, OmcError, SandboxRefused, Unavailable

KIBIBYTE = 1024
_PAUSE_S = 0.1


class Forks:
    """Made on request, and told of. `serve` is what a locked child does with its socket, `ready` the first that each
    owner is told.

    To fork takes longer than to lock, so a spare child is forked whenever there is nothing else to do.
    """

    def __init__(self, serve: Callable[[int], None], ready: Mapping[str, Any]) -> None:
        self._serve, self._ready = serve, ready
        self._selector = selectors.DefaultSelector()
        self._owners: dict[int, Owner] = {}
        self._children: dict[int, Fork] = {}
        self._pause_until = 0.0

    def admit(self, owner: Owner) -> None:
        """Do what it asks, until it closes its socket or ends."""
        self._owners[owner.handle] = owner
        self._watch(owner.handle, lambda: self._dismiss(owner))
        self._watch(owner.control.fileno(), lambda: self._attend(owner))
        self._tell(owner, dict(self._ready))

    def run(self, door: socket.socket | None = None, linger_s: float = 0.0) -> None:
        """Until nobody has been there for so long; who comes through `door` is admitted. Nothing forked outlives it."""
        if door is not None:
            self._watch(door.fileno(), lambda: self._open(door))
        alone_since = time.monotonic()
        while True:
            now = time.monotonic()
            if self._owners:
                alone_since = now
            elif now >= alone_since + linger_s:
                break
            ready = self._selector.select(self._patience(now, alone_since + linger_s))
            if not ready and self._wants_spare(time.monotonic()):
                self._prepare_spare()
            for key, _ in ready:
                # What came before it may have settled it.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()
        if door is not None:
            door.close()
        for child in self._children.values():
            signal.pidfd_send_signal(child.handle, signal.SIGKILL)

    def _patience(self, now: float, lonely_at: float) -> float | None:
        """How long nothing may happen."""
        if self._wants_spare(now):
            return 0.0
        waits = [] if self._owners else [lonely_at - now]
        if self._pause_until > now:
            waits.append(self._pause_until - now)
        return max(0.0, min(waits)) if waits else None

    def _watch(self, descriptor: int, then: Callable[[], None], events: int = selectors.EVENT_READ) -> None:
        self._selector.register(descriptor, events, then)

    # Owners

    def _open(self, door: socket.socket) -> None:
        owner = let_in(door)
        if owner is not None:
            self.admit(owner)

    def _dismiss(self, owner: Owner) -> None:
        """It has ended, or is taken for it: its children go with it."""
        if not self._has(owner):
            return
        del self._owners[owner.handle]
        for descriptor in (owner.handle, owner.control.fileno()):
            self._selector.unregister(descriptor)
        owner.close()
        for child in self._children.values():
            if child.owner is owner:
                signal.pidfd_send_signal(child.handle, signal.SIGKILL)

    def _has(self, owner: Owner) -> bool:
        # Its number may be another's by now.
        return self._owners.get(owner.handle) is owner

    def _attend(self, owner: Owner) -> None:
        try:
            owner.go_on()
            asked = owner.ask()
        except EOFError:
            self._dismiss(owner)
            return
        if asked is not None:
            self._answer(owner, *asked)
        self._listen_on(owner)

    def _tell(self, owner: Owner, what: dict[str, Any], passed: Sequence[int] = ()) -> None:
        if not self._has(owner):
            return
        try:
            owner.tell(what, passed)
        except EOFError:
            self._dismiss(owner)
        self._listen_on(owner)

    def _listen_on(self, owner: Owner) -> None:
        """To what it asks, and for room to tell it what it has not read."""
        if self._has(owner):
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if owner.behind else 0)
            control = owner.control.fileno()
            if self._selector.get_key(control).events != events:
                self._selector.modify(control, events, lambda: self._attend(owner))

    # Children

    def _spare(self) -> Fork | None:
        """A child that waits for its orders, unless it has died since."""
        return next((child for child in self._children.values() if child.waits), None)

    def _wants_spare(self, now: float) -> bool:
        locking = any(child.owner is not None and child.locked is None for child in self._children.values())
        return now >= self._pause_until and not locking and self._spare() is None

    def _prepare_spare(self) -> None:
        try:
            self._fork()
        except (OmcError, OSError):
            # Whoever asks for a process will be told why. Meanwhile, not to try again at once:
            self._pause_until = time.monotonic() + _PAUSE_S

    def _answer(self, owner: Owner, asked: dict[str, Any], passed: list[int]) -> None:
        ticket = asked["spawn"]
        try:
            self._hand_out(owner, asked, passed)
        except (InvalidInput, SandboxRefused, KeyError, TypeError) as error:
            self._tell(owner, {"refused": ticket, "why": str(error)})
        except (Unavailable, OSError) as error:
            self._tell(owner, {"unavailable": ticket, "why": str(error)})
        finally:
            for each in passed:
                os.close(each)

    def _hand_out(self, owner: Owner, asked: Mapping[str, Any], passed: Sequence[int]) -> None:
        """Give a child its orders, a spare if there is one."""
        if len(passed) != 1:
            raise InvalidInput(f"a process is given one descriptor, not {len(passed)}")
        Limits(**asked["limits"])
        owned = [child.owner for child in self._children.values() if child.owner is not None]
        Together(**asked.get("together", {})).check(len(owned), owned.count(owner))
        orders = {"limits": asked["limits"], "unsafe": asked.get("unsafe") is True, "nice": asked.get("nice", 0)}
        spare = self._spare()
        child = spare if spare is not None and spare.order(orders, passed[0]) else self._fork()
        if child is not spare and not child.order(orders, passed[0]):
            raise Unavailable("a process ended as soon as it was forked")
        child.owner, child.ticket = owner, asked["spawn"]

    def _fork(self) -> Fork:
        child = fork(self._serve)
        self._children[child.handle] = child
        self._watch(child.report, lambda: self._reported(child))
        self._watch(child.handle, lambda: self._ended(child))
        return child

    def _reported(self, child: Fork) -> None:
        """Every layer stands, or one does not, or it died before it could say."""
        said = os.read(child.report, LONGEST)
        self._selector.unregister(child.report)
        os.close(child.report)
        child.locked = said.startswith(STANDING)
        if child.owner is None:
            return
        if child.locked:
            told = {"spawned": child.ticket, "pid": child.process, "missing": json.loads(said[len(STANDING) :])}
            self._tell(child.owner, told, [child.handle])
        else:
            # One that could not say a word was ended, as a machine does that is short of memory: no layer is missing.
            kind = "refused" if said.startswith(REFUSED) else "unavailable"
            why = said.removeprefix(REFUSED).decode(errors="replace") or "the process ended before every layer stood"
            self._tell(child.owner, {kind: child.ticket, "why": why})

    def _ended(self, child: Fork) -> None:
        if child.locked is None:
            self._reported(child)
        _, status, used = os.wait4(child.process, 0)
        self._selector.unregister(child.handle)
        os.close(child.handle)
        child.orders.close()
        del self._children[child.handle]
        if child.owner is not None and child.locked:
            cpu_s, peak_bytes = used.ru_utime + used.ru_stime, used.ru_maxrss * KIBIBYTE
            code = os.waitstatus_to_exitcode(status)
            self._tell(child.owner, {"ended": child.ticket, "exit": code, "cpu_s": cpu_s, "peak_bytes": peak_bytes})
