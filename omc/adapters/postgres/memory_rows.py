"""What a trader must know again after a restart, as one row: its floats come back bit by bit."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.trading.blotter import Rebalance, TraderMemory

_BY_COIN = ("targets", "stopped", "ages", "trails", "openings", "leaving")
_READ = text("""
    SELECT done_until, decided_at, targets, stopped, ages, trails, openings, leaving, rebalance_quoted_at,
        rebalance_equity, rebalance_targets
    FROM trader_memory WHERE deployed_algorithm_id = :id
""")
_WRITE = text("""
    INSERT INTO trader_memory (
        deployed_algorithm_id, done_until, decided_at, targets, stopped, ages, trails, openings, leaving,
        rebalance_quoted_at, rebalance_equity, rebalance_targets
    ) VALUES (
        :id, :done_until, :decided_at, :targets, :stopped, :ages, :trails, :openings, :leaving,
        :rebalance_quoted_at, :rebalance_equity, :rebalance_targets
    ) ON CONFLICT (deployed_algorithm_id) DO UPDATE SET
        done_until = excluded.done_until, decided_at = excluded.decided_at, targets = excluded.targets,
        stopped = excluded.stopped, ages = excluded.ages, trails = excluded.trails,
        openings = excluded.openings, leaving = excluded.leaving,
        rebalance_quoted_at = excluded.rebalance_quoted_at,
        rebalance_equity = excluded.rebalance_equity, rebalance_targets = excluded.rebalance_targets,
        updated_at = now()
""")


async def read(connection: AsyncConnection, deployment_id: UUID) -> TraderMemory:
    row = (await connection.execute(_READ, {"id": deployment_id})).first()
    return _memory(row) if row else TraderMemory()


async def write(connection: AsyncConnection, deployment_id: UUID, memory: TraderMemory) -> None:
    rebalance = memory.rebalance
    values = {
        "id": deployment_id,
        "done_until": memory.done_until,
        "decided_at": memory.decided_at,
        **{name: _listed(getattr(memory, name)) for name in _BY_COIN},
        "rebalance_quoted_at": rebalance.quoted_at if rebalance else None,
        "rebalance_equity": rebalance.equity_aud if rebalance else None,
        "rebalance_targets": list(rebalance.targets) if rebalance else None,
    }
    await connection.execute(_WRITE, values)


def _memory(row: Row[Any]) -> TraderMemory:
    rebalance = None
    if row.rebalance_quoted_at is not None:
        rebalance = Rebalance(row.rebalance_quoted_at, row.rebalance_equity, tuple(row.rebalance_targets))
    return TraderMemory(
        done_until=row.done_until,
        decided_at=row.decided_at,
        rebalance=rebalance,
        **{name: None if (values := getattr(row, name)) is None else tuple(values) for name in _BY_COIN},
    )


def _listed(values: tuple[Any, ...] | None) -> list[Any] | None:
    return None if values is None else list(values)
