"""A refresh token buys one successor, and a copy of it buys nothing."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from omc.access.token import REFRESH_LIFE, MemoryRefreshStore, RefreshGrant, digest
from omc.errors import Unauthenticated

NOW = datetime(2025, 6, 1, tzinfo=UTC)
USER = uuid4()


def grant(token: str, family: UUID | None = None, user_id: UUID = USER) -> RefreshGrant:
    return RefreshGrant(digest(token), family or uuid4(), user_id, NOW + REFRESH_LIFE)


async def test_a_token_buys_a_successor_in_its_own_family_for_its_own_user():
    store = MemoryRefreshStore()
    first = grant("first")
    await store.issue(first)
    assert await store.rotate(first.digest, grant("second", user_id=uuid4()), NOW) == USER
    assert (await store.grant(digest("second"))).family == first.family
    assert await store.rotate(digest("second"), grant("third"), NOW) == USER


async def test_a_token_used_again_revokes_everything_that_descends_from_it():
    store = MemoryRefreshStore()
    await store.issue(grant("first"))
    await store.rotate(digest("first"), grant("second"), NOW)
    with pytest.raises(Unauthenticated):
        await store.rotate(digest("first"), grant("stolen"), NOW)
    with pytest.raises(Unauthenticated):
        await store.rotate(digest("second"), grant("third"), NOW)


async def test_another_family_of_the_same_user_is_left_alone():
    store = MemoryRefreshStore()
    await store.issue(grant("phone"))
    await store.issue(grant("laptop"))
    await store.revoke(digest("phone"))
    assert await store.rotate(digest("laptop"), grant("laptop again"), NOW) == USER


async def test_all_families_of_one_user_can_be_revoked_at_once():
    store = MemoryRefreshStore()
    somebody_else = uuid4()
    for token, user_id in (("phone", USER), ("laptop", USER), ("theirs", somebody_else)):
        await store.issue(grant(token, user_id=user_id))
    await store.revoke_user(USER)
    for token in ("phone", "laptop"):
        with pytest.raises(Unauthenticated):
            await store.rotate(digest(token), grant("next"), NOW)
    assert await store.rotate(digest("theirs"), grant("next"), NOW) == somebody_else


async def test_an_expired_unknown_or_revoked_token_buys_nothing():
    store = MemoryRefreshStore()
    await store.issue(grant("old"))
    with pytest.raises(Unauthenticated):
        await store.rotate(digest("old"), grant("next"), NOW + REFRESH_LIFE)
    with pytest.raises(Unauthenticated):
        await store.rotate(digest("never issued"), grant("next"), NOW)
    await store.revoke(digest("never issued"))
    assert await store.grant(digest("never issued")) is None
