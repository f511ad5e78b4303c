"""One's own account."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from omc.access.lockout import MemoryLockoutStore
from omc.access.password import MemoryPasswordHasher
from omc.adapters.argon2 import Argon2Hasher
from omc.errors import Forbidden
from serve_apps.gateway.app import build

ADA = {"email": "ada@example.com", "password": "correct horse battery"}


class SlowLockout(MemoryLockoutStore):
    """Time enough for something to happen before an attempt is counted."""

    before: Callable[[], Awaitable[None]] | None = None

    async def begin(self, attempt, now):
        if self.before is not None:
            await self.before()
        return await super().begin(attempt, now)


@pytest.fixture
def ports(ports):
    return replace(ports, lockout=SlowLockout())


@pytest.fixture
async def ada(stranger, app, calling):
    """Ada, signed in."""

    profile = (await stranger.post("/api/v1/users/register", ADA)).json()["data"]
    return calling(app, user_id=UUID(profile["id"]))


async def test_registering_opens_an_account_without_showing_its_password(stranger):
    answer = await stranger.post("/api/v1/users/register", {**ADA, "full_name": "  Ada "})
    assert answer.status_code == 201
    profile = answer.json()["data"]
    assert {**profile, "id": "", "created_at": ""} == {
        "id": "",
        "email": "ada@example.com",
        "full_name": "Ada",
        "is_active": True,
        "is_superuser": False,
        "created_at": "",
    }
    assert profile["created_at"].endswith("Z")
    assert "password" not in answer.text


async def test_an_address_has_one_account_whatever_its_case(stranger, ada, refused):
    answer = await stranger.post("/api/v1/users/register", {**ADA, "email": "ADA@Example.com"})
    refused(answer, 409, "CONFLICT")


@pytest.mark.parametrize(
    "change",
    [
        {"password": "too short"},
        {"password": "p" * 257},
        {"password": 123456789012},
        {"email": "nobody"},
        {"email": "a" * 250 + "@example.com"},
        {"email": None},
        {"full_name": "a\0b"},
        {"full_name": "x" * 256},
        {"is_superuser": True},
    ],
    ids=repr,
)
async def test_a_registration_that_breaks_a_rule_is_refused(stranger, refused, change):
    answer = await stranger.post("/api/v1/users/register", {**ADA, **change})
    refused(answer, 422, "VALIDATION_ERROR")
    assert "correct horse" not in answer.text


async def test_a_profile_is_changed_field_by_field(ada):
    renamed = await ada.put("/api/v1/users/profile", {"full_name": "Ada Lovelace"})
    assert renamed.json()["data"]["full_name"] == "Ada Lovelace"
    moving = {"email": "ada@lovelace.example", "current_password": ADA["password"]}
    moved = (await ada.put("/api/v1/users/profile", moving)).json()["data"]
    assert (moved["email"], moved["full_name"]) == ("ada@lovelace.example", "Ada Lovelace")
    assert (await ada.put("/api/v1/users/profile", {"full_name": None})).json()["data"]["full_name"] is None
    assert (await ada.get("/api/v1/users/profile")).json()["data"]["email"] == "ada@lovelace.example"


async def test_a_profile_cannot_take_an_address_that_is_taken(ada, stranger, refused):
    await stranger.post("/api/v1/users/register", {**ADA, "email": "bob@example.com"})
    moving = {"email": "bob@example.com", "current_password": ADA["password"]}
    refused(await ada.put("/api/v1/users/profile", moving), 409, "CONFLICT")


async def test_another_email_needs_the_password_and_the_same_one_needs_nothing(ada, stranger, ports, refused):
    path, moving = "/api/v1/users/profile", {"email": "eve@example.com", "full_name": "Eve"}
    missing = refused(await ada.put(path, moving), 403, "FORBIDDEN")
    assert missing["details"] == {"current_password": "required"}
    refused(await ada.put(path, {**moving, "current_password": "a guess, no more"}), 403, "FORBIDDEN")
    refused(await ada.put(path, {"email": ADA["email"].upper()}), 403, "FORBIDDEN")
    kept, _ = ports.users.users[ada.user_id]
    assert (kept.email, kept.full_name) == (ADA["email"], None)
    assert (await ada.put(path, {"email": ADA["email"], "full_name": "Ada"})).status_code == 200
    assert (await stranger.post("/api/v1/auth/login", ADA)).status_code == 200


async def test_that_the_email_was_changed_is_on_record_and_no_address_is(ada, ports):
    path, moving = "/api/v1/users/profile", {"email": "ada@lovelace.example", "current_password": ADA["password"]}
    await ada.put(path, {**moving, "current_password": "a guess, no more"})
    await ada.put(path, moving)
    await ada.put(path, {**moving, "full_name": "Ada"})
    ends = [each.happening.details for each in ports.audit.chains[ada.user_id][2:]]
    told = [(each["outcome"], each.get("changed")) for each in ends if each["outcome"] != "asked"]
    assert told == [("refused", None), ("done", "email"), ("done", None)]
    assert "lovelace" not in repr(ports.audit.chains)


async def test_guessing_the_password_for_another_email_gets_slow(ada, refused):
    moving = {"email": "eve@example.com", "current_password": "a guess, no more"}
    for _ in range(5):
        refused(await ada.put("/api/v1/users/profile", moving), 403, "FORBIDDEN")
    moving["current_password"] = ADA["password"]
    refused(await ada.put("/api/v1/users/profile", moving), 429, "RATE_LIMITED")


async def test_nobody_makes_themselves_a_superuser(ada, refused):
    refused(await ada.put("/api/v1/users/profile", {"is_superuser": True}), 422, "VALIDATION_ERROR")


async def test_a_new_password_needs_the_old_one_and_replaces_it(ada, stranger, refused):
    change = {"current_password": "a guess, no more", "new_password": "staple battery horse"}
    refused(await ada.put("/api/v1/users/password", change), 403, "FORBIDDEN")
    refused(await ada.put("/api/v1/users/password", {**change, "new_password": "short"}), 422, "VALIDATION_ERROR")
    change["current_password"] = ADA["password"]
    assert (await ada.put("/api/v1/users/password", change)).status_code == 200
    refused(await stranger.post("/api/v1/auth/login", ADA), 401, "UNAUTHENTICATED")
    login = {"email": ADA["email"], "password": "staple battery horse"}
    assert (await stranger.post("/api/v1/auth/login", login)).status_code == 200


async def test_a_new_password_ends_every_session(ada, stranger, refused):
    tokens = (await stranger.post("/api/v1/auth/login", ADA)).json()["data"]
    change = {"current_password": ADA["password"], "new_password": "staple battery horse"}
    assert (await ada.put("/api/v1/users/password", change)).status_code == 200
    answer = await stranger.post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    refused(answer, 401, "UNAUTHENTICATED")


async def test_an_account_that_was_closed_cannot_log_in(ada, stranger, ports, refused):
    user, hashed = ports.users.users[ada.user_id]
    ports.users.users[ada.user_id] = (replace(user, is_active=False), hashed)
    refused(await stranger.post("/api/v1/auth/login", ADA), 401, "UNAUTHENTICATED")


async def test_a_token_of_an_account_that_is_gone_finds_no_profile(caller, refused):
    refused(await caller.get("/api/v1/users/profile"), 404, "NOT_FOUND")


async def test_a_password_kept_by_weaker_rules_is_hashed_anew_at_login(ports, calling):
    weaker, today = Argon2Hasher(memory_kib=32, passes=1), Argon2Hasher(memory_kib=64, passes=1)
    user = await ports.users.create(ADA["email"], weaker.hash(ADA["password"]), None)
    visitor = calling(build(replace(ports, hasher=today)), signed_in=False)
    assert (await visitor.post("/api/v1/auth/login", ADA)).status_code == 200
    _, hashed = ports.users.users[user.id]
    assert not today.outdated(hashed)
    assert (await visitor.post("/api/v1/auth/login", ADA)).status_code == 200


def bearing(answer) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}}


async def test_a_new_password_ends_every_access_token_and_the_next_login_holds_at_once(ada, stranger, clock):
    before = await stranger.post("/api/v1/auth/login", ADA)
    change = {"current_password": ADA["password"], "new_password": "staple battery horse"}
    assert (await ada.put("/api/v1/users/password", change)).status_code == 200
    anew = await stranger.post("/api/v1/auth/login", {**ADA, "password": "staple battery horse"})
    assert (await stranger.ask("GET", "/api/v1/users/profile", **bearing(anew))).status_code == 200
    clock.advance(timedelta(seconds=5))
    assert (await stranger.ask("GET", "/api/v1/users/profile", **bearing(before))).status_code == 401
    assert (await stranger.ask("GET", "/api/v1/users/profile", **bearing(anew))).status_code == 200


async def test_the_password_of_whoever_takes_ones_address_meanwhile_proves_nothing(ada, stranger, ports, refused):
    await stranger.post("/api/v1/users/register", {**ADA, "email": "eve@example.com", "password": "eve knows this one"})
    eve, _ = await ports.users.credentials("eve@example.com")

    async def swapped() -> None:
        await ports.users.update(ada.user_id, email="gone@example.com", full_name=None)
        await ports.users.update(eve.id, email=ADA["email"], full_name=None)

    ports.lockout.before = swapped
    change = {"current_password": "eve knows this one", "new_password": "staple battery horse"}
    refused(await ada.put("/api/v1/users/password", change), 403, "FORBIDDEN")


async def test_of_two_new_passwords_at_once_the_second_needs_the_first(ada, stranger, ports, refused):
    _, hashed = ports.users.users[ada.user_id]
    await ports.users.set_password(ada.user_id, "another's hash", ports.clock.now(), in_place_of=hashed)
    with pytest.raises(Forbidden):
        await ports.users.set_password(ada.user_id, "late", ports.clock.now(), in_place_of=hashed)
    assert ports.users.users[ada.user_id][1] == "another's hash"


async def test_a_login_that_hashes_anew_brings_no_old_password_back(ports, calling):
    class Changing(Argon2Hasher):
        """Whose owner has another password just before the old one is hashed anew."""

        def hash(self, password: str) -> str:
            if ADA["email"] in {user.email for user, _ in ports.users.users.values()}:
                ((user, _),) = ports.users.users.values()
                ports.users.users[user.id] = (user, "another's hash")
            return super().hash(password)

    weaker, today = Argon2Hasher(memory_kib=32, passes=1), Changing(memory_kib=64, passes=1)
    visitor = calling(build(replace(ports, hasher=today)), signed_in=False)
    user = await ports.users.create(ADA["email"], weaker.hash(ADA["password"]), None)
    await visitor.post("/api/v1/auth/login", ADA)
    assert ports.users.users[user.id][1] == "another's hash"


async def test_what_was_too_much_to_be_looked_at_counts_against_nobody(ada, stranger, ports, app, refused):
    class Waiting(MemoryPasswordHasher):
        let = threading.Event()

        def matches(self, password: str, hashed: str) -> bool:
            self.let.wait()
            return super().matches(password, hashed)

    busy = build(replace(ports, hasher=Waiting()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(busy), base_url="http://omc") as client:
        strangers = [
            asyncio.create_task(client.post("/api/v1/auth/login", json={**ADA, "email": f"{each}@example.com"}))
            for each in range(64)
        ]
        try:
            while len(ports.lockout.tries) < 65:  # noqa: ASYNC110 - one of each, and their address
                await asyncio.sleep(0.001)
            for _ in range(6):
                refused(await client.post("/api/v1/auth/login", json=ADA), 503, "UNAVAILABLE")
        finally:
            Waiting.let.set()
            await asyncio.gather(*strangers)
    assert (await stranger.post("/api/v1/auth/login", ADA)).status_code == 200


async def test_guessing_ones_own_password_gets_slow(ada, refused):
    change = {"current_password": "a guess, no more", "new_password": "staple battery horse"}
    for _ in range(5):
        refused(await ada.put("/api/v1/users/password", change), 403, "FORBIDDEN")
    answer = await ada.put("/api/v1/users/password", {**change, "current_password": ADA["password"]})
    refused(answer, 429, "RATE_LIMITED")
    assert answer.headers["retry-after"] == "2"


async def test_of_two_who_register_one_address_at_once_one_gets_an_account(stranger, ports):
    answers = await asyncio.gather(*(stranger.post("/api/v1/users/register", ADA) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409, 409]
    assert len(ports.users.users) == 1
