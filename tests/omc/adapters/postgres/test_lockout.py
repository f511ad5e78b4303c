"""Attempts are counted before they are made, once each, whoever counts."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from omc.access.lockout import KNOWN_FOR, Admitted, Attempt, Blocked, LockoutStore, MemoryLockoutStore, Place
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lockout import PostgresLockout
from tests.omc.adapters.postgres.house import NOON

FREE = Place.ACCOUNT.backoff.free


@pytest.fixture
def lockout(kind: str, request: pytest.FixtureRequest) -> LockoutStore:
    return PostgresLockout(request.getfixturevalue("database")) if kind == "postgres" else MemoryLockoutStore()


def attempt(who: str | None = None, address: str | None = None) -> Attempt:
    return Attempt.at("login", who or uuid4().hex, address or uuid4().hex)


async def admitted(lockout: LockoutStore, tried: Attempt, now=NOON) -> Admitted:
    told = await lockout.begin(tried, now)
    assert isinstance(told, Admitted), told
    return told


async def fail(lockout: LockoutStore, who: str, times: int) -> None:
    """From as many addresses, as fast as they are let."""
    now = NOON
    for _ in range(times):
        while isinstance(told := await lockout.begin(attempt(who), now), Blocked):
            now += told.left


async def test_an_account_that_is_guessed_at_has_to_wait_and_longer_each_time(lockout):
    who, now, waits = uuid4().hex, NOON, []
    for _ in range(FREE + 3):
        told = await lockout.begin(attempt(who), now)
        if isinstance(told, Blocked):
            waits.append(told.left)
            now += told.left
            await admitted(lockout, attempt(who), now)
    assert waits == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]


async def test_what_has_to_wait_is_not_counted(lockout):
    who = uuid4().hex
    await fail(lockout, who, FREE)
    for _ in range(20):
        assert await lockout.begin(attempt(who), NOON) == Blocked(timedelta(seconds=2))
    await admitted(lockout, attempt(who), NOON + timedelta(seconds=2))


async def test_a_success_clears_the_account(lockout):
    tried = attempt()
    for _ in range(FREE - 1):
        await admitted(lockout, tried)
    await lockout.succeeded(await admitted(lockout, tried), NOON)
    for _ in range(FREE):
        await admitted(lockout, tried)


async def test_strangers_do_not_keep_out_who_came_in_from_an_address_before(lockout):
    owner = attempt()
    await lockout.succeeded(await admitted(lockout, owner), NOON)
    who = uuid4().hex
    owner = Attempt.at("login", who, "203.0.113.7")
    await lockout.succeeded(await admitted(lockout, owner), NOON)
    await fail(lockout, who, FREE + 10)
    assert isinstance(await lockout.begin(attempt(who), NOON + timedelta(minutes=5)), Blocked)
    assert (await admitted(lockout, owner)).known
    long_after = NOON + KNOWN_FOR
    assert not (await admitted(lockout, owner, long_after)).known


async def test_known_addresses_have_to_wait_as_well(lockout):
    owner = attempt()
    await lockout.succeeded(await admitted(lockout, owner), NOON)
    for _ in range(FREE):
        await admitted(lockout, owner)
    assert isinstance(await lockout.begin(owner, NOON), Blocked)


async def test_an_address_that_guesses_at_many_accounts_has_to_wait(lockout):
    address = uuid4().hex
    for _ in range(Place.ADDRESS.backoff.free):
        await admitted(lockout, attempt(address=address))
    assert isinstance(await lockout.begin(attempt(address=address), NOON), Blocked)
    await admitted(lockout, attempt())


async def test_coming_in_to_an_account_of_ones_own_clears_no_address(lockout):
    address = uuid4().hex
    for _ in range(Place.ADDRESS.backoff.free - 1):
        await admitted(lockout, attempt(address=address))
        await lockout.succeeded(await admitted(lockout, attempt(address=address)), NOON)
    await admitted(lockout, attempt(address=address))
    assert isinstance(await lockout.begin(attempt(address=address), NOON), Blocked)


async def test_of_many_at_once_no_more_are_let_in_than_one_after_the_other(lockout):
    who = uuid4().hex
    told = await asyncio.gather(*(lockout.begin(attempt(who), NOON) for _ in range(4 * FREE)))
    assert sum(isinstance(each, Admitted) for each in told) == FREE


@pytest.mark.postgres
async def test_two_replicas_count_as_one(database: Database):
    who, address = uuid4().hex, uuid4().hex
    replicas = [PostgresLockout(Database(database.dsn_file)) for _ in range(2)]
    told = await asyncio.gather(*(each.begin(attempt(who, address), NOON) for each in replicas * (2 * FREE)))
    assert sum(isinstance(each, Admitted) for each in told) == FREE


@pytest.mark.postgres
async def test_what_is_forgotten_takes_no_room(fresh_database: Database):
    lockout = PostgresLockout(fresh_database)
    for _ in range(4):
        await lockout.succeeded(await admitted(lockout, attempt()), NOON)
        await admitted(lockout, attempt())
    later = NOON + timedelta(days=400)
    for _ in range(3):
        await lockout.succeeded(await admitted(lockout, attempt(), later), later)
    async with fresh_database.transaction() as connection:
        for table in ("login_attempts", "login_addresses"):
            old = await connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE last_at <= '{NOON}'")
            assert old.scalar_one() == 0
