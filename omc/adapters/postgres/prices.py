"""The exchange ledger in PostgreSQL: a bar is an upserted row, a history is a binary copy in either direction."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import faults, pgcopy, price_rows
from omc.adapters.postgres.database import Database
from omc.clock import utc
from omc.errors import InvalidInput, NotFound
from omc.feature.frame import Frame
from omc.ledger.exchange import BAR, Coverage, asked_coins, quoted
from omc.market.coin import ticker
from omc.market.money import from_grid
from omc.market.quote import Quote, QuoteBoard

# Rows are written in the order of the unique key, so that writers of the same bars queue up and never deadlock.
_APPEND = text("""
    INSERT INTO price_data_5min (timestamp, seen_time, coin_type, bid, ask, last, venue)
    SELECT CAST(:time AS timestamptz), CAST(:time AS timestamptz), q.coin, q.bid, q.ask, q.last, :venue
    FROM unnest(CAST(:coins AS text[]), CAST(:bids AS float8[]), CAST(:asks AS float8[]), CAST(:lasts AS float8[]))
        AS q (coin, bid, ask, last)
    ON CONFLICT DO NOTHING
""")
_STAGE = text("""
    CREATE TEMP TABLE staged_prices (coin int2, timestamp timestamptz, bid float8, ask float8, last float8)
    ON COMMIT DROP
""")
_LOAD = text("""
    INSERT INTO price_data_5min (timestamp, seen_time, coin_type, bid, ask, last, venue)
    SELECT s.timestamp, s.timestamp, (CAST(:coins AS text[]))[s.coin + 1], s.bid, s.ask, s.last, :venue
    FROM staged_prices s
    ON CONFLICT DO NOTHING
""")
_MONTH = text("SELECT price_data_5min_month(CAST(:first_day AS date))")
STORED = text("""
    SELECT c.coin, s.first, s.last FROM unnest(CAST(:coins AS text[])) AS c (coin), LATERAL (
        SELECT min(p.timestamp) AS first, max(p.timestamp) AS last FROM price_data_5min p
        WHERE p.coin_type = c.coin AND p.venue = :venue AND p.timestamp <= :until
    ) s WHERE s.last IS NOT NULL
""")
# A step in the index for each coin, however many bars it has.
KNOWN = text("""
    WITH RECURSIVE known AS (
        (SELECT coin_type AS coin FROM price_data_5min WHERE venue = :venue ORDER BY coin_type LIMIT 1)
        UNION ALL
        SELECT (
            SELECT p.coin_type FROM price_data_5min p WHERE p.venue = :venue AND p.coin_type > k.coin
            ORDER BY p.coin_type LIMIT 1
        ) FROM known k WHERE k.coin IS NOT NULL
    ) SELECT coin FROM known WHERE coin IS NOT NULL ORDER BY coin
""")
# Whatever are the first of all coins together are among the first of one of them.
COUNT = text("""
    SELECT least(count(DISTINCT s.timestamp), :most) FROM unnest(CAST(:coins AS text[])) AS c (coin), LATERAL (
        SELECT p.timestamp FROM price_data_5min p
        WHERE p.coin_type = c.coin AND p.venue = :venue AND p.timestamp BETWEEN :start AND :end
        ORDER BY p.timestamp LIMIT :most
    ) s
""")
# Of one coin every row has a time of its own: nothing needs to be sorted or told apart.
_COUNT_ONE = text("""
    SELECT count(*) FROM (
        SELECT 1 FROM price_data_5min p
        WHERE p.coin_type = :coin AND p.venue = :venue AND p.timestamp BETWEEN :start AND :end LIMIT :most
    ) s
""")
_COVERAGE = text("""
    SELECT coin_type, min(timestamp) AS first, max(timestamp) AS last, count(*) AS bars
    FROM price_data_5min WHERE venue = :venue GROUP BY coin_type ORDER BY coin_type
""")
_NEWEST = text("""
    SELECT c.coin, q.bid, q.ask, q.last FROM unnest(CAST(:coins AS text[])) AS c (coin), LATERAL (
        SELECT p.bid, p.ask, p.last FROM price_data_5min p
        WHERE p.coin_type = c.coin AND p.venue = :venue ORDER BY p.timestamp DESC LIMIT 1
    ) q
