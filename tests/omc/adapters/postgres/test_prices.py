"""The price archive's promises, which PostgreSQL and the twin in memory keep alike."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from omc.adapters.postgres import dsn, prices
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.prices import PostgresPrices
from omc.errors import InvalidInput, NotFound
from omc.feature.frame import Frame, as_datetime64
from omc.ledger.exchange import BAR, Coverage, MemoryPriceArchive, PriceArchive
from omc.market.quote import Quote, QuoteBoard

NAN = np.nan
START = datetime(2025, 1, 31, 23, 50, tzinfo=UTC)


@pytest.fixture
def archive(kind: str, request: pytest.FixtureRequest) -> PriceArchive:
    if kind == "memory":
        return MemoryPriceArchive()
    return PostgresPrices(request.getfixturevalue("database"), venue=uuid4().hex[:20])


def board(time: datetime, **last: str) -> QuoteBoard:
    quotes = {c: Quote(c, Decimal(p), Decimal(p) + Decimal("0.00000001"), Decimal(p)) for c, p in last.items()}
    return QuoteBoard(time, quotes)


def frame(start: datetime, **bids: list[float]) -> Frame:
    """Bars from `start` on; asks are one above and last prices half a dollar."""
    bid = np.array(list(bids.values())).T.reshape(-1, len(bids))
    times = as_datetime64(start) + np.arange(len(bid)) * np.timedelta64(300, "s")
    return Frame(times, tuple(bids), bid, bid + 1, bid + 0.5)


def assert_same(left: Frame, right: Frame) -> None:
    assert left.coins == right.coins
    for name in ("times", "bid", "ask", "last"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


async def test_a_board_is_stored_once_and_comes_back_exactly(archive: PriceArchive):
    seen = board(START, BTC="98765.12345678", SHIB="0.00000001")
    assert await archive.append(seen) == 2
    assert await archive.append(seen) == 0
    assert await archive.append(board(START, BTC="1", ETH="3000")) == 1
    stored = await archive.read(["SHIB", "BTC"], START, START)
    assert stored.bid.tolist() == [[0.00000001, 98765.12345678]]
    assert stored.ask.tolist() == [[0.00000002, 98765.12345679]]
    assert stored.time(0) == START
    assert await archive.append(QuoteBoard(START, {})) == 0


async def test_a_history_comes_back_with_its_holes(archive: PriceArchive):
    history = frame(START, BTC=[1.0, NAN, 3.0, NAN], ETH=[NAN, NAN, 0.1 + 0.2, 4.0], XRP=[NAN] * 4)
    assert await archive.load(history) == 4
    assert await archive.load(history) == 0
    stored = await archive.read(["BTC", "ETH"], START, START + 3 * BAR)
    assert_same(
        stored,
        Frame(
            history.times[[0, 2, 3]],
            ("BTC", "ETH"),
            *(getattr(history, name)[[0, 2, 3]][:, :2] for name in ("bid", "ask", "last")),
        ),
    )
    with pytest.raises(NotFound, match="XRP"):
        await archive.read(["BTC", "XRP"], START, START)


async def test_only_what_is_missing_is_added_to_a_history(archive: PriceArchive):
    await archive.append(board(START + BAR, BTC="50"))
    assert await archive.load(frame(START, BTC=[1.0, 2.0, 3.0])) == 2
    stored = await archive.read(["BTC"], START, START + 2 * BAR)
    assert stored.bid[:, 0].tolist() == [1.0, 50.0, 3.0]


async def test_reading_is_bounded_on_both_sides_and_keeps_the_order_of_the_coins(archive: PriceArchive):
    await archive.load(frame(START, BTC=[1.0, 2.0, 3.0, 4.0], ETH=[5.0, 6.0, 7.0, 8.0]))
    stored = await archive.read(["ETH", "BTC"], START + BAR, START + 2 * BAR)
    assert stored.bid.tolist() == [[6.0, 2.0], [7.0, 3.0]]
    empty = await archive.read(["BTC"], START + 10 * BAR, START + 20 * BAR)
    assert (len(empty), empty.bid.shape) == (0, (0, 1))
    assert len(await archive.read(["BTC"], START + BAR, START)) == 0
    one_silent = await archive.read(["BTC", "ETH"], START + timedelta(seconds=1), START + BAR)
    assert len(one_silent) == 1


async def test_unaligned_and_far_apart_times_keep_their_rows(archive: PriceArchive):
    times = [START, START + timedelta(seconds=7), START + timedelta(days=3), START + timedelta(days=400)]
    for n, time in enumerate(times):
        await archive.append(board(time, BTC=str(n + 1)))
    stored = await archive.read(["BTC"], times[0], times[-1])
    assert [stored.time(row) for row in range(len(stored))] == times
    assert stored.bid[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


async def test_the_tail_is_the_last_bars_however_far_back_they_lie(archive: PriceArchive):
    await archive.load(frame(START, BTC=[1.0, 2.0, 3.0], ETH=[NAN, 9.0, NAN]))
    far = START + timedelta(days=200)
    await archive.append(board(far, BTC="4"))
    late = await archive.tail(["BTC"], far + timedelta(days=500), 2)
    assert late.bid[:, 0].tolist() == [3.0, 4.0]
    early = await archive.tail(["BTC", "ETH"], START + 2 * BAR, 2)
    assert early.bid[:, 0].tolist() == [2.0, 3.0]
    assert len(await archive.tail(["BTC"], far, 99)) == 4
    assert len(await archive.tail(["BTC"], START - BAR, 5)) == 0
    assert len(await archive.tail(["BTC"], far, 0)) == 0
    with pytest.raises(NotFound, match="DOGE"):
        await archive.tail(["BTC", "DOGE"], far, 1)


async def test_coverage_says_what_is_stored_of_each_coin(archive: PriceArchive):
    assert await archive.coverage() == []
    await archive.load(frame(START, ETH=[1.0, 2.0], BTC=[NAN, 2.0]))
    assert await archive.coverage() == [
        Coverage("BTC", START + BAR, START + BAR, 1),
        Coverage("ETH", START, START + BAR, 2),
    ]


async def test_spans_say_from_when_to_when_each_coin_is_stored(archive: PriceArchive):
    assert await archive.spans() == {}
    assert await archive.spans(["BTC"]) == {}
    await archive.load(frame(START, ETH=[1.0, 2.0], BTC=[NAN, 2.0]))
    later = START + timedelta(days=400)
    await archive.append(board(later, ETH="4", ADA="1"))
    every = {"ADA": (later, later), "BTC": (START + BAR, START + BAR), "ETH": (START, later)}
    assert list((await archive.spans()).items()) == list(every.items())
    assert await archive.spans(["ETH", "DOGE"]) == {"ETH": every["ETH"]}


async def test_the_newest_quote_of_each_coin_is_known_at_once(archive: PriceArchive):
    await archive.load(frame(START, BTC=[1.0, 2.0, 3.0], ETH=[5.0, 6.0, NAN]))
    newest = await archive.newest(["BTC", "ETH", "XRP"])
    assert newest == {
        "BTC": Quote("BTC", Decimal(3), Decimal(4), Decimal("3.5")),
        "ETH": Quote("ETH", Decimal(6), Decimal(7), Decimal("6.5")),
    }


async def test_rows_of_a_window_are_counted_as_far_as_asked(archive: PriceArchive):
    await archive.load(frame(START, ETH=[1.0, 2.0, NAN, 4.0], BTC=[NAN, 2.0, 3.0, 4.0]))
    end = START + 3 * BAR

    async def count(*coins: str, start: datetime = START, most: int = 99) -> int:
        return await archive.count(coins, start, end, most)

    assert [await count("ETH"), await count("ETH", "BTC"), await count("BTC", start=START + 2 * BAR)] == [3, 4, 2]
    assert [await count("ETH", "BTC", most=most) for most in (0, 1, 3)] == [0, 1, 3]
    assert [await count("DOGE"), await count("DOGE", "ETH"), await count("ETH", start=end + BAR)] == [0, 3, 0]


@pytest.mark.postgres
async def test_neither_asks_for_more_than_a_few_entries_of_an_index(database: Database):
    archive = PostgresPrices(database, venue=uuid4().hex[:20])
    await archive.load(frame(START, BTC=[1.0] * 3_000, ETH=[2.0] * 3_000))
    async with database.transaction() as connection:
        await connection.exec_driver_sql("ANALYZE price_data_5min")
    for statement, values in (
        (prices.KNOWN, {}),
        (prices.STORED, {"coins": ["BTC", "ETH"], "until": datetime(2099, 1, 1, tzinfo=UTC)}),
        (
            prices.COUNT,
            {"coins": ["BTC", "ETH"], "start": START, "end": START + timedelta(days=20), "most": 2},
        ),
    ):
        async with database.transaction() as connection:
            explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
            found = (await connection.execute(explained, {"venue": archive.venue, **values})).scalar_one()
        assert max(rows_read(found[0]["Plan"])) < 200


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each step of a plan made, and threw away."""
    yield plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    for part in plan.get("Plans", ()):
        yield from rows_read(part)


