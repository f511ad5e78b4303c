"""Accounts: an email has one, whatever its case."""

from dataclasses import replace
from uuid import uuid4

import pytest

from omc.access.revocation import valid_from
from omc.access.user import MemoryUserStore, UserStore
from omc.adapters.postgres.users import PostgresUsers
from omc.errors import Conflict, Forbidden, NotFound
from tests.omc.adapters.postgres.house import NOON


@pytest.fixture
def users(kind: str, request: pytest.FixtureRequest) -> UserStore:
    return PostgresUsers(request.getfixturevalue("database")) if kind == "postgres" else MemoryUserStore()


def email() -> str:
    return f"Ada.{uuid4().hex}@Example.com"


async def test_an_account_is_found_by_id_and_by_email_in_any_case(users: UserStore):
    address = email()
    user = await users.create(address, "hash", "Ada")
    assert (user.email, user.full_name, user.is_active, user.is_superuser) == (address, "Ada", True, False)
    assert await users.get(user.id) == user
    assert await users.credentials(address.lower()) == (user, "hash")
    assert await users.credentials(email()) is None
    with pytest.raises(NotFound):
        await users.get(uuid4())


async def test_an_email_has_one_account_whatever_its_case(users: UserStore):
    address = email()
    first = await users.create(address, "hash", None)
    other = await users.create(email(), "hash", None)
    with pytest.raises(Conflict):
        await users.create(address.upper(), "hash", None)
    with pytest.raises(Conflict):
        await users.update(other.id, email=address.lower(), full_name=None)
    renamed = await users.update(first.id, email=address.lower(), full_name="Ada L.")
    assert (renamed.email, renamed.full_name) == (address.lower(), "Ada L.")


async def test_a_password_is_replaced(users: UserStore):
    user = await users.create(email(), "old", None)
    await users.set_password(user.id, "new", NOON)
    assert await users.credentials(user.email) == (replace(user, tokens_valid_from=valid_from(NOON)), "new")
    with pytest.raises(NotFound):
        await users.set_password(uuid4(), "new", NOON)


async def test_a_password_is_replaced_only_where_it_is_the_one_that_was_meant(users: UserStore):
    user = await users.create(email(), "old", None)
    await users.rehash(user.id, "stronger", in_place_of="old")
    with pytest.raises(Forbidden):
        await users.set_password(user.id, "late", NOON, in_place_of="old")
    await users.rehash(user.id, "late", in_place_of="old")
    assert await users.credentials(user.email) == (user, "stronger")
    await users.set_password(user.id, "new", NOON, in_place_of="stronger")
    assert await users.credentials(user.email) == (replace(user, tokens_valid_from=valid_from(NOON)), "new")


async def test_whoever_is_unknown_is_not_changed(users: UserStore):
    with pytest.raises(NotFound):
        await users.update(uuid4(), email=email(), full_name=None)
