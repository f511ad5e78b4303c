"""Superusers look after everybody's accounts; everybody deletes their own."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.closing import NO_PASSWORD

ADA = {"email": "ada@example.com", "password": "correct horse battery", "full_name": "Ada"}
BOB = {"email": "bob@example.com", "password": "staple horse battery"}
LOGIN = {"email": ADA["email"], "password": ADA["password"]}
CONFIRMED = {"current_password": BOB["password"]}


async def registered(stranger, app, calling, body):
    profile = (await stranger.post("/api/v1/users/register", body)).json()["data"]
    return calling(app, user_id=UUID(profile["id"]))


@pytest.fixture
async def ada(stranger, app, calling):
    return await registered(stranger, app, calling, ADA)


@pytest.fixture
async def root(stranger, app, calling, ports):
    """Bob, a superuser."""
    bob = await registered(stranger, app, calling, BOB)
    await ports.users.set_superuser(BOB["email"], granted=True)
    return bob


async def test_nobody_else_looks_after_accounts(ada, stranger, refused):
    for method in ("GET", "PATCH", "DELETE"):
        path = f"/api/v1/users/{ada.user_id}"
        refused(await ada.ask(method, path, json={}), 403, "FORBIDDEN")
        refused(await stranger.ask(method, path, json={}), 401, "UNAUTHENTICATED")
    refused(await ada.get("/api/v1/users"), 403, "FORBIDDEN")


async def test_accounts_are_found_by_a_part_of_their_address(ada, root):
    everybody = (await root.get("/api/v1/users")).json()
    assert (everybody["total"], {each["email"] for each in everybody["items"]}) == (2, {ADA["email"], BOB["email"]})
    found = (await root.get("/api/v1/users", email="ADA@")).json()
    assert [each["id"] for each in found["items"]] == [str(ada.user_id)]
    for nothing in ("%", "a_a", "\0"):
        assert (await root.get("/api/v1/users", email=nothing)).json()["items"] == []


async def test_an_account_is_shown_and_renamed(ada, root, refused):
    path = f"/api/v1/users/{ada.user_id}"
    assert (await root.get(path)).json()["data"]["deleted_at"] is None
    changed = await root.ask("PATCH", path, json={"full_name": "Ada L."})
    assert changed.json()["data"]["full_name"] == "Ada L."
    refused(await root.ask("PATCH", path, json={"is_superuser": True}), 422, "VALIDATION_ERROR")
    refused(await root.get(f"/api/v1/users/{uuid4()}"), 404, "NOT_FOUND")
    refused(await root.get("/api/v1/users/nobody"), 404, "NOT_FOUND")


async def test_an_account_that_is_shut_out_holds_no_token_until_it_is_let_in(ada, root, stranger, refused, clock):
    path = f"/api/v1/users/{ada.user_id}"
    tokens = (await stranger.post("/api/v1/auth/login", LOGIN)).json()["data"]
    shut_out = await root.ask("PATCH", path, json={"is_active": False, **CONFIRMED})
    assert shut_out.json()["data"]["is_active"] is False
    clock.advance(timedelta(seconds=5))
    refused(await ada.get("/api/v1/users/profile"), 401, "UNAUTHENTICATED")
    refused(await stranger.post("/api/v1/auth/login", LOGIN), 401, "UNAUTHENTICATED")
    body = {"refresh_token": tokens["refresh_token"]}
    refused(await stranger.post("/api/v1/auth/refresh", body), 401, "UNAUTHENTICATED")
    await root.ask("PATCH", path, json={"is_active": True, **CONFIRMED})
    assert (await stranger.post("/api/v1/auth/login", LOGIN)).status_code == 200


async def test_superusers_cannot_shut_out_or_delete_themselves_here(root, refused):
    path = f"/api/v1/users/{root.user_id}"
    refused(await root.ask("PATCH", path, json={"is_active": False}), 409, "CONFLICT")
    refused(await root.ask("DELETE", path, json=CONFIRMED), 409, "CONFLICT")


async def test_a_deleted_account_leaves_no_name_and_frees_its_address(ada, stranger, ports, refused, clock):
    body = {"current_password": ADA["password"]}
    refused(await ada.ask("DELETE", "/api/v1/users/profile", json={"current_password": "x"}), 403, "FORBIDDEN")
    refused(await ada.delete("/api/v1/users/profile"), 422, "VALIDATION_ERROR")
    assert (await ada.ask("DELETE", "/api/v1/users/profile", json=body)).status_code == 200
    user, hashed = ports.users.users[ada.user_id]
    assert (user.full_name, user.is_active, hashed) == (None, False, NO_PASSWORD)
    assert user.deleted_at == clock.now()
    assert user.email == f"{ada.user_id.hex}@deleted.invalid"
    clock.advance(timedelta(seconds=5))
    refused(await ada.get("/api/v1/users/profile"), 401, "UNAUTHENTICATED")
    refused(await stranger.post("/api/v1/auth/login", LOGIN), 401, "UNAUTHENTICATED")
    assert (await stranger.post("/api/v1/users/register", ADA)).status_code == 201


async def test_deleting_another_twice_is_deleting_once(ada, root, refused):
    path = f"/api/v1/users/{ada.user_id}"
    first = (await root.ask("DELETE", path, json=CONFIRMED)).json()["data"]
    assert (await root.ask("DELETE", path, json=CONFIRMED)).json()["data"] == first
    refused(await root.ask("PATCH", path, json={"is_active": True, **CONFIRMED}), 409, "CONFLICT")


async def test_a_superusers_stolen_session_shuts_nobody_out_and_deletes_nobody(ada, root, ports, refused):
    path = f"/api/v1/users/{ada.user_id}"
    for change in ({"is_active": False}, {"is_active": True}):
        missing = refused(await root.ask("PATCH", path, json=change), 403, "FORBIDDEN")
        assert missing["details"] == {"current_password": "required"}
    refused(await root.delete(path), 422, "VALIDATION_ERROR")
    # Neither is it the password of whoever is to be shut out.
    for password in ("a guess, no more", ADA["password"]):
        given = {"current_password": password}
        refused(await root.ask("PATCH", path, json={"is_active": False, **given}), 403, "FORBIDDEN")
        refused(await root.ask("DELETE", path, json=given), 403, "FORBIDDEN")
    assert ports.users.users[ada.user_id][0].is_active
    refused(await root.ask("DELETE", f"/api/v1/users/{uuid4()}", json=CONFIRMED), 404, "NOT_FOUND")


async def test_a_superuser_who_is_none_any_more_is_refused_at_once(root, ports, refused):
    user, hashed = ports.users.users[root.user_id]
    ports.users.users[root.user_id] = (replace(user, is_superuser=False), hashed)
    refused(await root.get("/api/v1/users"), 403, "FORBIDDEN")
