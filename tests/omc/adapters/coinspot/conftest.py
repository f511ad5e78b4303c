"""A sandbox exchange for tests: in the test's own process, and as a real one on loopback."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.app import RequestRate, SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import Key, KeyRing
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.exchange.server import listening
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials, signature
from omc.feature.frame import Frame
from omc.market.tape import Tape
from omc.market.terms import Terms
from omc.trading.paper.venue import PaperVenue

TOKEN = "control-token"
KEY, SECRET = "demo-key", "demo-secret"
READER = "reader-key"
ROOT = Path(__file__).parents[4]


def small_tape() -> Tape:
    """BTC and ETH with markets, PEPE without, and GONE quoted only from the third bar on."""
    bars = 6
    bid = np.array([[99.0 + bar, 9.0, 0.5, np.nan if bar < 2 else 4.0] for bar in range(bars)])
    times = np.datetime64("2025-01-01T00:00", "us") + np.arange(bars) * np.timedelta64(300, "s")
    return Tape(Frame(times, ("BTC", "ETH", "PEPE", "GONE"), bid, bid + 1, bid + 0.5), "a small tape")


def build(raw_only=False, rate_limit=0, lockstep=True, depth=None, min_order="1.00"):
    tape = small_tape()
    terms = Terms(market_coins=frozenset({"BTC", "ETH"}), min_order_aud=Decimal(min_order))
    venue = PaperVenue(terms, tape.frame.coins, depth)
    player = TapePlayer(tape, venue, 0, lockstep)
    ring = KeyRing(raw_only)
    control = ControlDesk(player, ring, TOKEN)
    control.add_key("demo", Decimal(10_000), KEY, SECRET)
    ring.keys[READER] = Key(ring.keys[KEY].customer, "reader-secret", full_access=False)
    return SandboxExchange(venue, ring, control, RequestRate(rate_limit))


@dataclass
class Wire:
    """A client by hand: it signs what it is given, and says everything that came back."""

    http: httpx.AsyncClient
    app: SandboxExchange
    nonces: Iterator[int] = field(default_factory=lambda: count(1))

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def post(self, path: str, key: str | None = KEY, secret: str = SECRET, **fields) -> httpx.Response:
        body = json.dumps({"nonce": next(self.nonces), **fields}, separators=(",", ":")).encode()
        return await self.raw(path, body, key, signature(secret, body))

    async def raw(self, path: str, body: bytes, key: str | None, sign: str | None) -> httpx.Response:
        headers = {name: value for name, value in (("key", key), ("sign", sign)) if value is not None}
        return await self.http.post(path, content=body, headers={"content-type": "application/json", **headers})

    async def control(self, method: str, path: str, fields=None, token: str = TOKEN) -> httpx.Response:
        return await self.http.request(method, f"/sandbox/{path}", json=fields, headers={"x-sandbox-token": token})

    async def step(self) -> None:
        await self.control("POST", "step", {"position": self.app.control.player.position})


def wire_to(app: SandboxExchange) -> Wire:
    return Wire(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox"), app)


@pytest.fixture
def make_wire() -> Callable[..., Wire]:
    """A hand on an exchange of one's own, built with options."""
    return lambda **options: wire_to(build(**options))


@pytest.fixture
async def wire(make_wire) -> AsyncIterator[Wire]:
    wire = make_wire()
    yield wire
    await wire.http.aclose()


FAULTS = ("cut", "silence", "500", "502 html", "200 html", "200 garbage", "404 html")
"""Ways for an answer to get lost."""


@dataclass
class Faulty:
    """An application that loses answers: `faults` says which, by path, one after another. "before" means that the
    application never saw the request, "after" that it carried it out."""

    app: SandboxExchange
    faults: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def lose(self, path: str, when: str, how: str) -> None:
        self.faults.setdefault(path, []).append((when, how))

    async def __call__(self, scope, receive, send) -> None:
        self.seen.append(scope["path"])
        planned = self.faults.get(scope["path"])
        if not planned:
            await self.app(scope, receive, send)
            return
        when, how = planned.pop(0)
        if when == "after":
            await self.app(scope, receive, _nowhere)
        await self._instead(how, send)

    async def _instead(self, how: str, send) -> None:
        if how == "silence":
            await asyncio.sleep(1.0)
        status, content = {
            "500": (500, b"Internal Server Error"),
            "502 html": (502, b"<html>bad gateway</html>"),
            "404 html": (404, b"<html>who are you?</html>"),
            "200 html": (200, b"<html>checking your browser</html>"),
            "200 garbage": (200, b'{"prices":'),
            "429": (429, b'{"status":"error","message":"slow down"}'),
        }.get(how, (200, b""))
        length = len(content) + (how in ("cut", "silence"))
        # One byte more than will come: the server then cuts the connection in the middle of the answer.
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if how not in ("cut", "silence"):
            await send({"type": "http.response.body", "body": content})


async def _nowhere(_) -> None:
    return None


@pytest.fixture
async def faulty(make_wire) -> AsyncIterator[tuple[Faulty, str]]:
    """An exchange that loses answers, and its address."""
    app = Faulty(make_wire().app)
    async with served(app) as url:
        yield app, url


@pytest.fixture
def make_client() -> Callable[[str, MemoryNonces], CoinspotClient]:
    """The demo account's client at an address, with nonces of the test's own."""
    return lambda url, nonces: CoinspotClient(url, Credentials(KEY, SECRET), nonces, account="demo", timeout_s=60.0)


@pytest.fixture
def demo_client(make_client) -> Callable[[str], CoinspotClient]:
    """The demo account's client at an address."""
    return lambda url: make_client(url, MemoryNonces())


@contextlib.asynccontextmanager
async def served(app) -> AsyncIterator[str]:
    """`app` on a socket of its own, answered by this event loop."""
    bound = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server._serve([bound]))
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
def served_at():
    return served


@pytest.fixture
def lossy():
    return Faulty


@dataclass(frozen=True)
class Process:
    url: str
    token_file: Path


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A real exchange process, and its address once it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omc.adapters.coinspot.exchange", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = process.stdout.readline()
    assert said.startswith("ready http://127.0.0.1:"), said
    return process, said.split()[1]


@pytest.fixture
def start_exchange() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts real exchange processes, and ends those that the test has not ended."""
    processes = []

    def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        process, url = start(*arguments)
        processes.append(process)
        return process, url

    yield started
    for process in processes:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory) -> Iterator[Process]:
    """One real exchange process a session, over a synthetic market in lock-step."""
    token_file = tmp_path_factory.mktemp("exchange") / "token"
    process, url = start(
        "--lockstep", "--token-file", str(token_file), "--seed", "1", "--days", "30", "--coin", "BTC", "--coin", "PEPE"
    )
    yield Process(url, token_file)
    process.terminate()
    assert process.wait(60) == 0
