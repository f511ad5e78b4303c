"""Refresh tokens are spent once; a second spending revokes every descendant."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.token import MemoryRefreshStore, RefreshGrant, RefreshStore
from omc.adapters.postgres.refresh import PostgresRefreshTokens
from omc.adapters.postgres.users import PostgresUsers
from omc.errors import Unauthenticated

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def tokens(kind: str, request: pytest.FixtureRequest) -> RefreshStore:
    return PostgresRefreshTokens(request.getfixturevalue("database")) if kind == "postgres" else MemoryRefreshStore()


async def issued(tokens: RefreshStore) -> RefreshGrant:
    user_id = uuid4()
    if isinstance(tokens, PostgresRefreshTokens):
        user_id = (await PostgresUsers(tokens.database).create(f"{uuid4().hex}@example.com", "hash", None)).id
    grant = grant_to(user_id)
    await tokens.issue(grant)
    return grant


def grant_to(user_id: UUID) -> RefreshGrant:
    return RefreshGrant(uuid4().hex, uuid4(), user_id, NOW + timedelta(days=14))


async def test_a_token_buys_one_successor_in_its_family(tokens: RefreshStore):
    first = await issued(tokens)
    second = grant_to(first.user_id)
    assert await tokens.rotate(first.digest, second, NOW) == first.user_id
    assert (await tokens.grant(second.digest)).family == first.family
    assert await tokens.rotate(second.digest, grant_to(first.user_id), NOW) == first.user_id


async def test_a_token_spent_twice_revokes_its_descendants(tokens: RefreshStore):
    first, bystander = await issued(tokens), await issued(tokens)
    second = grant_to(first.user_id)
    await tokens.rotate(first.digest, second, NOW)
    assert not (await tokens.grant(first.digest)).is_over, "it is spent, and its family goes on"
    for spent in (first, second):
        with pytest.raises(Unauthenticated):
            await tokens.rotate(spent.digest, grant_to(first.user_id), NOW)
        assert (await tokens.grant(spent.digest)).is_over
    await tokens.rotate(bystander.digest, grant_to(bystander.user_id), NOW)


async def test_all_families_of_one_user_are_revoked_at_once(tokens: RefreshStore):
    phone, bystander = await issued(tokens), await issued(tokens)
    laptop = grant_to(phone.user_id)
    await tokens.issue(laptop)
    await tokens.revoke_user(phone.user_id)
    for each in (phone, laptop):
        with pytest.raises(Unauthenticated):
            await tokens.rotate(each.digest, grant_to(phone.user_id), NOW)
    await tokens.rotate(bystander.digest, grant_to(bystander.user_id), NOW)


async def test_of_two_that_spend_at_once_at_most_one_gets_in(tokens: RefreshStore):
    first = await issued(tokens)
    successors = [grant_to(first.user_id) for _ in range(2)]
    tried = await asyncio.gather(
        *(tokens.rotate(first.digest, each, NOW) for each in successors), return_exceptions=True
    )
    assert sorted(isinstance(each, Unauthenticated) for each in tried) == [False, True]


async def test_unknown_expired_and_revoked_tokens_are_refused(tokens: RefreshStore):
    grant = await issued(tokens)
    with pytest.raises(Unauthenticated):
        await tokens.rotate("unknown", grant, NOW)
    with pytest.raises(Unauthenticated):
        await tokens.rotate(grant.digest, replace(grant, digest=uuid4().hex), grant.expires_at)
    await tokens.revoke("unknown")
    await tokens.revoke(grant.digest)
    with pytest.raises(Unauthenticated):
        await tokens.rotate(grant.digest, replace(grant, digest=uuid4().hex), NOW)
    assert await tokens.grant("unknown") is None
