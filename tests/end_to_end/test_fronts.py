"""The same platform behind each front, in the open and over TLS: people enter, ask, follow, and see it off."""

import asyncio
import json
import signal
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets

from cluster import front
from tests.crash.rows import Rows
from tests.crash.waiting import until
from tests.end_to_end.authority import Authority
from tests.end_to_end.platforms import Up, omc, running

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

PASSWORD = "correct horse battery"
API = "/api/v1"
ACCOUNT = "SELECT 1 FROM users WHERE email = %s FOR UPDATE"


@dataclass
class Platform:
    up: Up
    authority: Path | None

    @property
    def url(self) -> str:
        return str(json.loads((self.up.home / "run" / "platform.json").read_text())["url"])

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url + API, verify=self.trust, timeout=60, trust_env=False)

    def follow(self, path: str, **arguments: Any) -> websockets.connect:
        secured = {"ssl": self.trust} if self.authority else {}
        return websockets.connect(
            f"{self.url.replace('http', 'ws', 1)}{API}/ws/{path}", proxy=None, **secured, **arguments
        )


FRONTS = [
    pytest.param(("haproxy", True), id="HAProxy over TLS"),
    pytest.param(("haproxy", False), id="HAProxy"),
    pytest.param(("serve", True), id="Serve's proxy over TLS"),
    pytest.param(("serve", False), id="Serve's proxy"),
]


@pytest.fixture(scope="module", params=FRONTS)
def platform(request, tmp_path_factory) -> Iterator[Platform]:
    kind, secured = request.param
    if kind == "haproxy" and front.program() is None:
        pytest.skip("HAProxy does not come with Ray here")
    folder = tmp_path_factory.mktemp("fronts")
    chosen, authority = {"OMC_FRONT": kind}, None
    if secured:
        authority = Authority(folder)
        certificate, key = authority.certify("127.0.0.1", "localhost")
        chosen |= {"OMC_TLS_CERT": str(certificate), "OMC_TLS_KEY": str(key)}
    with running(folder / "home", **chosen) as up:
        yield Platform(up, authority and authority.file)


@pytest.fixture
def email(platform) -> str:
    """Of somebody who has signed in by the command line."""
    made = f"{uuid4().hex}@example.org"
    omc(platform.up.home, "register", made)
    return made


@pytest.fixture
def person(platform, email) -> Iterator[httpx.Client]:
    with platform.client() as http:
        granted = http.post("/auth/login", json={"email": email, "password": PASSWORD})
        assert granted.status_code == 200, granted.text
        http.headers["Authorization"] = f"Bearer {granted.json()['data']['access_token']}"
        yield http


def test_somebody_enters_and_asks(platform, person, email):
    asked = {path: person.get(path) for path in ("/users/profile", "/data/prices/latest", "/lab/algorithms")}
    asked["/floor/deployments"] = person.get("/floor/deployments")
    assert {path: answer.status_code for path, answer in asked.items()} == dict.fromkeys(asked, 200)
    assert asked["/users/profile"].json()["data"]["email"] == email
    told = {answer.headers.get("strict-transport-security") for answer in asked.values()}
    assert told == ({"max-age=31536000; includeSubDomains"} if platform.authority else {None})
    assert omc(platform.up.home, "status")["ready"] is True


async def test_somebody_follows_the_floor(platform, person):
    token = person.headers["Authorization"].removeprefix("Bearer ")
    async with platform.follow("floor") as floor, asyncio.timeout(60):
        await floor.send(json.dumps({"token": token}))
        assert json.loads(await floor.recv())["type"] == "snapshot"
        stopped = await asyncio.to_thread(person.post, "/floor/emergency-stop")
        assert stopped.status_code < 300
        assert json.loads(await floor.recv())["type"] == "halt"
    async with platform.follow("prices", subprotocols=["bearer", token]) as prices, asyncio.timeout(60):
        assert json.loads(await prices.recv())["type"]


def test_whoever_speaks_no_tls_or_knows_no_authority_is_not_let_in(platform, tmp_path):
    if platform.authority is None:
        pytest.skip("there is no TLS here")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{platform.url.replace('https', 'http', 1)}{API}/health", trust_env=False, timeout=60)
    for stranger in (ssl.create_default_context(), ssl.create_default_context(cafile=Authority(tmp_path).file)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            httpx.get(f"{platform.url}{API}/health", verify=stranger, trust_env=False, timeout=60)


def test_the_command_line_elsewhere_is_told_of_the_authority(platform, email, tmp_path, monkeypatch):
    if platform.authority is None:
        pytest.skip("there is no TLS here")
    monkeypatch.setenv("OMC_URL", platform.url.replace("127.0.0.1", "localhost"))
    monkeypatch.delenv("OMC_CA_FILE", raising=False)
    omc(tmp_path / "elsewhere", "login", email, code=3)
    monkeypatch.setenv("OMC_CA_FILE", str(platform.authority))
    omc(tmp_path / "elsewhere", "login", email)
    assert omc(tmp_path / "elsewhere", "status")["ready"] is True


def test_the_doctor_finds_every_port_on_the_loopback(platform):
    ports = omc(platform.up.home, "doctor")["ports"]
    assert [each for each in ports if each["warning"] or not each["what"]] == []
    assert {each["address"] for each in ports} <= {"127.0.0.1", "::1"}


async def test_whoever_was_let_in_is_answered_when_the_platform_is_told_to_stop(platform, person, email):
    lock = Rows(platform.up.home).lock(ACCOUNT, email)
    assert lock is not None
    token = person.headers["Authorization"].removeprefix("Bearer ")
    with ThreadPoolExecutor(1) as beside:
        async with platform.follow("floor", subprotocols=["bearer", token]) as floor, asyncio.timeout(100):
            assert json.loads(await floor.recv())["type"] == "snapshot"
            under_way = beside.submit(person.put, "/users/profile", json={"full_name": "In Time"})
            await asyncio.to_thread(until, lambda: lock.waited_for("users"), "a request under way")
            platform.up.process.send_signal(signal.SIGTERM)
            refused = await asyncio.to_thread(until, lambda: _refusal(platform), "a refusal")
            assert not under_way.done()
            lock.let_go()
            assert (await asyncio.to_thread(under_way.result, 60)).json()["data"]["full_name"] == "In Time"
            await floor.wait_closed()
    assert (floor.close_code, refused.status_code) == (1001, 503)
    assert refused.json()["error"]["code"] == "UNAVAILABLE"
    assert int(refused.headers["retry-after"]) > 0
    assert platform.up.stop() == 0, platform.up.log.read_text()


def _refusal(platform: Platform) -> httpx.Response | None:
    """What somebody new is told, once it is a no."""
    with platform.client() as stranger:
        try:
            answer = stranger.get("/health", timeout=5)
        except httpx.ConnectError:
            # For the moment in which the front is replaced.
            return None
    return None if answer.is_success else answer
