"""Nonces rise strictly, whatever the clock says and however many ask."""

import asyncio
from uuid import uuid4

import pytest

from omc.adapters.coinspot.nonce import MemoryNonces, NonceStore
from omc.adapters.postgres.leases import PostgresLeases
from omc.adapters.postgres.nonces import PostgresNonces
from omc.errors import StaleLease
from omc.trading.lease import LeaseStore, MemoryLeaseStore


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
