"""Coming in, staying in, going out."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest

from omc.access.lockout import Attempt
from omc.access.signer import ACCESS_LIFE
from omc.access.token import REFRESH_LIFE
from tests.serve_apps.conftest import NOON

ADA = {"email": "ada@example.com", "password": "correct horse battery", "full_name": "Ada Lovelace"}
LOGIN = {"email": ADA["email"], "password": ADA["password"]}


@pytest.fixture
async def ada(stranger):
    answer = await stranger.post("/api/v1/users/register", ADA)
    assert answer.status_code == 201
    return answer.json()["data"]


async def tokens_of(stranger) -> dict:
    answer = await stranger.post("/api/v1/auth/login", LOGIN)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def bearing(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


async def test_logging_in_with_json_buys_a_token_that_opens_the_profile(stranger, ada):
    answer = await stranger.post("/api/v1/auth/login", LOGIN)
    tokens = answer.json()["data"]
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    assert answer.headers["cache-control"] == "no-store"
    profile = await stranger.ask("GET", "/api/v1/users/profile", **bearing(tokens["access_token"]))
    assert profile.json()["data"] == ada


async def test_logging_in_with_a_form_does_the_same(stranger, ada):
    answer = await stranger.ask("POST", "/api/v1/auth/login", data={**LOGIN, "email": "ADA@example.com"})
    assert answer.status_code == 200
    assert set(answer.json()["data"]) == {"access_token", "refresh_token", "token_type", "expires_in"}


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(stranger, ada, refused):
    wrong = await stranger.post("/api/v1/auth/login", {**LOGIN, "password": "correct horse batterz"})
    unknown = await stranger.post("/api/v1/auth/login", {**LOGIN, "email": "bob@example.com"})
    assert refused(wrong, 401, "UNAUTHENTICATED") == refused(unknown, 401, "UNAUTHENTICATED")
    assert wrong.headers["www-authenticate"] == "Bearer"


async def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(stranger, ada, ports, monkeypatch):
    compared = []
    matches = type(ports.hasher).matches
    monkeypatch.setattr(
        type(ports.hasher), "matches", lambda self, *given: compared.append(given) or matches(self, *given)
    )
    await stranger.post("/api/v1/auth/login", {**LOGIN, "password": "wrong wrong wrong"})
    await stranger.post("/api/v1/auth/login", {**LOGIN, "email": "bob@example.com"})
    assert len(compared) == 2


async def guess(stranger, email: str, times: int = 5) -> list:
    body = {"email": email, "password": "wrong wrong wrong"}
    return [await stranger.post("/api/v1/auth/login", body) for _ in range(times)]


@pytest.mark.parametrize("email", [ADA["email"], "nobody@example.com", "Ad\u0130@example.com"])
async def test_guessing_gets_slow_whether_or_not_there_is_such_an_account(stranger, ada, refused, clock, email):
    for answer in await guess(stranger, email):
        refused(answer, 401, "UNAUTHENTICATED")
    answer = (await guess(stranger, email, 1))[0]
    error = refused(answer, 429, "RATE_LIMITED")
    assert error["message"] == "too many attempts have failed: try again in 2 s"
    assert answer.headers["retry-after"] == "2"
    clock.advance(timedelta(seconds=2))
    refused((await guess(stranger, email, 1))[0], 401, "UNAUTHENTICATED")


async def test_the_right_password_waits_as_well_and_then_clears_what_was_counted(stranger, ada, refused, clock):
    await guess(stranger, ADA["email"])
    refused(await stranger.post("/api/v1/auth/login", LOGIN), 429, "RATE_LIMITED")
    clock.advance(timedelta(seconds=2))
    await tokens_of(stranger)
    for answer in await guess(stranger, ADA["email"]):
        refused(answer, 401, "UNAUTHENTICATED")


async def test_an_owner_who_was_here_before_is_not_kept_out_by_strangers(stranger, ada, app, ports, refused):
    await tokens_of(stranger)
    for _ in range(5):
        await ports.lockout.begin(Attempt.at("login", ADA["email"], "203.0.113.7"), NOON)
    await tokens_of(stranger)


async def test_of_many_guesses_at_once_few_are_looked_at(stranger, ada):
    body = {"email": ADA["email"], "password": "wrong wrong wrong"}
    answers = await asyncio.gather(*(stranger.post("/api/v1/auth/login", body) for _ in range(20)))
    assert sorted(each.status_code for each in answers) == [401] * 5 + [429] * 15


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "ada@example.com"},
        {**LOGIN, "otp": "1"},
        {**LOGIN, "password": "x" * 300},
        {**LOGIN, "email": 5},
        {**LOGIN, "email": "a\0@example.com"},
        [],
        None,
        "text",
        {**LOGIN, "password": None},
    ],
    ids=repr,
)
async def test_a_login_that_makes_no_sense_is_refused_without_repeating_it(stranger, refused, body):
    answer = await stranger.post("/api/v1/auth/login", body)
    refused(answer, 422, "VALIDATION_ERROR")
    assert "correct horse" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"email=ada", "text/plain"),
        (b"", ""),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data"),
        (b"email=a&" * 20, "application/x-www-form-urlencoded"),
    ],
)
async def test_a_login_that_cannot_be_read_is_refused(stranger, refused, content, kind):
    answer = await stranger.ask("POST", "/api/v1/auth/login", content=content, headers={"Content-Type": kind})
    refused(answer, 422, "VALIDATION_ERROR")


async def test_a_refresh_token_buys_a_new_pair_once(stranger, ada, refused):
    first = await tokens_of(stranger)
    answer = await stranger.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    second = answer.json()["data"]
    assert second["refresh_token"] != first["refresh_token"]
    profile = await stranger.ask("GET", "/api/v1/users/profile", **bearing(second["access_token"]))
    assert profile.json()["data"] == ada

    again = await stranger.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    refused(again, 401, "UNAUTHENTICATED")
    descendant = await stranger.post("/api/v1/auth/refresh", {"refresh_token": second["refresh_token"]})
    refused(descendant, 401, "UNAUTHENTICATED")
    assert await tokens_of(stranger)


async def test_two_that_use_one_refresh_token_at_once_do_not_both_get_in(stranger, ada):
    token = (await tokens_of(stranger))["refresh_token"]
    answers = await asyncio.gather(*(stranger.post("/api/v1/auth/refresh", {"refresh_token": token}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_logging_out_ends_the_family_of_the_refresh_token(stranger, ada, refused):
    tokens = await tokens_of(stranger)
    body = {"refresh_token": tokens["refresh_token"]}
    refused(await stranger.post("/api/v1/auth/logout", body), 401, "UNAUTHENTICATED")
    assert (await stranger.post("/api/v1/auth/logout", body, **bearing(tokens["access_token"]))).status_code == 200
    refused(await stranger.post("/api/v1/auth/refresh", body), 401, "UNAUTHENTICATED")


async def test_a_refresh_token_ends_by_itself(stranger, ada, clock, refused):
    tokens = await tokens_of(stranger)
    clock.advance(REFRESH_LIFE)
    answer = await stranger.post("/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    refused(answer, 401, "UNAUTHENTICATED")


async def test_a_refresh_token_is_stored_by_its_digest_alone(stranger, ada, ports):
    tokens = await tokens_of(stranger)
    assert tokens["refresh_token"] not in repr(ports)


async def test_an_access_token_ends_after_a_quarter_of_an_hour(stranger, ada, clock, refused):
    token = (await tokens_of(stranger))["access_token"]
    clock.advance(ACCESS_LIFE - timedelta(seconds=1))
    assert (await stranger.ask("GET", "/api/v1/users/profile", **bearing(token))).status_code == 200
    clock.advance(timedelta(seconds=1))
    refused(await stranger.ask("GET", "/api/v1/users/profile", **bearing(token)), 401, "UNAUTHENTICATED")


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."


async def test_a_token_that_is_not_ours_opens_nothing(stranger, ada, refused):
    token = (await tokens_of(stranger))["access_token"]
    for authorization in (
        f"Bearer {unsigned(token)}",
        f"Bearer {token[:-3]}abc",
        f"Bearer {token}{token}",
        f"Basic {token}",
        f"bearer{token}",
        "Bearer",
        "Bearer ",
        "",
        "Bearer " + "x" * 10_000,
    ):
        answer = await stranger.ask("GET", "/api/v1/users/profile", headers={"Authorization": authorization})
        refused(answer, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/logout"),
        ("GET", "/users/profile"),
        ("PUT", "/users/profile"),
        ("PUT", "/users/password"),
        ("GET", "/data/prices?coin=BTC"),
        ("GET", "/data/prices/latest"),
        ("GET", "/data/coins"),
        ("GET", "/collectors"),
        ("GET", "/collectors/exchange"),
    ],
)
async def test_everything_else_needs_a_token(stranger, refused, method, path):
    refused(await stranger.ask(method, f"/api/v1{path}"), 401, "UNAUTHENTICATED")
