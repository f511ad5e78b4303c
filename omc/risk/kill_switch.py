"""One durable flag in front of the venue."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading of an account stands still since `since`."""

    user_id: UUID
    since: datetime
    reason: str


class KillSwitch(Protocol):
    """Checked where orders are sent, so it holds across restarts and whatever else is down."""

    async def trip(self, user_id: UUID, reason: str) -> Halt:
        """Halt the account at once; tripping again keeps the first halt. Journaled."""
        ...

    async def reset(self, user_id: UUID) -> None:
        """Let the account trade again; its deployments stay paused until activated. Journaled."""
        ...

    async def halted(self, user_id: UUID) -> Halt | None: ...


@dataclass(slots=True)
class MemoryKillSwitch:
    """A KillSwitch that lives and dies with the process."""

    now: datetime
    halts: dict[UUID, Halt] = field(default_factory=dict)

    async def trip(self, user_id: UUID, reason: str) -> Halt:
        return self.halts.setdefault(user_id, Halt(user_id, self.now, reason))

    async def reset(self, user_id: UUID) -> None:
        self.halts.pop(user_id, None)

    async def halted(self, user_id: UUID) -> Halt | None:
        return self.halts.get(user_id)
