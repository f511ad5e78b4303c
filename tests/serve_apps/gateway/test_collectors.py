"""Collectors and their switches, which only operators have."""

from dataclasses import replace

import httpx
import pytest

from serve_apps.caller import Proxies
from serve_apps.door import Rules
from serve_apps.gateway.app import build

INTERNAL = "/api/v1/internal/collector"


@pytest.fixture
async def root(ports, app, calling):
    made = await ports.users.create("root@example.com", "hashed", None)
    ports.users.users[made.id] = (replace(made, is_superuser=True), "hashed")
    return calling(app, user_id=made.id)


@pytest.fixture
async def ada(ports, app, calling):
    return calling(app, user_id=(await ports.users.create("ada@example.com", "hashed", None)).id)


def from_address(app, address: str, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 40_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)


async def test_a_superuser_pauses_resumes_and_triggers(root, ports):
    for verb in ("trigger", "pause"):
        answer = await root.post(f"/api/v1/collectors/exchange/{verb}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["ledger"] == "exchange"
    assert (ports.switches.triggered, ports.switches.paused) == (1, True)
    await root.post("/api/v1/collectors/exchange/resume")
    assert ports.switches.paused is False


async def test_nobody_else_does(ada, stranger, root, ports, refused):
    for verb in ("trigger", "pause", "resume"):
        refused(await ada.post(f"/api/v1/collectors/exchange/{verb}"), 403, "FORBIDDEN")
        refused(await stranger.post(f"/api/v1/collectors/exchange/{verb}"), 401, "UNAUTHENTICATED")
        refused(await root.post(f"/api/v1/collectors/glass/{verb}"), 404, "NOT_FOUND")
    assert ports.switches.triggered == 0
    assert (await ada.get("/api/v1/collectors")).status_code == 200


async def test_operators_ask_inside_with_their_token(root, ada, ports, refused):
    assert (await root.post(f"{INTERNAL}/trigger")).status_code == 200
    assert (await root.get(f"{INTERNAL}/status")).json()["data"]["state"] == "running"
    assert set((await root.get(f"{INTERNAL}/last-run")).json()["data"]) == {
        "state",
        "last_run_at",
        "rows_stored",
        "lag_s",
        "last_error",
    }
    refused(await ada.get(f"{INTERNAL}/status"), 403, "FORBIDDEN")


async def test_this_machine_is_an_operator_only_where_that_is_set(app, ports, refused):
    async with from_address(app, "127.0.0.1") as here:
        refused(await here.get(f"{INTERNAL}/status"), 401, "UNAUTHENTICATED")
    proxied = replace(ports, operators_are_local=True, rules=Rules(proxies=Proxies()))
    async with from_address(build(proxied), "127.0.0.1") as here:
        assert (await here.get(f"{INTERNAL}/status")).status_code == 200
        said = {"X-Forwarded-For": "203.0.113.7"}
        refused(await here.get(f"{INTERNAL}/status", headers=said), 401, "UNAUTHENTICATED")
        for name in ("Forwarded", "Via", "X-Real-IP"):
            passed_on = {name: "203.0.113.7"}
            refused(await here.get(f"{INTERNAL}/status", headers=passed_on), 401, "UNAUTHENTICATED")
        for name in ("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", ""):
            refused(await here.get(f"{INTERNAL}/status", headers={"Host": name}), 401, "UNAUTHENTICATED")
        for name in ("localhost", "LOCALHOST:8000", "[::1]:8000"):
            assert (await here.get(f"{INTERNAL}/status", headers={"Host": name})).status_code == 200
        page = {"Origin": "https://example.com"}
        refused(await here.post(f"{INTERNAL}/trigger", headers=page), 401, "UNAUTHENTICATED")
        refused(await here.get(f"{INTERNAL}/status", headers={"Authorization": "Bearer x"}), 401, "UNAUTHENTICATED")
    async with from_address(build(proxied), "203.0.113.7") as there:
        refused(await there.get(f"{INTERNAL}/status"), 401, "UNAUTHENTICATED")
    front = replace(proxied, rules=Rules(proxies=Proxies(own_front=True)))
    async with from_address(build(front), "127.0.0.1") as through:
        assert (await through.get(f"{INTERNAL}/status", headers={"X-Forwarded-For": "127.0.0.1"})).status_code == 200
        far = {"X-Forwarded-For": "203.0.113.7"}
        refused(await through.get(f"{INTERNAL}/status", headers=far), 401, "UNAUTHENTICATED")
