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

from omc.adapters.coinspot.exchange.app import RequestRate, SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import Key, KeyRing
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.exchange.server import listening
from omc.adapters.coinspot.signature import signature
from omc.feature.frame import Frame
from omc.market.tape import Tape
from omc.market.terms import Terms
from omc.trading.paper_venue import PaperVenue

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


@contextlib.asynccontextmanager
async def served(app) -> AsyncIterator[str]:
    """`app` on a socket of its own, answered by this event loop."""
    bound = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server._serve([bound]))
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    await serving


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
        process.wait(10)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory) -> Iterator[Process]:
    """One real exchange process a session, over a synthetic market in lock-step."""
    token_file = tmp_path_factory.mktemp("exchange") / "token"
    process, url = start(
        "--lockstep", "--token-file", str(token_file), "--seed", "1", "--days", "30", "--coin", "BTC", "--coin", "PEPE"
    )
    yield Process(url, token_file)
    process.terminate()
    assert process.wait(10) == 0
