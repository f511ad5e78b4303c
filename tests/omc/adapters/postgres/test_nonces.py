"""Nonces rise strictly, whatever the clock says and however many ask."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from omc.adapters.coinspot.nonce import MemoryNonces, NonceStore
from omc.adapters.postgres import nonces as stores
from omc.adapters.postgres.database import Database, connect
from omc.adapters.postgres.leases import PostgresLeases
from omc.adapters.postgres.nonces import PostgresNonces
from omc.errors import Halted, StaleLease
from omc.trading.deployment import Mode
from omc.trading.lease import LeaseStore, MemoryLeaseStore
from tests.omc.adapters.postgres.house import NOON, in_postgres, intent

LATER, LONG_AGO_MS = NOON + timedelta(minutes=5), 1_000_000


async def stored(database: Database, account: str) -> int:
    connection = await connect(database.dsn_file)
    try:
        return await connection.fetchval("SELECT nonce FROM venue_nonces WHERE account = $1", account)
    finally:
        await connection.close()


@pytest.fixture
def leases(kind: str, request: pytest.FixtureRequest) -> LeaseStore:
    return PostgresLeases(request.getfixturevalue("database")) if kind == "postgres" else MemoryLeaseStore()


@pytest.fixture
def nonces(kind: str, leases: LeaseStore, request: pytest.FixtureRequest) -> NonceStore:
    return PostgresNonces(request.getfixturevalue("database")) if kind == "postgres" else MemoryNonces(leases=leases)


async def test_a_sender_that_was_replaced_gets_no_nonce(nonces: NonceStore, leases: LeaseStore):
    account, desk = uuid4().hex, f"risk:{uuid4().hex}"
    lease = await leases.take(desk, "us")
    assert await nonces.next(account, 10, lease) == 10
    successor = await leases.take(desk, "another")
    with pytest.raises(StaleLease):
        await nonces.next(account, 20, lease)
    assert await nonces.next(account, 1, successor) == 11


async def test_a_nonce_is_the_time_or_one_more_than_the_last(nonces: NonceStore):
    account = uuid4().hex
    asked = [1_700_000_000_000, 1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_500]
    given = [await nonces.next(account, now_ms) for now_ms in asked]
    assert given == [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_002, 1_700_000_000_500]
    assert await nonces.next(uuid4().hex, 7) == 7


async def test_many_at_once_get_different_nonces(nonces: NonceStore):
    account = uuid4().hex
    given = await asyncio.gather(*(nonces.next(account, 1000) for _ in range(10)))
    assert sorted(given) == list(range(1000, 1010))


@pytest.mark.postgres
@pytest.mark.parametrize("mode", list(Mode))
async def test_an_order_has_the_number_that_was_drawn_when_it_was_written_ahead(database, mode: Mode):
    house, nonces = in_postgres(database), PostgresNonces(database)
    deployment = await house.deployed(mode=mode)
    pair, orders = await house.taken(deployment), [intent(deployment, quoted_at=each) for each in (NOON, LATER)]
    first = await nonces.next(deployment.account, LONG_AGO_MS, pair[1])
    for order in orders:
        await house.blotter.submitting(await house.blotter.begin(order), *pair)
        assert await stored(database, deployment.account) > first + 1
        drawn = await stored(database, deployment.account)
        assert await nonces.next(deployment.account, 1, pair[1]) == drawn
        assert await nonces.next(deployment.account, 1, pair[1]) == drawn + 1
        first = drawn


@pytest.mark.postgres
async def test_a_number_from_the_write_ahead_goes_to_its_sender_only_and_never_after_a_later_one(database):
    house, nonces = in_postgres(database), PostgresNonces(database)
    deployment = await house.deployed()
    account, pair = deployment.account, await house.taken(deployment)
    await nonces.next(account, LONG_AGO_MS)

    async def written_ahead(minutes: int) -> int:
        order = intent(deployment, quoted_at=NOON + timedelta(minutes=minutes))
        await house.blotter.submitting(await house.blotter.begin(order), *pair)
        return await stored(database, account)

    drawn = await written_ahead(0)
    assert await nonces.next(account, 1) == drawn + 1
    assert await nonces.next(account, 1, pair[1]) == drawn + 2
    drawn = await written_ahead(5)
    with pytest.raises(StaleLease):
        await nonces.next(account, 1, replace(pair[1], epoch=pair[1].epoch + 1))
    assert await nonces.next(account, 1, pair[1]) == drawn + 1
    # A number that is drawn while another is on its way.
    asked = asyncio.create_task(nonces.next(account, 1))
    await asyncio.sleep(0)
    await written_ahead(10)
    assert await asked != await nonces.next(account, 1, pair[1])


@pytest.mark.postgres
async def test_a_number_from_the_write_ahead_is_not_kept_for_long(database, monkeypatch):
    monkeypatch.setattr(stores, "_FRESH_S", 0.0)
    house, nonces = in_postgres(database), PostgresNonces(database)
    deployment = await house.deployed()
    pair = await house.taken(deployment)
    await nonces.next(deployment.account, LONG_AGO_MS)
    await house.blotter.submitting(await house.blotter.begin(intent(deployment)), *pair)
    drawn = await stored(database, deployment.account)
    assert await nonces.next(deployment.account, 1, pair[1]) == drawn + 1


@pytest.mark.postgres
async def test_nothing_is_drawn_for_an_account_that_has_no_number_or_whose_order_is_not_sent(database):
    house, nonces = in_postgres(database), PostgresNonces(database)
    paper, halted = await house.deployed(), await house.deployed()
    pairs = [await house.taken(each) for each in (paper, halted)]
    await house.blotter.submitting(await house.blotter.begin(intent(paper)), *pairs[0])
    assert await stored(database, paper.account) is None
    assert await nonces.next(paper.account, 7, pairs[0][1]) == 7
    await nonces.next(halted.account, 7, pairs[1][1])
    order = await house.blotter.begin(intent(halted))
    await house.kill_switch.trip(halted.user_id, "a test")
    with pytest.raises(Halted):
        await house.blotter.submitting(order, *pairs[1])
    assert await stored(database, halted.account) == 7


@pytest.mark.postgres
async def test_of_two_orders_of_one_account_at_once_each_has_a_number_of_its_own(database):
    house, nonces = in_postgres(database), PostgresNonces(database)
    owner = await house.user()
    deployments = [await house.deployed(owner, mode=Mode.LIVE, name=name) for name in ("one", "two")]
    account = deployments[0].account
    assert account == deployments[1].account
    pairs = [await house.taken(each) for each in deployments]
    await nonces.next(account, LONG_AGO_MS)
    orders = [await house.blotter.begin(intent(each)) for each in deployments]
    sent = zip(orders, pairs, strict=True)
    await asyncio.gather(*(house.blotter.submitting(order, *pair) for order, pair in sent))
    given = [await nonces.next(account, 1, pair[1]) for pair in pairs]
    assert len(set(given)) == 2
    assert max(given) == await stored(database, account)
