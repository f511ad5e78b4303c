"""What is asked of an account is on record: who, what, whether it was done, and nothing that is secret."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from omc.access.audit import Happening, Link
from omc.access.audit_trail import MemoryAuditTrail, verify_all
from omc.access.token import MemoryRefreshStore
from omc.errors import Unavailable
from serve_apps.gateway.app import build
from tests.serve_apps.auditing import all_on_record, changing

ADA = {"email": "ada@example.com", "password": "correct horse battery", "full_name": "Ada Lovelace"}
LOGIN = {"email": ADA["email"], "password": ADA["password"]}
# Whoever asks for these has no token yet.
OPEN = frozenset({"auth.log_in", "auth.refresh", "users.register"})


@pytest.fixture
async def ada(stranger) -> UUID:
    return UUID((await stranger.post("/api/v1/users/register", ADA)).json()["data"]["id"])


def told(ports, account: UUID) -> list[tuple[str, object]]:
    return [(each.happening.action, each.happening.details["outcome"]) for each in ports.audit.chains.get(account, [])]


async def test_every_route_that_may_change_something_leaves_a_record(app, ports, calling):
    assert set(changing(app).values()) >= OPEN
    await all_on_record(app, calling, ports.audit, open_to_all=OPEN)


async def test_coming_in_is_on_record_and_so_is_who_failed_to(stranger, ports, ada):
    await stranger.post("/api/v1/auth/login", {**LOGIN, "password": "correct horse batterz"})
    await stranger.post("/api/v1/auth/login", LOGIN)
    assert told(ports, ada) == [
        ("users.register", "asked"),
        ("users.register", "done"),
        ("auth.log_in", "refused"),
        ("auth.log_in", "asked"),
        ("auth.log_in", "done"),
    ]
    failed, came = ports.audit.chains[ada][2].happening, ports.audit.chains[ada][3].happening
    assert (failed.actor, failed.details["why"]) == ("", "email or password is wrong")
    assert came.actor == f"user:{ada}"
    assert came.address


async def test_strangers_who_have_to_wait_fill_nobodys_record(stranger, ports, ada):
    for _ in range(20):
        await stranger.post("/api/v1/auth/login", {**LOGIN, "password": "correct horse batterz"})
    assert told(ports, ada).count(("auth.log_in", "refused")) == 5


async def test_who_tries_an_address_that_nobody_has_is_on_no_record(stranger, ports):
    await stranger.post("/api/v1/auth/login", LOGIN)
    assert ports.audit.chains == {}


async def test_a_refresh_token_that_is_used_twice_is_told_as_such(stranger, ports, ada):
    first = (await stranger.post("/api/v1/auth/login", LOGIN)).json()["data"]["refresh_token"]
    for _ in range(2):
        await stranger.post("/api/v1/auth/refresh", {"refresh_token": first})
    assert told(ports, ada)[-4:] == [
        ("auth.refresh", "asked"),
        ("auth.refresh", "done"),
        ("auth.refresh", "asked"),
        ("auth.refresh", "refused"),
    ]
    assert "used already" in ports.audit.chains[ada][-1].happening.details["why"]


async def test_nothing_that_was_sent_is_on_record(stranger, ports, ada, calling, app):
    caller = calling(app, user_id=ada)
    secrets = {"api_key": "abcd0123456789wxyz", "api_secret": "s3cret-of-the-exchange"}
    await caller.post("/api/v1/credentials/coinspot", secrets)
    await caller.post("/api/v1/credentials/coinspot", {**secrets, "nonsense": "s3cret-of-the-exchange"})
    misplaced = "0123456789abcdef0123456789abcdef"
    answer = await caller.post("/api/v1/credentials/coinspot", {**secrets, misplaced: "in place of a name"})
    assert misplaced not in answer.text
    await caller.ask("DELETE", f"/api/v1/credentials/exchanges/{misplaced}")
    await caller.ask("DELETE", "/api/v1/credentials/exchanges/a%00%0ab")
    written = repr(ports.audit.chains)
    for secret in (*secrets.values(), LOGIN["password"], misplaced, "\\x00"):
        assert secret not in written
    assert (await verify_all(ports.audit)).flaws == ()


async def test_reading_leaves_no_record(caller, ports):
    await caller.get("/api/v1/users/profile")
    await caller.get("/api/v1/audit")
    assert ports.audit.chains == {}


@dataclass
class Full(MemoryAuditTrail):
    """A trail that can be written no more."""

    async def append(self, happening: Happening) -> Link:
        raise Unavailable("the disk is full")


async def test_what_cannot_be_put_on_record_is_not_done(ports, calling, refused):
    kept = MemoryRefreshStore()
    app = build(replace(ports, audit=Full(), refresh=kept))
    stranger = calling(app, signed_in=False)
    await stranger.post("/api/v1/users/register", ADA)
    refused(await stranger.post("/api/v1/auth/login", LOGIN), 503, "UNAVAILABLE")
    assert kept.grants == {}


async def test_a_trail_is_read_newest_first_by_its_owner_alone(stranger, ports, ada, calling, app):
    await stranger.post("/api/v1/auth/login", LOGIN)
    page = (await calling(app, user_id=ada).get("/api/v1/audit", per_page=1)).json()
    assert (page["total"], page["pages"], len(page["items"])) == (4, 4, 1)
    assert (page["items"][0]["seq"], page["items"][0]["action"], page["items"][0]["outcome"]) == (
        4,
        "auth.log_in",
        "done",
    )
    assert (await calling(app).get("/api/v1/audit")).json()["items"] == []


async def test_a_trail_is_sought_through_by_action_and_time(stranger, ada, calling, app, refused):
    owner = calling(app, user_id=ada)
    assert (await owner.get("/api/v1/audit", action="users.register")).json()["total"] == 2
    assert (await owner.get("/api/v1/audit", action="auth.log_in")).json()["total"] == 0
    assert (await owner.get("/api/v1/audit", start="2025-06-10", end="2025-06-10")).json()["total"] == 2
    assert (await owner.get("/api/v1/audit", start="2025-06-11")).json()["total"] == 0
    refused(await owner.get("/api/v1/audit", start="yesterday"), 422, "VALIDATION_ERROR")
    refused(await owner.get("/api/v1/audit", action="'; DROP TABLE audit"), 422, "VALIDATION_ERROR")


async def test_a_dead_refresh_token_fills_no_record_and_its_first_second_use_is_on_it(stranger, ada, ports, clock):
    first = (await stranger.post("/api/v1/auth/login", LOGIN)).json()["data"]["refresh_token"]
    body = {"refresh_token": first}
    await stranger.post("/api/v1/auth/refresh", body)
    before = len(told(ports, ada))
    assert {(await stranger.post("/api/v1/auth/refresh", body)).status_code for _ in range(20)} == {401}
    said = [("auth.refresh", each) for each in ("asked", "refused", "refused")]
    assert told(ports, ada)[before:] == said, "the use that ends its family, and that somebody goes on"
    clock.advance(timedelta(hours=1))
    assert {(await stranger.post("/api/v1/auth/refresh", body)).status_code for _ in range(20)} == {401}
    assert len(told(ports, ada)) == before + len(said) + 1
    assert (await verify_all(ports.audit)).flaws == ()
