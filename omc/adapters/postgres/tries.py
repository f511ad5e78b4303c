"""The ledger of tries in PostgreSQL: a row for each backtest and each sweep, which outlives both."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres.database import Database
from omc.promotion.trials import Tally

_RUN = text("""
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares)
    SELECT id, algorithm_id, :tries, :measured, :mean_sharpe, :squares FROM algorithm_backtest_runs WHERE id = :id
""")
_OF_SWEEP = text("SELECT tried, measured, mean_sharpe, squares FROM tries WHERE source_id = :id")
_SWEEP = text("""
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares)
    SELECT id, algorithm_id, :tries, :measured, :mean_sharpe, :squares FROM sweeps WHERE id = :id
    ON CONFLICT (source_id) DO UPDATE SET tried = excluded.tried, measured = excluded.measured,
        mean_sharpe = excluded.mean_sharpe, squares = excluded.squares
""")
_TALLY = text("""
    SELECT tried, measured, mean_sharpe, squares FROM tries WHERE algorithm_id = :id ORDER BY source_id
""")


@dataclass(frozen=True, slots=True)
class PostgresTries:
    """A TriesLedger."""

    database: Database

    async def tally(self, algorithm_id: UUID) -> Tally:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_TALLY, {"id": algorithm_id})
            return sum((Tally(*row) for row in rows), Tally())


async def count_run(connection: AsyncConnection, run_id: UUID, sharpe: float | None) -> None:
    """A backtest has ended: in the transaction that stores its end."""
    await connection.execute(_RUN, {"id": run_id, **asdict(Tally.of([sharpe]))})


async def count_sweep(
    connection: AsyncConnection,
    sweep_id: UUID,
    sharpes: Iterable[float | None],
    replaced: Iterable[float | None] = (),
) -> None:
    """Points of a sweep, in the transaction that stores them, with the sweep's row locked. `sharpes` are their ratios,
    None or NaN for a point without; `replaced` are the former ratios of those among them that were stored before, which
    are counted once."""
    row = (await connection.execute(_OF_SWEEP, {"id": sweep_id})).first()
    counted = (Tally(*row) if row else Tally()) - Tally.of(replaced) + Tally.of(sharpes)
    await connection.execute(_SWEEP, {"id": sweep_id, **asdict(counted)})
