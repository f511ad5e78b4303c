"""The append-only journal: every decision, verdict, order, fill, halt and change of state, in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of the append-only journal."""

    seq: int
    kind: str
    """What an order became (intent, denied, sliced with its plan, submitted, unknown, accepted, filled, …); decision;
    rebalance; deployment; halt; reset; breach; limits; position and pnl, which follow the fills that moved them;
    external, what others did on an account; reconciliation, when a comparison says something new; resolved and
    synthetic, what a person said of an order and of the books; forced_exit and lifted, what a person had sold or let
    be bought again over its trader's head; credentials, what became of a key and of whatever
    trades by it."""
    deployment_id: UUID | None
    recorded_at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True)
class MemoryJournal:
    """A journal that lives and dies with the process; the twins of one floor share one."""

    lines: list[tuple[UUID, JournalEntry]] = field(default_factory=list)
    """Whose account, and what was written."""
    listeners: list[Callable[[UUID], None]] = field(default_factory=list)
    """Told whose journal has grown."""

    def write(
        self, user_id: UUID, kind: str, data: Mapping[str, Any], *, at: datetime, deployment_id: UUID | None = None
    ) -> JournalEntry:
        entry = JournalEntry(len(self.lines) + 1, kind, deployment_id, at, dict(data))
        self.lines.append((user_id, entry))
        for told in self.listeners:
            told(user_id)
        return entry

    def page(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        """Newest first, with the total; no kinds means all."""
        found = [
            entry
            for owner, entry in reversed(self.lines)
            if owner == user_id
            and (deployment_id is None or entry.deployment_id == deployment_id)
            and (not kinds or entry.kind in kinds)
        ]
        return found[offset : offset + limit], len(found)
