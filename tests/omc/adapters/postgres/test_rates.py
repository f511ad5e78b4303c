"""Rates are exact across everybody who asks, whichever replica they ask at."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from omc.access.rate import Charge, MemoryRates, Rate, RateStore
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.rates import PostgresRates
from omc.adapters.system_clock import SystemClock
from omc.errors import Unavailable

HOURLY = Rate(1, 3)
"""Nothing of it comes back while a test runs."""


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest) -> RateStore:
    return PostgresRates(request.getfixturevalue("database")) if kind == "postgres" else MemoryRates(SystemClock())


def charge(rate: Rate = HOURLY) -> Charge:
    return Charge(f"test:{uuid4()}", rate)


async def test_a_burst_is_let_in_and_no_more(store: RateStore):
    ours = charge()
    verdicts = [await store.take([ours]) for _ in range(5)]
    assert [each.allowed for each in verdicts] == [True] * 3 + [False] * 2
    assert [each.tightest.remaining for each in verdicts] == [2, 1, 0, 0, 0]
    assert 59_000_000 < verdicts[-1].tightest.wait_us <= 60_000_000


async def test_a_request_that_one_key_has_no_room_for_is_charged_to_none(store: RateStore):
    narrow, wide = charge(Rate(1, 1)), charge()
    assert (await store.take([narrow, wide])).allowed
    for _ in range(5):
        assert not (await store.take([wide, narrow])).allowed
    assert [(await store.take([wide])).allowed for _ in range(3)] == [True, True, False]


async def test_room_comes_back_with_time(store: RateStore):
    ours = charge(Rate(600, 1))
    assert (await store.take([ours])).allowed
    refused = await store.take([ours])
    while not refused.allowed:
        await asyncio.sleep(refused.tightest.wait_us / 1_000_000)
        refused = await store.take([ours])


async def test_many_at_once_are_let_in_up_to_the_burst(store: RateStore):
    one, other, both = charge(Rate(1, 30)), charge(Rate(1, 40)), charge(Rate(1, 50))
    asked = [store.take([key, both]) for _ in range(60) for key in (one, other)]
    verdicts = await asyncio.gather(*asked)
    let_in = [each.standings[0].charge for each in verdicts if each.allowed]
    assert len(let_in) == 50
    assert let_in.count(one) <= 30
    assert let_in.count(other) <= 40


async def test_forgetting_lets_nobody_off(store: RateStore):
    ours = charge()
    for _ in range(4):
        verdict = await store.take([ours])
        await store.forget()
    assert not verdict.allowed


@pytest.mark.postgres
async def test_those_who_have_long_been_quiet_are_forgotten(database: Database):
    store, quiet, loud = PostgresRates(database), charge(), charge()
    await store.take([quiet])
    await store.take([loud])
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE request_rates SET made_up_us = 1 WHERE key = :key"), {"key": quiet.key})
    await store.forget()
    async with database.transaction() as connection:
        kept = (await connection.execute(text("SELECT key FROM request_rates"))).scalars().all()
    assert loud.key in kept
    assert quiet.key not in kept


@pytest.mark.postgres
def test_replicas_that_hammer_one_key_let_in_exactly_what_it_may_ask(database: Database):
    """Each on a connection of its own, and keys in another order, which must not stop them at each other."""
    rate = Rate(6_000, 50)
    account, address = charge(rate), charge(Rate(60_000_000, 1_000))

    def hammer(keys: list[Charge]) -> int:
        async def until_done() -> int:
            mine, let_in = Database(database.dsn_file), 0
            while time.monotonic() < ends:
                verdicts = await asyncio.gather(*(PostgresRates(mine).take(keys) for _ in range(8)))
                let_in += sum(each.allowed for each in verdicts)
            await mine.close()
            return let_in

        return asyncio.run(until_done())

    async def moment() -> int:
        mine = Database(database.dsn_file)
        async with mine.transaction() as connection:
            found = await connection.execute(text("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)"))
            now_us = int(found.scalar_one())
        await mine.close()
        return now_us

    async def made_up() -> int:
        mine = Database(database.dsn_file)
        async with mine.transaction() as connection:
            asked = text("SELECT made_up_us FROM request_rates WHERE key = :key")
            found = int((await connection.execute(asked, {"key": account.key})).scalar_one())
        await mine.close()
        return found

    began_us = asyncio.run(moment())
    ends = time.monotonic() + 2.0
    with ThreadPoolExecutor(3) as replicas:
        let_in = sum(replicas.map(hammer, ([account, address], [address, account], [account])))
    ended_us = asyncio.run(moment())
    # What the burst and the time allow, and the database has counted each of them.
    assert rate.burst < let_in <= rate.burst + (ended_us - began_us) // rate.every_us
    assert began_us <= asyncio.run(made_up()) - let_in * rate.every_us <= ended_us


@pytest.mark.postgres
async def test_a_database_that_is_away_is_unavailable(tmp_path: Path):
    away = tmp_path / "away.dsn"
    away.write_text("postgresql://omc:x@127.0.0.1:1/omc")
    database = Database(away)
    with pytest.raises(Unavailable):
        await PostgresRates(database).take([charge()])
    await database.close()
