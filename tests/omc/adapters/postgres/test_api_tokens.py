"""API tokens are kept by digest, within a bound, and end with a word of their owner."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from omc.access.api_token import MOST, ApiToken, ApiTokenStore, MemoryApiTokenStore, digest
from omc.access.scope import Scope
from omc.adapters.postgres import dsn
from omc.adapters.postgres.api_tokens import PostgresApiTokens
from omc.adapters.postgres.closing import PostgresClosing
from omc.adapters.postgres.users import PostgresUsers
from omc.errors import Conflict, NotFound

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def tokens(kind: str, request: pytest.FixtureRequest) -> ApiTokenStore:
    return PostgresApiTokens(request.getfixturevalue("database")) if kind == "postgres" else MemoryApiTokenStore()


async def somebody(tokens: ApiTokenStore) -> UUID:
    if isinstance(tokens, PostgresApiTokens):
        return (await PostgresUsers(tokens.database).create(f"{uuid4().hex}@example.com", "hash", None)).id
    return uuid4()


def token(user_id: UUID, *scopes: Scope, at: datetime = NOW) -> ApiToken:
    given = frozenset(scopes or {Scope.READ})
    return ApiToken(uuid4(), user_id, "a program", given, digest(uuid4().hex), at, at + timedelta(days=90))


async def test_a_token_is_found_as_it_was_made_until_it_is_revoked(tokens: ApiTokenStore):
    user_id = await somebody(tokens)
    made, newer = token(user_id, Scope.LAB, Scope.TRADE), token(user_id, at=NOW + timedelta(days=1))
    for each in (made, newer):
        await tokens.add(each)
    assert await tokens.find(made.id) == made
    assert await tokens.of(user_id) == [newer, made]
    await tokens.revoke(user_id, made.id)
    assert await tokens.find(made.id) is None
    assert await tokens.of(user_id) == [newer]
    with pytest.raises(NotFound):
        await tokens.revoke(user_id, made.id)


async def test_nobody_revokes_or_lists_anothers(tokens: ApiTokenStore):
    owner, other = await somebody(tokens), await somebody(tokens)
    made = token(owner)
    await tokens.add(made)
    with pytest.raises(NotFound):
        await tokens.revoke(other, made.id)
    assert await tokens.of(other) == []
    assert await tokens.find(made.id) == made


async def test_an_account_has_so_many_and_no_more_however_many_are_made_at_once(tokens: ApiTokenStore):
    user_id = await somebody(tokens)
    for _ in range(MOST - 2):
        await tokens.add(token(user_id))
    made = await asyncio.gather(*(tokens.add(token(user_id)) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in made if each] == [Conflict] * 3
    assert len(await tokens.of(user_id)) == MOST


async def test_a_closed_account_is_given_none_that_would_hold_once_it_is_let_in_again(tokens: ApiTokenStore):
    user_id = await somebody(tokens)
    if isinstance(tokens, PostgresApiTokens):
        await PostgresClosing(tokens.database).shut_out(user_id, NOW)
    else:
        tokens.closed.add(user_id)
    with pytest.raises(NotFound):
        await tokens.add(token(user_id))
    assert await tokens.of(user_id) == []


async def test_use_is_written_once_a_minute(tokens: ApiTokenStore):
    made = token(await somebody(tokens))
    await tokens.add(made)
    written = []
    for seconds in (1, 30, 60, 61, 100, 121):
        await tokens.note_use(made.id, NOW + timedelta(seconds=seconds))
        found = await tokens.find(made.id)
        assert found is not None
        assert found.last_used_at is not None
        written.append((found.last_used_at - NOW).seconds)
    assert written == [1, 1, 1, 61, 61, 121]


async def test_tokens_of_a_closed_account_are_not_found(tokens: ApiTokenStore):
    made = token(await somebody(tokens))
    await tokens.add(made)
    if isinstance(tokens, PostgresApiTokens):
        with psycopg.connect(dsn.read(tokens.database.dsn_file)) as connection:
            connection.execute("UPDATE users SET is_active = false WHERE id = %s", (made.user_id,))
    elif isinstance(tokens, MemoryApiTokenStore):
        tokens.closed.add(made.user_id)
    assert await tokens.find(made.id) is None
