"""The ports of the floor as it has them, with a stamp before and after what is measured. Nothing else is changed."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import numpy as np

from actors.handle import CollectorHandle, RiskHandle
from bench.flooring.stamps import Stamps
from omc.adapters.coinspot.line import Line
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.venue import CoinspotPaperVenues, CoinspotVenue
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.nonces import PostgresNonces
from omc.feature.frame import FloatArray, Frame
from omc.ledger.exchange import CollectorStatus, PriceSource, QuotesSeen
from omc.market.quote import QuoteBoard
from omc.market.terms import Terms
from omc.risk.verdict import Denied
from omc.strategy.maker import Make
from omc.trading.blotter import Decision, TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.exits import Exits
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent

ORDER_PATHS = frozenset(f"/api/v2/my/{side}{how}" for side in ("buy", "sell") for how in ("", "/now"))


@dataclass(frozen=True, slots=True)
class TimedPrices:
    """A PriceSource: when the collector had which board."""

    source: PriceSource
    stamps: Stamps

    async def latest(self) -> QuoteBoard:
        board = await self.source.latest()
        self.stamps.mark("polled", said=board.time.isoformat())
        return board


@dataclass(frozen=True, slots=True)
class TimedQuotes:
    """A HotCache: when a trader had a bar's quotes."""

    handle: CollectorHandle
    stamps: Stamps

    async def newest(self) -> QuoteBoard | None:
        return await self.handle.newest()

    async def after(self, consumer: str, done_until: datetime | None, timeout_s: float) -> QuotesSeen | None:
        seen = await self.handle.after(consumer, done_until, timeout_s)
        if seen is not None and seen.bar:
            self.stamps.mark("seen", consumer.rsplit(":", 1)[-1], seen.board.time.isoformat())
        return seen

    async def leave(self, consumer: str) -> None:
        await self.handle.leave(consumer)

    async def status(self) -> CollectorStatus:
        return await self.handle.status()


@dataclass(frozen=True, slots=True)
class TimedDesk(RiskHandle):
    """A RiskDesk: when a trader asked it, and had its answer."""

    stamps: Stamps = field(kw_only=True)

    async def submit(self, intent: OrderIntent, trader: Lease, memory: TraderMemory | None = None) -> Order | Denied:
        self.stamps.mark("asked", intent.deployment_id.hex, intent.quoted_at.isoformat())
        answer = await RiskHandle.submit(self, intent, trader, memory)
        status = "denied" if isinstance(answer, Denied) else answer.status.value
        self.stamps.mark("answered", intent.deployment_id.hex, status)
        return answer


@dataclass(frozen=True, slots=True)
class TimedBlotter(PostgresBlotter):
    """A Blotter: the commits that an order waits for, and the one by which a bar is finished: it holds what was decided
    on that bar, and says so in the journal where that is something new."""

    stamps: Stamps

    async def begin(
        self, intent: OrderIntent, trader: Lease | None = None, memory: TraderMemory | None = None
    ) -> Order:
        self.stamps.mark("begin", intent.deployment_id.hex)
        order = await PostgresBlotter.begin(self, intent, trader, memory)
        self.stamps.mark("begun", intent.deployment_id.hex)
        return order

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        self.stamps.mark("submitting", order.intent.deployment_id.hex)
        sent = await PostgresBlotter.submitting(self, order, trader, risk)
        self.stamps.mark("submitted", order.intent.deployment_id.hex)
        return sent

    async def remember(
        self,
        deployment_id: UUID,
        memory: TraderMemory,
        decision: Decision | None = None,
        *,
        trader: Lease | None = None,
    ) -> None:
        self.stamps.mark("remember", deployment_id.hex)
        await PostgresBlotter.remember(self, deployment_id, memory, decision, trader=trader)
        self.stamps.mark("remembered", deployment_id.hex)
        if memory.done_until is not None:
            self.stamps.mark("finished", deployment_id.hex, memory.done_until.isoformat())


@dataclass(frozen=True, slots=True)
class TimedNonces(PostgresNonces):
    """A NonceStore: what an order takes under its lease."""

    stamps: Stamps

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        if sender is None:
            return await PostgresNonces.next(self, account, now_ms, sender)
        key = UUID(account).hex
        self.stamps.mark("nonce", key)
        nonce = await PostgresNonces.next(self, account, now_ms, sender)
        self.stamps.mark("nonced", key)
        return nonce


class TimedLine(Line):
    """A Channel: when an order was handed to it, and when the bytes of its body leave."""

    def __init__(self, base_url: str, stamps: Stamps, key: str) -> None:
        super().__init__(base_url)
        self._stamps, self._key = stamps, key

    async def send(self, method: str, path: str, **content: Any) -> Any:
        if path in ORDER_PATHS:
            self._stamps.mark("send", self._key)
        return await super().send(method, path, **content)

    def _traces(self) -> list[aiohttp.TraceConfig]:
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(self._leaving)
        return [trace]

    async def _leaving(self, _: object, __: object, sent: aiohttp.TraceRequestChunkSentParams) -> None:
        # It is told right before the bytes are written.
        if sent.url.path in ORDER_PATHS:
            self._stamps.mark("wire", self._key)


@dataclass(frozen=True, slots=True)
class TimedVenues:
    """A Venues of paper accounts, each on a line of its own."""

    control: SandboxControl
    base_url: str
    dsn_file: Path
    terms: Terms
    stamps: Stamps

    async def open(self, deployment: Deployment) -> CoinspotVenue:
        nonces = TimedNonces(Database(self.dsn_file), self.stamps)
        return await CoinspotPaperVenues(
            self.control,
            self.base_url,
            nonces,
            self.terms,
            line=lambda: TimedLine(self.base_url, self.stamps, deployment.id.hex),
        ).open(deployment)


class Restless:
    """An algorithm that wants now more of each coin, now less, so that every bar has an order."""

    algorithm_type = "restless"
    fewest_coins, most_coins, memory_bars = 1, None, 1
    exits = Exits()

    def predict(self, frame: Frame) -> FloatArray:
        odd = (frame.times.astype("datetime64[s]").astype(np.int64) // 300) % 2
        share = np.where(odd, 0.3, 0.6) / len(frame.coins)
        return np.repeat(share[:, None], len(frame.coins), axis=1)

    def close(self) -> None:
        """It has nothing that it could leave behind."""


class RestlessMaker:
    """A Maker of nothing else."""

    unsafe = False

    def of(self, code: str | None, model: bytes | None = None) -> Make:
        return make_restless


def make_restless(*_: Any) -> Any:
    return Restless()