""")
_SPLIT = timedelta(days=60)
"""Longer reads are shared by two connections, which two cores can serve."""
_FOREVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class PostgresPrices:
    """A PriceArchive of one venue."""

    database: Database
    venue: str = "coinspot"

    async def append(self, board: QuoteBoard) -> int:
        time = utc(board.time)
        quotes = sorted(board.quotes.values(), key=lambda quote: quote.coin)
        if not quotes:
            return 0
        values = {
            "time": time,
            "venue": self.venue,
            "coins": [quote.coin for quote in quotes],
            "bids": [float(quote.bid_aud) for quote in quotes],
            "asks": [float(quote.ask_aud) for quote in quotes],
            "lasts": [float(quote.last_aud) for quote in quotes],
        }
        try:
            return await self._append(values)
        except IntegrityError as error:
            if faults.constraint(error):
                raise InvalidInput(f"the quotes at {time.isoformat()} are not storable: {error.orig}") from None
        # No partition holds this time yet. It is made on its own, so that two writers may try at once.
        await self._make_months([time.date().replace(day=1)])
        return await self._append(values)

    async def load(self, frame: Frame) -> int:
        quoted(frame)  # all of it is checked before any of it is stored
        coins = [ticker(coin) for coin in frame.coins]
        stored = 0
        for start, stop in price_rows.chunks(frame):
            rows = price_rows.of(frame.rows(start, stop))
            await self._make_months(price_rows.months(rows))
            async with self.database.transaction() as connection:
                await connection.execute(_STAGE)
                driver = await _driver(connection)
                await driver.copy_to_table("staged_prices", source=io.BytesIO(pgcopy.encoded(rows)), format="binary")
                stored += (await connection.execute(_LOAD, {"coins": coins, "venue": self.venue})).rowcount
        return stored

    async def read(self, coins: Sequence[str], start: datetime, end: datetime) -> Frame:
        asked = asked_coins(coins)
        start, end = utc(start), utc(end)
        frame = await self._frame(asked, start, end)
        silent = [coin for column, coin in enumerate(asked) if np.isnan(frame.bid[:, column]).all()]
        if silent:
            await self._stored(silent, _FOREVER)
        return frame

    async def tail(self, coins: Sequence[str], until: datetime, bars: int) -> Frame:
        asked = asked_coins(coins)
        await self._stored(asked, _FOREVER)
        stored = await self._stored(asked, utc(until), missing_ok=True)
        if not stored or bars < 1:
            return price_rows.frame(asked, [])
        first, last = min(low for low, _ in stored.values()), max(high for _, high in stored.values())
        span = BAR * bars
        while True:
            frame = await self._frame(asked, max(first, last - span), last)
            if len(frame) >= bars or last - span <= first:
                return frame.rows(max(0, len(frame) - bars), len(frame))
            span *= 4

    async def coverage(self) -> list[Coverage]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_COVERAGE, {"venue": self.venue})
            return [Coverage(row.coin_type, row.first, row.last, row.bars) for row in rows]

    async def spans(self, coins: Sequence[str] | None = None) -> dict[str, tuple[datetime, datetime]]:
        if coins is None:
            async with self.database.transaction() as connection:
                known = list((await connection.execute(KNOWN, {"venue": self.venue})).scalars())
        else:
            known = sorted(asked_coins(coins))
        return await self._stored(known, _FOREVER, missing_ok=True) if known else {}

    async def newest(self, coins: Sequence[str]) -> dict[str, Quote]:
        async with self.database.look() as connection:
            rows = await connection.execute(_NEWEST, {"coins": list(asked_coins(coins)), "venue": self.venue})
            return {row.coin: Quote(row.coin, *map(from_grid, (row.bid, row.ask, row.last))) for row in rows}

    async def count(self, coins: Sequence[str], start: datetime, end: datetime, most: int) -> int:
        asked = asked_coins(coins)
        which: dict[str, Any] = {"venue": self.venue, "start": utc(start), "end": utc(end), "most": max(0, most)}
        which |= {"coin": asked[0]} if len(asked) == 1 else {"coins": list(asked)}
        async with self.database.look() as connection:
            counted = await connection.execute(_COUNT_ONE if len(asked) == 1 else COUNT, which)
            return int(counted.scalar_one())

    async def _append(self, values: dict[str, Any]) -> int:
        async with self.database.transaction() as connection:
            return int((await connection.execute(_APPEND, values)).rowcount)

    async def _make_months(self, first_days: Sequence[Any]) -> None:
        for first_day in first_days:
            async with self.database.transaction() as connection:
                await connection.execute(_MONTH, {"first_day": first_day})

    async def _stored(
        self, coins: Sequence[str], until: datetime, *, missing_ok: bool = False
    ) -> dict[str, tuple[datetime, datetime]]:
        """The first and last stored bar of each coin up to `until`."""
        async with self.database.look() as connection:
            rows = await connection.execute(STORED, {"coins": list(coins), "venue": self.venue, "until": until})
            stored = {row.coin: (row.first, row.last) for row in rows}
        missing = [coin for coin in coins if coin not in stored]
        if missing and not missing_ok:
            raise NotFound(f"no prices of {', '.join(missing)} are stored")
        return stored

    async def _frame(self, coins: tuple[str, ...], start: datetime, end: datetime) -> Frame:
        if end < start:
            return price_rows.frame(coins, [])
        if end - start < _SPLIT:
            return await asyncio.to_thread(price_rows.frame, coins, [await self._copy(coins, start, end)])
        middle = start + (end - start) / 2
        after = middle + timedelta(microseconds=1)
        halves = await asyncio.gather(self._copy(coins, start, middle), self._copy(coins, after, end))
        return await asyncio.to_thread(price_rows.frame, coins, halves)

    async def _copy(self, coins: tuple[str, ...], start: datetime, end: datetime) -> NDArray[Any]:
        # The coins are tickers, letters and digits alone, so they may stand in the statement.
        columns = ", ".join(f"('{coin}', {column}::int2)" for column, coin in enumerate(coins))
        statement = (
            f"SELECT c.i, p.timestamp, p.bid, p.ask, p.last FROM price_data_5min p"  # noqa: S608
            f" JOIN (VALUES {columns}) AS c (coin, i) ON p.coin_type = c.coin"
            f" WHERE p.venue = $1 AND p.timestamp BETWEEN $2 AND $3"
        )
        out = io.BytesIO()
        async with self.database.look() as connection:
            driver = await _driver(connection)
            await driver.copy_from_query(statement, self.venue, start, end, output=out, format="binary")
        return pgcopy.decoded(out.getbuffer())


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """asyncpg's own connection: COPY has no place in SQLAlchemy's interface."""
    return (await connection.get_raw_connection()).driver_connection
