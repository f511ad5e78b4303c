"""Histories of backtests in PostgreSQL: two Parquet files a row, which no listing of backtests reads.

They are packed and unpacked away from the event loop: a year of bars, or thousands of trades, take their time.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from omc.adapters import parquet
from omc.adapters.postgres.database import Database
from omc.backtest.curves import Curves, Execution, History, missing, trade_columns
from omc.trading.fill import Fill, Side

# A backtest that was deleted meanwhile keeps nothing.
_PUT = text("""
    INSERT INTO backtest_curves (run_id, curve, trades)
    SELECT id, :curve, :trades FROM algorithm_backtest_runs WHERE id = :run_id FOR KEY SHARE
    ON CONFLICT (run_id) DO UPDATE SET curve = excluded.curve, trades = excluded.trades
""")
_CURVE = text("SELECT curve FROM backtest_curves WHERE run_id = :run_id")
_TRADES = text("SELECT trades FROM backtest_curves WHERE run_id = :run_id")


@dataclass(frozen=True, slots=True)
class PostgresCurves:
    """A CurveStore."""

    database: Database

    async def put(self, run_id: UUID, history: History) -> None:
        values = await asyncio.to_thread(_packed, run_id, history)
        async with self.database.transaction() as connection:
            await connection.execute(_PUT, values)

    async def curves(self, run_id: UUID) -> Curves:
        async with self.database.transaction() as connection:
            file = (await connection.execute(_CURVE, {"run_id": run_id})).scalar_one_or_none()
        if file is None:
            raise missing(run_id)
        return await asyncio.to_thread(_curves, file)

    async def trades(self, run_id: UUID) -> tuple[Execution, ...]:
        async with self.database.transaction() as connection:
            file = (await connection.execute(_TRADES, {"run_id": run_id})).scalar_one_or_none()
        if file is None:
            raise missing(run_id)
        return await asyncio.to_thread(_trades, file)


def _packed(run_id: UUID, history: History) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "curve": parquet.encode(history.curves.columns()),
        "trades": parquet.encode(trade_columns(history.trades)),
    }


def _curves(file: bytes) -> Curves:
    return Curves(*parquet.decode(file).values())


def _trades(file: bytes) -> tuple[Execution, ...]:
    columns = parquet.decode(file)
    return tuple(_execution(at, row) for at, row in enumerate(zip(*columns.values(), strict=True)))


def _execution(at: int, row: tuple[Any, ...]) -> Execution:
    time, coin, side, quantity, _, total, fee, reason = row
    executed_at: datetime = time.astype(datetime).replace(tzinfo=UTC)
    return Execution(Fill(str(at), coin, Side(side), quantity, total, fee, executed_at), reason)
