"""Accounts, by address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.closing import placeholder
from omc.access.user import MemoryUserStore, email_address
from omc.errors import Conflict, InvalidInput, NotFound

NOW = datetime(2025, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["ada@example.com", " ada@example.com ", "a.b+c@sub.example.co"])
def test_an_address_is_taken_without_the_spaces_around_it(text: str):
    assert email_address(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "a b@example.com",
        "ada@example.com\n@x.y",
        "a\0@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a.bb" * 70,
        "ada@example.Invalid",
        placeholder(UUID(int=1)),
    ],
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(InvalidInput):
        email_address(text)


async def test_an_address_is_taken_whatever_its_case():
    users = MemoryUserStore()
    ada = await users.create("Ada@Example.com", "hash", None)
    with pytest.raises(Conflict):
        await users.create("ada@example.COM", "hash", None)
    assert await users.credentials("ADA@example.com") == (ada, "hash")


async def test_a_refused_change_of_address_changes_nothing():
    users = MemoryUserStore()
    ada = await users.create("ada@example.com", "hash", "Ada")
    await users.create("bob@example.com", "hash", None)
    with pytest.raises(Conflict):
        await users.update(ada.id, email="BOB@example.com", full_name="Mallory")
    assert await users.get(ada.id) == ada


async def test_an_owner_may_change_the_case_of_their_own_address():
    users = MemoryUserStore()
    ada = await users.create("ada@example.com", "hash", None)
    assert (await users.update(ada.id, email="Ada@example.com", full_name="Ada")).email == "Ada@example.com"


async def test_a_new_password_replaces_the_old_one():
    users = MemoryUserStore()
    ada = await users.create("ada@example.com", "old", None)
    await users.set_password(ada.id, "new", NOW)
    later = replace(ada, tokens_valid_from=NOW + timedelta(seconds=0.5))
    assert await users.credentials("ada@example.com") == (later, "new")


async def test_an_unknown_user_is_not_found():
    with pytest.raises(NotFound):
        await MemoryUserStore().get(uuid4())
    assert await MemoryUserStore().credentials("ada@example.com") is None
