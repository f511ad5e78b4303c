"""Ports over in-memory twins: what the apps run on without a cluster or a database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from omc.access.signer import ACCESS_LIFE, Claims
from omc.adapters.jwt import JwtSigner
from omc.adapters.key_file import ensure_key
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.feature.frame import Frame
from omc.ledger.exchange import CollectorStatus, MemoryPriceArchive, QuotesSeen
from omc.market.quote import Quote, QuoteBoard

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)
BARS = 600
COINS = ("BTC", "DOGE", "ETH")


@dataclass
class MemoryHotCache:
    """A HotCache that shows the board that it is given."""

    board: QuoteBoard | None = None
    quotes_at: datetime | None = None
    reachable: bool = True

    async def newest(self) -> QuoteBoard | None:
        self._reach()
        return self.board

    async def after(self, consumer: str, done_until: datetime | None, timeout_s: float) -> QuotesSeen | None:
        self._reach()
        fresh = self.board is not None and (done_until is None or self.board.time > done_until)
        return QuotesSeen(self.board, bar=True) if self.board and fresh else None

    async def leave(self, consumer: str) -> None:
        self._reach()

    async def status(self) -> CollectorStatus:
        self._reach()
        faults = {"not json": 2}
        return CollectorStatus(
            "exchange", "running", self.quotes_at, self.quotes_at, 1_800, faults, None, 599, 600, None, self.quotes_at
        )

    def _reach(self) -> None:
        if not self.reachable:
            raise Unavailable("the exchange collector does not answer")


@dataclass
class Caller:
    """A client of one app, signed in or not."""

    http: httpx.AsyncClient
    user_id: UUID
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **arguments: object) -> httpx.Response:
        headers = {**self.headers, **arguments.pop("headers", {})}  # type: ignore[dict-item]
        return await self.http.request(method, path, headers=headers, **arguments)  # type: ignore[arg-type]

    async def get(self, path: str, **query: object) -> httpx.Response:
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, body: object = None, **arguments: object) -> httpx.Response:
        return await self.ask("POST", path, json=body, **arguments)

    async def put(self, path: str, body: object = None) -> httpx.Response:
        return await self.ask("PUT", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.ask("DELETE", path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def signer(tmp_path: Path) -> JwtSigner:
    ensure_key(tmp_path / "token.key")
    return JwtSigner(tmp_path / "token.key")


@pytest.fixture(scope="session")
def history() -> Frame:
    """Two days of quotes that swing enough to be traded, on the eight-decimal grid."""
    times = np.array([np.datetime64("2025-06-08T10:05", "us") + row * np.timedelta64(5, "m") for row in range(BARS)])
    swing = np.sin(np.arange(BARS)[:, None] / np.array([17.0, 11.0, 23.0]))
    last = np.round(np.array([90_000.0, 0.25, 3_500.0]) * (1 + 0.08 * swing), 8)
    return Frame(times.astype("M8[us]"), COINS, np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


@pytest.fixture
async def archive(history: Frame) -> MemoryPriceArchive:
    stored = MemoryPriceArchive()
    await stored.load(history)
    return stored


@pytest.fixture
def hot(history: Frame) -> MemoryHotCache:
    quotes = {
        coin: Quote(coin, *(Decimal(repr(float(side[-1, at]))) for side in (history.bid, history.ask, history.last)))
        for at, coin in enumerate(history.coins)
    }
    return MemoryHotCache(QuoteBoard(history.time(len(history) - 1), quotes), NOON - timedelta(seconds=2))


@pytest.fixture
async def calling(signer: JwtSigner, clock: ManualClock) -> AsyncIterator[Callable[..., Caller]]:
    """`calling(app, prefix)` is a client of `app` as it is served under `prefix`, signed in as `user_id`."""
    async with AsyncExitStack() as stack:
        opened: dict[int, httpx.AsyncClient] = {}

        def of(app: FastAPI, prefix: str = "", user_id: UUID | None = None, *, signed_in: bool = True) -> Caller:
            if id(app) not in opened:
                transport = httpx.ASGITransport(app, root_path=prefix)
                opened[id(app)] = httpx.AsyncClient(transport=transport, base_url=f"http://omc{prefix}")
                stack.push_async_callback(opened[id(app)].aclose)
            asker = user_id or uuid4()
            claims = Claims(asker, uuid4(), clock.now(), clock.now() + ACCESS_LIFE)
            headers = {"Authorization": f"Bearer {signer.sign(claims)}"} if signed_in else {}
            return Caller(opened[id(app)], asker, headers)

        yield of


def envelope_of(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The error that an answer must be, with everything that every error must have."""
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code), body
    assert set(body) == {"status", "error"}
    assert body["status"] == "error"
    assert set(body["error"]) == {"code", "message", "details"}
    assert isinstance(body["error"]["message"], str)
    assert body["error"]["message"]
    assert isinstance(body["error"]["details"], dict)
    assert answer.headers.get_list("x-request-id") != []
    assert answer.headers["content-type"] == "application/json"
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    return body["error"]  # type: ignore[no-any-return]


@pytest.fixture
def refused() -> Callable[[httpx.Response, int, str], dict[str, object]]:
    return envelope_of