@pytest.mark.parametrize("bid", [0.0, -1.0, np.inf])
async def test_what_is_no_quote_is_refused_with_its_place_and_nothing_is_stored(archive: PriceArchive, bid: float):
    with pytest.raises(InvalidInput, match=r"ETH at 2025-01-31T23:55:00\+00:00"):
        await archive.load(frame(START, BTC=[1.0, 1.0], ETH=[1.0, bid]))
    assert await archive.coverage() == []


async def test_half_a_quote_is_refused(archive: PriceArchive):
    whole = frame(START, BTC=[1.0])
    with pytest.raises(InvalidInput, match="no quote"):
        await archive.load(Frame(whole.times, whole.coins, whole.bid, whole.ask, whole.last * NAN))
    with pytest.raises(InvalidInput, match="no quote"):
        await archive.load(Frame(whole.times, whole.coins, whole.ask, whole.bid, whole.last))


@pytest.mark.parametrize("coins", [[], ["BTC", "btc"], ["BTC'; DROP TABLE users; --"], ["B'"]])
async def test_coins_that_are_no_tickers_are_refused(archive: PriceArchive, coins: list[str]):
    with pytest.raises(InvalidInput):
        await archive.read(coins, START, START)
    with pytest.raises(InvalidInput):
        await archive.tail(coins, START, 1)


