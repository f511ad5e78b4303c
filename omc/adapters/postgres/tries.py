"""The ledger of tries in PostgreSQL: a row for each backtest and each sweep, which outlives both."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres.database import Database
from omc.promotion.trials import Tally

_COLUMNS = "tried, measured, mean_sharpe, squares, powers"
_VALUES = ":tries, :measured, :mean_sharpe, :squares, CAST(:powers AS float8[])"
_RUN = text(f"""
    INSERT INTO tries (source_id, algorithm_id, {_COLUMNS})
    SELECT id, algorithm_id, {_VALUES} FROM algorithm_backtest_runs WHERE id = :id
""")
_OF_SWEEP = text(f"SELECT {_COLUMNS} FROM tries WHERE source_id = :id")
_SWEEP = text(f"""
    INSERT INTO tries (source_id, algorithm_id, {_COLUMNS})
    SELECT id, algorithm_id, {_VALUES} FROM sweeps WHERE id = :id
    ON CONFLICT (source_id) DO UPDATE SET tried = excluded.tried, measured = excluded.measured,
        mean_sharpe = excluded.mean_sharpe, squares = excluded.squares, powers = excluded.powers
""")
_TALLY = text(f"SELECT {_COLUMNS} FROM tries WHERE algorithm_id = :id ORDER BY source_id")


@dataclass(frozen=True, slots=True)
class PostgresTries:
    """A TriesLedger."""

    database: Database

    async def tally(self, algorithm_id: UUID) -> Tally:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_TALLY, {"id": algorithm_id})
            return sum((_tally(row) for row in rows), Tally())


async def count_run(connection: AsyncConnection, run_id: UUID, tally: Tally) -> None:
    """A backtest has ended: in the transaction that stores its end."""
    await connection.execute(_RUN, {"id": run_id, **_values(tally)})


async def count_sweep(connection: AsyncConnection, sweep_id: UUID, more: Tally, replaced: Tally) -> None:
    """Points of a sweep, in the transaction that stores them, with the sweep's row locked. `replaced` are those among
    them that were stored before, as they were then: they are counted once."""
    row = (await connection.execute(_OF_SWEEP, {"id": sweep_id})).first()
    counted = (_tally(row) if row else Tally()) - replaced + more
    await connection.execute(_SWEEP, {"id": sweep_id, **_values(counted)})


def _tally(row: Row[Any]) -> Tally:
    return Tally(row.tried, row.measured, row.mean_sharpe, row.squares, tuple(row.powers))


def _values(tally: Tally) -> dict[str, Any]:
    return asdict(tally) | {"powers": list(tally.powers)}
