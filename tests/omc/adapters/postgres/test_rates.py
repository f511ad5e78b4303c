"""Rates are exact across everybody who asks, whichever replica they ask at."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from omc.access.rate import Charge, MemoryRates, Rate, RateStore
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lane import _LOCK_MS, Astray
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


@dataclass
class Unsteady:
    """A Database that refuses so many questions, and then loses so many answers."""

    database: Database
    refuses: int = 0
    loses: int = 0
    asked: int = 0

    def lane(self, statement: str) -> "Unsteady":
        self.statement = statement
        return self

    async def ask(self, asked: Mapping[str, object]) -> object:
        self.asked += 1
        if self.asked <= self.refuses:
            raise Astray(unsure=False)
        answer = await self.database.lane(self.statement).ask(asked)
        if self.asked <= self.refuses + self.loses:
            raise Astray(unsure=True)
        return answer


@pytest.mark.postgres
async def test_a_request_whose_answer_is_lost_is_not_asked_about_again_and_is_charged_once(database: Database):
    unsteady, ours = Unsteady(database, refuses=1, loses=1), charge()
    with pytest.raises(Unavailable):
        await PostgresRates(unsteady).take([ours])
    assert unsteady.asked == 2
    assert (await PostgresRates(database).take([ours])).tightest.remaining == HOURLY.burst - 2


@pytest.mark.postgres
async def test_a_request_that_was_refused_its_count_is_asked_about_again_and_is_charged_once(database: Database):
    ours = charge()
    assert (await PostgresRates(Unsteady(database, refuses=3)).take([ours])).tightest.remaining == HOURLY.burst - 1
    for_good = Unsteady(database, refuses=1_000)
    with pytest.raises(Unavailable):
        await PostgresRates(for_good).take([ours])
    assert for_good.asked < 10
    assert (await PostgresRates(database).take([ours])).tightest.remaining == HOURLY.burst - 2


@pytest.mark.postgres
async def test_a_key_that_somebody_holds_for_a_while_is_waited_for(database: Database):
    ours = charge()
    await PostgresRates(database).take([ours])
    async with database.transaction() as connection:
        held = text("SELECT FROM request_rates WHERE key = :key FOR UPDATE")
        await connection.execute(held, {"key": ours.key})
        taking = asyncio.create_task(PostgresRates(database).take([ours]))
        await asyncio.wait((taking,), timeout=2 * _LOCK_MS / 1000)
        assert not taking.done()
    assert (await taking).tightest.remaining == HOURLY.burst - 2


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
