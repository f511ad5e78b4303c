"""Halts as files in the platform's home: `HALT` there, made by any hand, stops everything; `halts/` has one for each
place that was halted.

A file of `halts/` is named `platform`, by a user's id, or by a user's and a deployment's with a dot between them. It
says, in JSON, since when, why and what is stopped; one that says nothing, or nonsense, stops everything of its place,
and one whose name means nothing stops the platform.
"""

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from omc.adapters import halt_note
from omc.adapters.system_clock import SystemClock
from omc.clock import Clock
from omc.errors import Unavailable
from omc.risk.halt_files import PLATFORM, Place, ResetAsked
from omc.risk.kill_switch import Halt, kept

_PLATFORM = "platform"
_RESET = "reset.request"
_ANSWER = ".reset.answer"


@dataclass(frozen=True, slots=True)
class FolderHaltFiles:
    """HaltFiles. Inert until used: it travels as the path of a home."""

    home: Path
    always: str | None = None
    """Why the platform is halted whatever the files say: its settings want it so."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def folder(self) -> Path:
        return self.home / "halts"

    @property
    def by_hand(self) -> Path:
        return self.home / "HALT"

    def on(self) -> list[Halt]:
        now = self.clock.now()
        found = [Halt(None, halt_note.EPOCH, self.always)] if self.always else []
        try:
            if os.path.lexists(self.by_hand):
                by_hand = "somebody made the file HALT in the platform's home"
                found.append(halt_note.read(self.by_hand, PLATFORM, by_hand, now))
            names = self._names()
        except OSError as fault:
            why = f"whether {self.home} halts cannot be seen: {fault.strerror}"
            return [*found, Halt(None, halt_note.EPOCH, why)]
        for name in names:
            place = _place(name)
            odd = f"the file {name} in {self.folder} names nobody" if place is None else "a file says so"
            found.append(halt_note.read(self.folder / name, place or PLATFORM, halt_note.words(odd), now))
        return found

    async def trip(self, halt: Halt) -> Halt:
        return await asyncio.to_thread(self._trip, halt)

    def mark(self, place: Place) -> str | None:
        seen = self._seen(place)
        return json.dumps(seen, sort_keys=True) if seen else None

    def nothing_but(self, place: Place, mark: str | None) -> bool:
        return self._seen(place).items() <= _marked(mark).items()

    async def reset(self, place: Place, mark: str) -> bool:
        return await asyncio.to_thread(self._reset, place, mark)

    def reset_asked(self) -> ResetAsked | None:
        try:
            said = halt_note.said(self.folder / _RESET)
        except OSError:
            return None
        by, reason = halt_note.words(said.get("by")), halt_note.words(said.get("reason"))
        at = halt_note.moment(said.get("at"), halt_note.EPOCH, self.clock.now())
        return ResetAsked(by or "whoever writes there", reason, at, json.dumps(said.get("seen"), sort_keys=True))

    async def reset_done(self, still: str) -> None:
        await asyncio.to_thread(self._reset_done, still)

    def _names(self) -> list[str]:
        """Every file of `halts/` that halts anything."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - it is on the way of every order
        except FileNotFoundError:
            return []
        return sorted(name for name in names if not name.startswith(".") and name != _RESET)

    def _seen(self, place: Place) -> dict[str, str]:
        """All that halts that place, by its path within the home: whatever its name, it may be another at any time."""
        paths = [self.folder / name for name in self._names() if (_place(name) or PLATFORM) == place]
        paths += [self.by_hand] if place == PLATFORM else []
        found = {path.relative_to(self.home).as_posix(): halt_note.identity(path) for path in paths}
        return {name: each for name, each in found.items() if each is not None}

    def _trip(self, halt: Halt) -> Halt:
        path = self.folder / _name(halt.place)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                if os.path.lexists(path):
                    first = halt_note.read(path, halt.place, "", self.clock.now())
                    halt = kept(first, halt) if first.reason else replace(kept(first, halt), reason=halt.reason)
                # Written though it says the same: whoever resets what was there before does not mean it.
                said = {"since": halt.since.isoformat(), "reason": halt.reason, "level": halt.level.value}
                halt_note.write(path, said)
        except OSError as fault:
            raise Unavailable(f"the halt cannot be written to {path}: {fault.strerror}") from None
        return halt

    def _reset(self, place: Place, mark: str) -> bool:
        try:
            with self._alone():
                now = self._seen(place)
                if not now.items() <= _marked(mark).items():
                    return False
                for name in now:
                    (self.home / name).unlink(missing_ok=True)
                halt_note.sync(self.folder if self.folder.is_dir() else self.home)
        except FileNotFoundError:
            return True
        except OSError as fault:
            raise Unavailable(f"a halt in {self.home} stays: {fault.strerror}") from None
        return True

    def _reset_done(self, still: str) -> None:
        asked = self.folder / _RESET
        try:
            if still:
                halt_note.write(self.folder / _ANSWER, {"still": still})
            asked.unlink(missing_ok=True)
        except OSError as fault:
            raise Unavailable(f"{asked} stays: {fault.strerror}") from None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever trips and whoever resets take turns. A disk without room for the lock keeps nobody from tripping."""
        try:
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            if fault.errno not in halt_note.NO_ROOM:
                raise
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _name(place: Place) -> str:
    return ".".join(str(each) for each in place if each is not None) or _PLATFORM


def _place(name: str) -> Place | None:
    if name == _PLATFORM:
        return PLATFORM
    user, dot, deployment = name.partition(".")
    try:
        return UUID(user), UUID(deployment) if dot else None
    except ValueError:
        return None


def _marked(mark: str | None) -> dict[str, str]:
    """What a mark names; nothing where it is none of ours."""
    try:
        found = json.loads(mark or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
