"""A person follows the floor and the prices of a running platform."""

import json
from uuid import uuid4

import httpx
import pytest
import websockets

from tests.end_to_end.platforms import omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres]


@pytest.fixture
def person(platform):
    """An access token, and a client that carries it."""
    email, password = f"{uuid4().hex}@example.org", "correct horse battery"
    omc(platform.home, "register", email)
    url = json.loads((platform.home / "run" / "platform.json").read_text())["url"]
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as http:
        answer = http.post("/auth/login", json={"email": email, "password": password})
        token = answer.json()["data"]["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield url.replace("http", "ws", 1) + "/api/v1/ws", token, http


async def test_a_halt_is_heard_as_it_happens_and_can_be_heard_again(person):
    url, token, http = person
    async with websockets.connect(f"{url}/floor", proxy=None) as floor:
        await floor.send(json.dumps({"token": token}))
        snapshot = json.loads(await floor.recv())
        assert (snapshot["type"], snapshot["data"]["halts"]) == ("snapshot", [])
        assert http.post("/floor/emergency-stop").status_code < 300
        halt = json.loads(await floor.recv())
        assert (halt["type"], halt["seq"], halt["data"]["kind"]) == ("halt", snapshot["seq"] + 1, "halt")
    async with websockets.connect(f"{url}/floor?seq={snapshot['seq']}", proxy=None) as floor:
        await floor.send(json.dumps({"token": token}))
        assert json.loads(await floor.recv())["type"] == "resumed"
        assert json.loads(await floor.recv()) == halt


async def test_prices_are_those_of_the_hot_cache(person):
    url, token, http = person
    latest = {row["coin"]: row["last"] for row in http.get("/data/prices/latest").json()["items"]}
    async with websockets.connect(f"{url}/prices", subprotocols=["bearer", token], proxy=None) as prices:
        shown = json.loads(await prices.recv())
        while not shown["data"]["quotes"]:
            shown = json.loads(await prices.recv())
    # The tape stands: nobody trades.
    assert {quote["coin"]: quote["last"] for quote in shown["data"]["quotes"]} == latest
