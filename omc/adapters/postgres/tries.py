"""The ledger of tries in PostgreSQL: a row for each backtest and each sweep, which outlives both."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres.database import Database
from omc.promotion.trials import Tally


def _count(source: str) -> TextClause:
    """Adds to a source's row, by the formula of `Tally.__add__`."""
    return text(f"""
        INSERT INTO tries AS t (source_id, algorithm_id, tried, measured, mean_sharpe, squares)
        SELECT id, algorithm_id, :tries, :measured, :mean_sharpe, :squares FROM {source} WHERE id = :id
        ON CONFLICT (source_id) DO UPDATE SET
            tried = t.tried + excluded.tried,
            measured = t.measured + excluded.measured,
            mean_sharpe = t.mean_sharpe + (excluded.mean_sharpe - t.mean_sharpe) * excluded.measured
                / greatest(1, t.measured + excluded.measured),
            squares = t.squares + excluded.squares + (excluded.mean_sharpe - t.mean_sharpe) ^ 2 * t.measured
                * excluded.measured / greatest(1, t.measured + excluded.measured)
    """)  # noqa: S608 - the name of a table of ours


_COUNT_RUN, _COUNT_SWEEP = _count("algorithm_backtest_runs"), _count("sweeps")
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
    await connection.execute(_COUNT_RUN, {"id": run_id, **asdict(Tally.of([sharpe]))})


async def count_sweep(connection: AsyncConnection, sweep_id: UUID, sharpes: Iterable[float | None]) -> None:
    """Points of a sweep that were not stored before, whether or not they have a Sharpe ratio: in the transaction that
    stores them, with the sweep's row locked."""
    await connection.execute(_COUNT_SWEEP, {"id": sweep_id, **asdict(Tally.of(sharpes))})