PRICES = st.floats(1e-8, 9e7).map(lambda price: round(price, 8))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ABC"), PRICES), min_size=1, max_size=30))
async def test_any_history_comes_back_as_the_twin_gives_it(kind, request, cells):
    archive = MemoryPriceArchive()
    if kind == "postgres":
        archive = PostgresPrices(request.getfixturevalue("database"), venue=uuid4().hex[:20])
    bids = {coin: [NAN] * 41 for coin in "ABC"}
    for row, coin, price in cells:
        bids[coin][row] = price
    history, twin = frame(START, **bids), MemoryPriceArchive()
    assert await archive.load(history) == await twin.load(history)
    coins = sorted({coin for _, coin, _ in cells})
    window = (coins, START + 3 * BAR, START + 30 * BAR)
    assert_same(await archive.read(*window), await twin.read(*window))
    assert_same(await archive.tail(coins, START + 35 * BAR, 7), await twin.tail(coins, START + 35 * BAR, 7))


@pytest.mark.postgres
async def test_a_long_read_shared_by_two_connections_misses_nothing(database):
    archive = PostgresPrices(database, venue=uuid4().hex[:20])
    rng = np.random.default_rng(7)
    history = frame(datetime(2024, 11, 30, tzinfo=UTC), BTC=rng.uniform(1, 9, 30_000), ETH=rng.uniform(1, 9, 30_000))
    assert await archive.load(history) == 60_000
    assert_same(await archive.read(["BTC", "ETH"], history.time(0), history.time(29_999)), history)


@pytest.mark.postgres
async def test_a_new_month_is_made_by_whoever_writes_into_it_first(fresh_database):
    archive = PostgresPrices(fresh_database)
    months = [datetime(2031, month, 15, tzinfo=UTC) for month in (1, 2, 3)]
    boards = [board(time, BTC=str(n + 1)) for time in months for n in range(4)]
    stored = await asyncio.gather(*(archive.append(each) for each in boards))
    assert sum(stored) == 3
    with psycopg.connect(dsn.read(fresh_database.dsn_file)) as connection:
        query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'price_data_5min'::regclass"
        names = sorted(row[0] for row in connection.execute(query))
    assert names == ["price_data_5min_203101", "price_data_5min_203102", "price_data_5min_203103"]


@pytest.mark.postgres
async def test_writers_of_the_same_bars_in_another_order_never_deadlock(database):
    archive = PostgresPrices(database, venue=uuid4().hex[:20])
    coins = [f"C{n}" for n in range(20)]
    forward = frame(START, **{coin: list(range(1, 101)) for coin in coins})
    stored = await asyncio.gather(
        *(archive.load(each) for _ in range(4) for each in (forward, forward.select(coins[::-1])))
    )
    assert sum(stored) == 2000


@pytest.mark.postgres
async def test_the_table_itself_refuses_what_is_no_quote(database):
    await PostgresPrices(database, venue="x").append(board(START, BTC="1"))
    with psycopg.connect(dsn.read(database.dsn_file), autocommit=True) as connection:
        for values in ("'NaN', 1, 1", "1, 'NaN', 1", "1, 1, 'Infinity'", "2, 1, 1", "0, 1, 1"):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(
                    f"INSERT INTO price_data_5min (timestamp, coin_type, bid, ask, last)"
                    f" VALUES ('2025-01-31', 'BTC', {values})"
                )
