"""One durable flag in front of the venue, for everybody, an account or a deployment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from omc.errors import AddingHalted, Halted
from omc.risk.verdict import DenialReason
from omc.trading.journal import MemoryJournal


class HaltLevel(StrEnum):
    ALL = "all"
    """Nothing is sent but the house's own sales."""
    ADDING = "adding"
    """What adds to a position is not sent; reducing one goes on."""


class HaltScope(StrEnum):
    PLATFORM = "platform"
    ACCOUNT = "account"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading stands still since `since`: everybody's without a user, an account's with one, or only that of one of its
    deployments."""

    user_id: UUID | None
    since: datetime
    reason: str
    level: HaltLevel = HaltLevel.ALL
    deployment_id: UUID | None = None

    def __post_init__(self) -> None:
        if self.user_id is None and self.deployment_id is not None:
            raise ValueError("a halted deployment is somebody's")

    @property
    def scope(self) -> HaltScope:
        if self.user_id is None:
            return HaltScope.PLATFORM
        return HaltScope.ACCOUNT if self.deployment_id is None else HaltScope.DEPLOYMENT

    @property
    def place(self) -> tuple[UUID | None, UUID | None]:
        """Where it holds: one halt at most in each place."""
        return self.user_id, self.deployment_id

    def binds(self, user_id: UUID, deployment_id: UUID | None, adding: bool) -> bool:
        """Whether it stops what `user_id` does with that deployment (None: with the account as a whole)."""
        if self.user_id not in (None, user_id) or self.deployment_id not in (None, deployment_id):
            return False
        return adding or self.level is HaltLevel.ALL

    def __str__(self) -> str:
        what = "trading" if self.level is HaltLevel.ALL else "adding to positions"
        where = "" if self.scope is HaltScope.ACCOUNT else f" ({self.scope})"
        return f"{what} is halted{where} since {self.since.isoformat()}: {self.reason}"

    def fault(self) -> Halted:
        return Halted(str(self)) if self.level is HaltLevel.ALL else AddingHalted(str(self))


def strictest(halts: Iterable[Halt]) -> Halt | None:
    """The one that says most about what is stopped: everything before adding, then the wider, then the older."""
    wider = list(HaltScope)
    found = sorted(halts, key=lambda each: (each.level is not HaltLevel.ALL, wider.index(each.scope), each.since))
    return found[0] if found else None


def kept(first: Halt | None, second: Halt) -> Halt:
    """Of two of one place: tripping again keeps the first halt, unless the second stops more."""
    stops_more = first is not None and first.level is HaltLevel.ADDING and second.level is HaltLevel.ALL
    return second if first is None or stops_more else first


def was_reset(halt: Halt, ended: Halt | None) -> bool:
    """Whether `halt` is the one that was reset last in its place. They are one when they began at one moment: moments
    of resets are another clock's, and by them a halt could be taken for an older one."""
    return ended is not None and ended.since == halt.since and kept(ended, halt) is ended


def denied_by(no: Halted) -> DenialReason:
    """Our reason for an order that a halt stopped."""
    return DenialReason.ADDING_HALTED if isinstance(no, AddingHalted) else DenialReason.KILL_SWITCH


class KillSwitch(Protocol):
    """Checked where orders are sent, so it holds across restarts and whatever else is down. Without a user it is the
    whole platform's, without a deployment the whole account's."""

    async def trip(
        self,
        user_id: UUID | None,
        reason: str,
        *,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
        since: datetime | None = None,
    ) -> Halt:
        """Halt at once; tripping again keeps the first halt, unless this one stops more. `since` is now unless it is
        given: for a halt that held before it could be stored. Journaled when it changes anything."""
        ...

    async def catch_up(self, halt: Halt) -> Halt | None:
        """Write down a halt that held before it could be stored. None when it was reset meanwhile: it stays so."""
        ...

    async def reset(
        self,
        user_id: UUID | None,
        *,
        deployment_id: UUID | None = None,
        by: str = "",
        reason: str = "",
        until: datetime | None = None,
    ) -> Halt | None:
        """Let that place trade again, and say what halted it; deployments stay paused until they are activated. A
        wider halt goes on, and so does one that holds only since after `until`. Journaled, with who asked for it and
        why."""
        ...

    async def halted(self, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True) -> Halt | None:
        """The strictest halt that binds; only those that stop everything when `adding` is false."""
        ...

    async def on(self) -> list[Halt]:
        """Every halt of the platform."""
        ...


@dataclass(slots=True)
class MemoryKillSwitch:
    """A KillSwitch that lives and dies with the process."""

    now: datetime
    halts: dict[tuple[UUID | None, UUID | None], Halt] = field(default_factory=dict)
    ended: dict[tuple[UUID | None, UUID | None], Halt] = field(default_factory=dict)
    """What was reset last in each place."""
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    async def trip(
        self,
        user_id: UUID | None,
        reason: str,
        *,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
        since: datetime | None = None,
    ) -> Halt:
        asked = Halt(user_id, since or self.now, reason, level, deployment_id)
        halt = kept(self.halts.get(asked.place), asked)
        if halt is asked:
            self.halts[halt.place] = halt
            self._write("halt", halt, {})
        return halt

    async def catch_up(self, halt: Halt) -> Halt | None:
        if was_reset(halt, self.ended.get(halt.place)):
            return None
        return await self.trip(
            halt.user_id, halt.reason, deployment_id=halt.deployment_id, level=halt.level, since=halt.since
        )

    async def reset(
        self,
        user_id: UUID | None,
        *,
        deployment_id: UUID | None = None,
        by: str = "",
        reason: str = "",
        until: datetime | None = None,
    ) -> Halt | None:
        halt = self.halts.get((user_id, deployment_id))
        if halt is None or (until is not None and halt.since > until):
            return None
        del self.halts[halt.place]
        self.ended[halt.place] = halt
        self._write("reset", halt, {"by": by, "why": reason})
        return halt

    async def halted(self, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True) -> Halt | None:
        return strictest(each for each in self.halts.values() if each.binds(user_id, deployment_id, adding))

    async def on(self) -> list[Halt]:
        return list(self.halts.values())

    def _write(self, kind: str, halt: Halt, said: dict[str, str]) -> None:
        # What halts everybody is in the journal of everybody who has one.
        owners = [halt.user_id] if halt.user_id else sorted({owner for owner, _ in self.journal.lines})
        for owner in owners:
            self.journal.write(owner, kind, told(halt) | said, at=self.now, deployment_id=halt.deployment_id)


def told(halt: Halt) -> dict[str, object]:
    """A halt as the journal tells it."""
    return {"reason": halt.reason, "since": halt.since, "level": halt.level.value, "scope": halt.scope.value}
