"""A code is taken once wherever it is shown, guesses are counted before they are looked at, secrets stay sealed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.second_factor import FREE_TRIES, RECOVERY_CODES, code_of, secret_bytes, step_of
from omc.access.second_factor_store import MemorySecondFactorStore, SecondFactorStore
from omc.access.second_factors import SecondFactors
from omc.access.vault import MemoryVault
from omc.adapters.postgres.second_factors import PostgresSecondFactors
from omc.adapters.postgres.users import PostgresUsers
from omc.clock import ManualClock
from omc.errors import Conflict, NotFound, RateLimited, SecondFactorNeeded, SecondFactorWrong

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest) -> SecondFactorStore:
    if kind == "postgres":
        return PostgresSecondFactors(request.getfixturevalue("database"))
    return MemorySecondFactorStore()


@pytest.fixture
def factors(store: SecondFactorStore, clock: ManualClock) -> SecondFactors:
    return SecondFactors(store, MemoryVault(), clock)


@pytest.fixture
async def me(store: SecondFactorStore) -> UUID:
    if isinstance(store, PostgresSecondFactors):
        return (await PostgresUsers(store.database).create(f"{uuid4().hex}@example.com", "hash", None)).id
    return uuid4()


def code_at(secret: str, now: datetime) -> str:
    return code_of(secret_bytes(secret), step_of(now))


async def on(factors: SecondFactors, me: UUID, clock: ManualClock) -> tuple[str, list[str]]:
    """One that is on: its secret, and its recovery codes."""
    secret = await factors.begin(me)
    codes = list(await factors.confirm(me, code_at(secret, clock.now())))
    clock.advance(timedelta(seconds=30))
    return secret, codes


async def test_nothing_is_asked_for_until_it_is_confirmed(factors, me, clock):
    await factors.demand(me, None)
    secret = await factors.begin(me)
    await factors.demand(me, None)
    with pytest.raises(SecondFactorWrong):
        await factors.confirm(me, "000000" if code_at(secret, clock.now()) != "000000" else "000001")
    assert len(await factors.confirm(me, code_at(secret, clock.now()))) == RECOVERY_CODES
    with pytest.raises(SecondFactorNeeded):
        await factors.demand(me, None)
    with pytest.raises(Conflict):
        await factors.begin(me)


async def test_the_secret_is_stored_sealed(factors, store, me):
    secret = await factors.begin(me)
    found = await store.get(me)
    assert secret not in repr(found)
    assert secret not in found.sealed


async def test_a_code_is_taken_once(factors, me, clock):
    secret, _ = await on(factors, me, clock)
    code = code_at(secret, clock.now())
    await factors.demand(me, code)
    with pytest.raises(SecondFactorWrong, match="used already"):
        await factors.demand(me, code)
    with pytest.raises(SecondFactorWrong, match="used already"):
        await factors.demand(me, code_at(secret, clock.now() - timedelta(seconds=30)))
    clock.advance(timedelta(seconds=30))
    await factors.demand(me, code_at(secret, clock.now()))


async def test_of_two_replicas_that_are_shown_one_code_at_once_one_believes_it(factors, me, clock):
    secret, _ = await on(factors, me, clock)
    code, replica = code_at(secret, clock.now()), replace(factors)
    both = await asyncio.gather(factors.demand(me, code), replica.demand(me, code), return_exceptions=True)
    assert [type(each) for each in both if each is not None] == [SecondFactorWrong]


async def test_a_clock_a_step_off_is_borne(factors, me, clock):
    secret, _ = await on(factors, me, clock)
    clock.advance(timedelta(seconds=60))
    for off in (-30, 30):
        await factors.demand(me, code_at(secret, clock.now() + timedelta(seconds=off)))
    with pytest.raises(SecondFactorWrong):
        await factors.demand(me, code_at(secret, clock.now() + timedelta(seconds=300)))


async def test_guesses_are_counted_however_many_are_made_at_once(factors, me, clock):
    secret, _ = await on(factors, me, clock)
    guesses = await asyncio.gather(*(factors.demand(me, "nonsense") for _ in range(12)), return_exceptions=True)
    assert [type(each) for each in guesses].count(SecondFactorWrong) == FREE_TRIES
    assert [type(each) for each in guesses].count(RateLimited) == 12 - FREE_TRIES
    with pytest.raises(RateLimited):
        await factors.demand(me, code_at(secret, clock.now()))
    clock.advance(timedelta(seconds=30))
    with pytest.raises(SecondFactorWrong):
        await factors.demand(me, "nonsense")
    clock.advance(timedelta(seconds=30))
    with pytest.raises(RateLimited, match="wait 30 seconds"):
        await factors.demand(me, code_at(secret, clock.now()))
    clock.advance(timedelta(seconds=30))
    await factors.demand(me, code_at(secret, clock.now()))
    with pytest.raises(SecondFactorWrong):
        await factors.demand(me, "nonsense")


async def test_it_goes_off_by_a_code_or_by_a_recovery_code_once(factors, store, me, clock):
    secret, codes = await on(factors, me, clock)
    for wrong in ("aaaa-bbbb-cccc-dddd", "12345"):
        with pytest.raises(SecondFactorWrong):
            await factors.switch_off(me, wrong)
    assert await store.left(await store.get(me)) == RECOVERY_CODES
    await factors.switch_off(me, codes[3].upper())
    await factors.demand(me, None)
    with pytest.raises(NotFound):
        await factors.switch_off(me, codes[4])
    secret, _ = await on(factors, me, clock)
    await factors.switch_off(me, code_at(secret, clock.now()))
    assert await store.get(me) is None


async def test_it_is_sealed_anew_under_a_newer_key(factors, store, me, clock):
    secret, _ = await on(factors, me, clock)
    found = await store.get(me)
    assert found in await store.sealed_otherwise("newer")
    assert "memory" in await store.vault_keys()
    factors.vault.sealing = "newer"
    opened = factors.vault.open(found.sealed, found.place)
    assert await store.reseal(replace(found, sealed=factors.vault.seal(opened, found.place)))
    assert me not in {each.user_id for each in await store.sealed_otherwise("newer")}
    await factors.demand(me, code_at(secret, clock.now()))
    assert not await store.reseal(replace(found, id=uuid4()))


async def test_whoever_switches_a_pending_one_off_does_not_take_away_one_that_is_on_by_now(factors, store, me, clock):
    secret = await factors.begin(me)
    pending = await store.get(me)
    await factors.confirm(me, code_at(secret, clock.now()))
    assert not await store.remove(pending)
    with pytest.raises(SecondFactorNeeded):
        await factors.demand(me, None)


async def test_it_is_reset_without_a_code(factors, store, me, clock):
    await on(factors, me, clock)
    await factors.reset(me)
    await factors.demand(me, None)
    with pytest.raises(NotFound):
        await factors.reset(me)


async def test_how_long_nobody_is_listened_to_is_known(factors, me, clock):
    assert await factors.closed_for(me) == timedelta(0)
    secret, _ = await on(factors, me, clock)
    for _ in range(FREE_TRIES):
        with pytest.raises(SecondFactorWrong):
            await factors.demand(me, "000000" if code_at(secret, clock.now()) != "000000" else "000001")
    assert await factors.closed_for(me) == timedelta(seconds=30)
    clock.advance(timedelta(seconds=31))
    assert await factors.closed_for(me) == timedelta(0)
