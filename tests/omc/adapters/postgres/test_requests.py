"""Requests with a key: whoever comes first carries them out, everybody else gets what was answered."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from omc.access.once import HELD_FOR, KEPT_FOR, Answer, Claim, MemoryRequests, RequestStore
from omc.adapters.postgres import operations
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.requests import PostgresRequests
from omc.clock import ManualClock
from omc.errors import Conflict, NotFound
from tests.omc.adapters.postgres.house import House

FIRST, OTHER = b"one request", b"another"
SAID = Answer(201, b'{"status": "success"}', "application/json", "/somewhere")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2025, 6, 10, 12, tzinfo=UTC))


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, clock: ManualClock) -> RequestStore:
    return PostgresRequests(request.getfixturevalue("database")) if kind == "postgres" else MemoryRequests(clock)


@pytest.fixture
async def owner(house: House) -> UUID:
    return await house.user()


@pytest.fixture
def later(kind: str, request: pytest.FixtureRequest, clock: ManualClock, owner: UUID):
    """`await later(by)` is that much later for the owner's requests."""

    async def pass_by(by) -> None:
        clock.advance(by)
        if kind == "postgres":
            async with request.getfixturevalue("database").transaction() as connection:
                moved = "UPDATE keyed_requests SET held_until = held_until - CAST(:by AS interval)"
                moved += ", began_at = began_at - CAST(:by AS interval)"
                await connection.execute(text(f"{moved} WHERE user_id = :owner"), {"by": by, "owner": owner})

    return pass_by


async def test_of_many_at_once_one_carries_it_out(store: RequestStore, owner: UUID) -> None:
    got = await asyncio.gather(*(store.claim(owner, "k", FIRST) for _ in range(6)))
    assert [each for each in got if each is not None] == [got[[each is not None for each in got].index(True)]]
    (claim,) = [each for each in got if each is not None]
    assert isinstance(claim, Claim)
    assert claim.run == 1


async def test_what_was_answered_is_answered_again(store: RequestStore, owner: UUID) -> None:
    claim = await store.claim(owner, "k", FIRST)
    assert await store.answer(claim, SAID) == SAID
    assert await store.claim(owner, "k", FIRST) == SAID
    assert await store.answer(claim, replace(SAID, body=b"other")) == SAID


async def test_a_key_is_for_one_request_of_one_owner(store: RequestStore, owner: UUID, house: House) -> None:
    claim = await store.claim(owner, "k", FIRST)
    for _ in range(2):
        with pytest.raises(Conflict, match="Idempotency-Key"):
            await store.claim(owner, "k", OTHER)
        await store.answer(claim, SAID)
    stranger = await house.user()
    assert isinstance(await store.claim(stranger, "k", OTHER), Claim)


async def test_a_claim_that_is_not_renewed_is_taken_over_as_the_same_operation(
    store: RequestStore, owner: UUID, later
) -> None:
    first = await store.claim(owner, "k", FIRST)
    await later(HELD_FOR / 2)
    await store.renew(first)
    await later(HELD_FOR * 0.75)
    assert await store.claim(owner, "k", FIRST) is None
    await later(HELD_FOR)
    second = await store.claim(owner, "k", FIRST)
    assert (second.operation, second.run) == (first.operation, 2)
    # Whoever was given up on holds nothing any more, and yet its answer, if it comes first, is the answer.
    await store.let_go(first)
    await store.forget(first)
    assert await store.claim(owner, "k", FIRST) is None
    assert await store.answer(first, SAID) == SAID
    assert await store.answer(second, replace(SAID, status=200)) == SAID


async def test_what_is_let_go_is_carried_out_again_and_what_is_forgotten_is_free(
    store: RequestStore, owner: UUID
) -> None:
    first = await store.claim(owner, "k", FIRST)
    await store.let_go(first)
    again = await store.claim(owner, "k", FIRST)
    assert (again.operation, again.run) == (first.operation, 2)
    await store.forget(again)
    with pytest.raises(Conflict):
        await store.claim(owner, "k", OTHER)
    await store.forget(await store.claim(owner, "free", FIRST))
    assert (await store.claim(owner, "free", OTHER)).run == 1


async def test_an_answer_is_kept_for_days_and_not_for_ever(store: RequestStore, owner: UUID, later) -> None:
    await store.answer(await store.claim(owner, "k", FIRST), SAID)
    await later(KEPT_FOR * 0.9)
    assert await store.claim(owner, "k", FIRST) == SAID
    await later(KEPT_FOR * 0.2)
    await store.claim(owner, "another", FIRST)
    assert isinstance(await store.claim(owner, "k", FIRST), Claim)


@pytest.mark.postgres
async def test_nobodys_request_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        await PostgresRequests(database).claim(uuid4(), "k", FIRST)


@pytest.mark.postgres
async def test_an_operation_is_done_when_its_transaction_is(database: Database) -> None:
    operation = uuid4()

    async def fails() -> None:
        async with database.transaction() as connection:
            assert await operations.first(connection, operation)
            raise NotFound("what it was about")

    with pytest.raises(NotFound):
        await fails()
    for first in (True, False):
        async with database.transaction() as connection:
            assert await operations.first(connection, operation) is first
            assert await operations.first(connection, None)
