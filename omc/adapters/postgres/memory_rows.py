"""What a trader must know again after a restart, as one row: its floats come back bit by bit."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import notices
from omc.errors import Overtaken
from omc.trading.blotter import Rebalance, TraderMemory

_BY_COIN = ("targets", "stopped", "ages", "trails", "openings", "leaving", "wanted")
_READ = text("""
    SELECT notices, heard, done_until, decided_at, targets, stopped, ages, trails, openings, leaving, wanted,
        rebalance_quoted_at, rebalance_equity, rebalance_targets
    FROM trader_memory WHERE deployed_algorithm_id = :id
""")
_WRITE = text("""
    INSERT INTO trader_memory (
        deployed_algorithm_id, heard, done_until, decided_at, targets, stopped, ages, trails, openings, leaving, wanted,
        rebalance_quoted_at, rebalance_equity, rebalance_targets
    ) VALUES (
        :id, :heard, :done_until, :decided_at, :targets, :stopped, :ages, :trails, :openings, :leaving, :wanted,
        :rebalance_quoted_at, :rebalance_equity, :rebalance_targets
    ) ON CONFLICT (deployed_algorithm_id) DO UPDATE SET
        heard = excluded.heard, done_until = excluded.done_until, decided_at = excluded.decided_at,
        targets = excluded.targets,
        stopped = excluded.stopped, ages = excluded.ages, trails = excluded.trails,
        openings = excluded.openings, leaving = excluded.leaving, wanted = excluded.wanted,
        rebalance_quoted_at = excluded.rebalance_quoted_at,
        rebalance_equity = excluded.rebalance_equity, rebalance_targets = excluded.rebalance_targets,
        updated_at = now()
    WHERE trader_memory.notices <= excluded.heard
    RETURNING 1
""")


async def read(connection: AsyncConnection, deployment_id: UUID) -> TraderMemory:
    row = (await connection.execute(_READ, {"id": deployment_id})).first()
    if row is None:
        return TraderMemory()
    memory = _memory(row)
    if row.notices <= row.heard:
        return memory
    return memory.told_of(*await notices.unheard(connection, deployment_id, memory.heard))


async def write(connection: AsyncConnection, deployment_id: UUID, memory: TraderMemory) -> None:
    """Overtaken when there is a notice that `memory` has not heard of."""
    if (await connection.execute(_WRITE, {"id": deployment_id} | _values(memory))).first() is None:
        raise Overtaken("something was done over its trader's head")


def as_json(memory: TraderMemory) -> dict[str, Any]:
    """Its columns for a statement that takes JSON: floats as text, in which no digit of theirs is lost, nor a sign."""
    return {name: _texts(value) for name, value in _values(memory).items()}


def _values(memory: TraderMemory) -> dict[str, Any]:
    rebalance = memory.rebalance
    return {
        "heard": memory.heard,
        "done_until": memory.done_until,
        "decided_at": memory.decided_at,
        **{name: _listed(getattr(memory, name)) for name in _BY_COIN},
        "rebalance_quoted_at": rebalance.quoted_at if rebalance else None,
        "rebalance_equity": rebalance.equity_aud if rebalance else None,
        "rebalance_targets": list(rebalance.targets) if rebalance else None,
    }


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return repr(float(value)) if isinstance(value, float) else value


def _memory(row: Row[Any]) -> TraderMemory:
    rebalance = None
    if row.rebalance_quoted_at is not None:
        rebalance = Rebalance(row.rebalance_quoted_at, row.rebalance_equity, tuple(row.rebalance_targets))
    return TraderMemory(
        heard=row.heard,
        done_until=row.done_until,
        decided_at=row.decided_at,
        rebalance=rebalance,
        **{name: None if (values := getattr(row, name)) is None else tuple(values) for name in _BY_COIN},
    )


def _listed(values: tuple[Any, ...] | None) -> list[Any] | None:
    return None if values is None else list(values)
