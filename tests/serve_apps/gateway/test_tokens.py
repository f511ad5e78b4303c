"""API tokens: shown once, good for what they are for, until they end."""

from datetime import timedelta
from uuid import uuid4

import pytest

from omc.access.api_token import LONGEST_LIFE, MOST, NOTED_EVERY
from omc.access.asker import REMEMBERED
from serve_apps.wire import time_text

TOKENS = "/api/v1/users/tokens"
READ = "/api/v1/data/coins"


@pytest.fixture
def making(caller, app, calling):
    """`await making(*scopes)` is a program of the caller's with such a token, and the token as it was told."""

    async def make(*scopes: str, **change: object):
        answer = await caller.post(TOKENS, {"name": "a program", "scopes": list(scopes), **change})
        assert answer.status_code == 201, answer.text
        told = answer.json()["data"]
        program = calling(app, signed_in=False)
        program.headers["Authorization"] = f"Bearer {told['token']}"
        return program, told

    return make


async def test_a_token_is_shown_once_and_never_stored(making, caller, ports):
    _, told = await making("read", "trade")
    assert told["token"].startswith("omc_")
    assert told["scopes"] == ["read", "trade"]
    (listed,) = (await caller.get(TOKENS)).json()["items"]
    assert listed == {name: value for name, value in told.items() if name != "token"}
    assert told["token"] not in repr(ports.tokens)


async def test_a_program_reads_what_its_owner_may_and_takes_no_persons_place(making, caller, refused):
    program, _ = await making("read", "lab", "trade")
    assert (await program.get(READ)).status_code == 200
    for path in ("/api/v1/users/profile", "/api/v1/credentials", TOKENS):
        assert "person" in refused(await program.get(path), 403, "FORBIDDEN")["message"]
    refused(await program.post(TOKENS, {"name": "x", "scopes": ["read"]}), 403, "FORBIDDEN")


@pytest.mark.parametrize(
    "change",
    [{"scopes": []}, {"scopes": ["admin"]}, {"scopes": ["read", "read"]}, {"name": ""}, {"secret": "x"}],
    ids=["none", "unknown", "twice", "no name", "unknown field"],
)
async def test_what_makes_no_token_is_refused(caller, refused, change):
    refused(await caller.post(TOKENS, {"name": "x", "scopes": ["read"], **change}), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("ahead", [timedelta(0), -timedelta(days=1), LONGEST_LIFE + timedelta(seconds=1)])
async def test_a_token_ends_within_a_year(caller, clock, refused, ahead):
    body = {"name": "x", "scopes": ["read"], "expires_at": time_text(clock.now() + ahead)}
    refused(await caller.post(TOKENS, body), 422, "VALIDATION_ERROR")


async def test_an_expired_token_is_no_token(making, clock, refused):
    program, _ = await making("read", expires_at=time_text(clock.now() + timedelta(hours=1)))
    assert (await program.get(READ)).status_code == 200
    clock.advance(timedelta(hours=1))
    assert "expired" in refused(await program.get(READ), 401, "UNAUTHENTICATED")["message"]


async def test_ninety_days_when_nothing_is_said(making, clock):
    _, told = await making("read")
    assert told["expires_at"] == time_text(clock.now() + timedelta(days=90))


async def test_a_revoked_token_is_believed_for_seconds_at_most(making, caller, clock, refused):
    program, told = await making("read")
    assert (await program.get(READ)).status_code == 200
    assert (await caller.delete(f"{TOKENS}/{told['id']}")).status_code == 200
    clock.advance(REMEMBERED)
    refused(await program.get(READ), 401, "UNAUTHENTICATED")
    refused(await caller.delete(f"{TOKENS}/{told['id']}"), 404, "NOT_FOUND")


async def test_a_token_that_was_not_used_lately_ends_at_once(making, caller, refused):
    program, told = await making("read")
    await caller.delete(f"{TOKENS}/{told['id']}")
    refused(await program.get(READ), 401, "UNAUTHENTICATED")


async def test_tokens_of_a_closed_account_end_with_it(making, caller, ports, clock, refused):
    program, _ = await making("read")
    assert (await program.get(READ)).status_code == 200
    ports.tokens.closed.add(caller.user_id)
    clock.advance(REMEMBERED)
    refused(await program.get(READ), 401, "UNAUTHENTICATED")


async def test_a_token_with_another_secret_is_no_token(making, refused):
    program, told = await making("read")
    for text in (told["token"][:-1] + ("A" if told["token"][-1] != "A" else "B"), "omc_", f"omc_{uuid4().hex}_x"):
        program.headers["Authorization"] = f"Bearer {text}"
        refused(await program.get(READ), 401, "UNAUTHENTICATED")


async def test_anothers_token_is_not_there(making, app, calling, refused):
    _, told = await making("read")
    other = calling(app)
    assert (await other.get(TOKENS)).json()["items"] == []
    refused(await other.delete(f"{TOKENS}/{told['id']}"), 404, "NOT_FOUND")


async def test_an_account_has_so_many_and_no_more(making, caller, refused):
    for _ in range(MOST):
        await making("read")
    refused(await caller.post(TOKENS, {"name": "x", "scopes": ["read"]}), 409, "CONFLICT")


async def test_it_shows_when_a_token_was_last_used(making, caller, clock):
    program, told = await making("read")
    assert told["last_used_at"] is None
    await program.get(READ)
    first = clock.now()
    clock.advance(NOTED_EVERY / 2)
    await program.get(READ)
    assert (await caller.get(TOKENS)).json()["items"][0]["last_used_at"] == time_text(first)
    clock.advance(NOTED_EVERY / 2)
    await program.get(READ)
    assert (await caller.get(TOKENS)).json()["items"][0]["last_used_at"] == time_text(clock.now())
