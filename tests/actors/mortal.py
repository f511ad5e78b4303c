"""A whole floor in one process, whose actors die on cue and come back as Ray would bring them back: with nothing."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from actors.collector import CollectorPorts, ExchangeCollector
from actors.crew import Crew
from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
from actors.supervisor import Supervisor
from actors.trader import TraderActor, TraderPorts
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.feature.frame import FloatArray, Frame
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import MemoryPriceArchive
from omc.market.tape import Tape
from omc.market.terms import Terms
from omc.risk.halt_files import MemoryHaltFiles
from omc.risk.kill_switch import MemoryKillSwitch
from omc.risk.limits import Limits
from omc.risk.store import MemoryRiskStore
from omc.strategy.algorithm import MemoryAlgorithmStore
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode, trader_name
from omc.trading.exits import Exits
from omc.trading.fill import Fill
from omc.trading.floor import TraderState
from omc.trading.lease import MemoryLeaseStore
from omc.trading.paper.exchange import MemoryExchange
from omc.trading.reconciliation.venue_book import MemoryVenueBook

START = datetime(2025, 1, 1, tzinfo=UTC)
COINS = ("BTC", "XYZ", "ETH")
USER = UUID(int=7)
TERMS = Terms()
QUICK = Cadence(every_s=0.01, longest_s=0.01, first_s=0.001)
LIMITS = Limits(Decimal(1_000_000), Decimal(1_000_000), Decimal(1_000_000))


class Died(BaseException):
    """The process is gone. Nothing in an actor may catch it."""


@dataclass
class Fuse:
    """Burns at the calls that it names, counted from 1: before the call's effect when negative, after it when not."""

    at: Collection[int] = ()
    calls: int = 0
    burned: bool = False
    """Since its caller was last buried."""

    def burns(self, before: bool) -> bool:
        burns = (-self.calls if before else self.calls) in self.at
        self.burned |= burns
        return burns


class Fused:
    """A port whose caller may die at any call."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def called(*args: Any, **kwargs: Any) -> Any:
            self._fuse.calls += 1
            if self._fuse.burns(before=True):
                raise Died
            answer = await method(*args, **kwargs)
            if self._fuse.burns(before=False):
                raise Died
            return answer

        return called


class Written:
    """An algorithm that wants what is written for each time."""

    exits = Exits()
    memory_bars = 1

    def __init__(self, weights: dict[np.datetime64, FloatArray], exits: Exits | None = None) -> None:
        self._weights, self.exits = weights, exits or Exits()

    def predict(self, frame: Frame) -> FloatArray:
        return np.stack([self._weights[time] for time in frame.times])

    def close(self) -> None:
        pass


def market(rows: int, seed: int = 1, gaps: float = 0.1) -> tuple[Tape, FloatArray]:
    """A tape, and weights that trade on most of its bars."""
    rng = np.random.default_rng(seed)
    shape = (rows, len(COINS))
    bid = np.array([90_000.0, 0.4, 3.0]) * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    bid = np.rint(bid * 1e8) / 1e8
    ask = np.rint(bid * (1 + rng.uniform(0, 0.01, shape)) * 1e8) / 1e8
    missing = (rng.random(shape) < gaps) & (np.arange(rows) > 0)[:, None]
    missing[missing.all(axis=1), 0] = False
    bid, ask = np.where(missing, np.nan, bid), np.where(missing, np.nan, ask)
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    weights = rng.random(shape) * (rng.random(shape) < 0.7)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    return Tape(Frame(times, COINS, bid, ask, bid), "a test's"), weights


def deployment(number: int = 1, **changes: Any) -> Deployment:
    made = Deployment(
        id=UUID(int=number << 96),
        user_id=USER,
        algorithm_id=UUID(int=99),
        algorithm_version=1,
        algorithm_type="written",
        name=f"test {number}",
        coins=COINS,
        parameters={},
        mode=Mode.PAPER,
        venue="coinspot",
        cash_aud=Decimal("10000.00"),
        limits=LIMITS,
        rebalance_band=0.0,
        status=DeploymentStatus.ACTIVE,
        deployed_at=START,
    )
    return replace(made, **changes)


@dataclass
class Shipped:
    """A Maker of what a test makes."""

    make: Callable[[str, Any], Any]
    unsafe: bool = False

    def of(self, code: str | None) -> Callable[[str, Any], Any]:
        return self.make


@dataclass
class House:
    """The stores and the exchange live on; collector, risk desk and traders come and go."""

    tape: Tape
    make: Callable[[str, Any], Any]
    """Makes algorithms that ship with the platform."""
    risk_fuse: Fuse = field(default_factory=Fuse)
    trader_fuse: Fuse = field(default_factory=Fuse)
    collector_fuse: Fuse = field(default_factory=Fuse)

    def __post_init__(self) -> None:
        self.clock = ManualClock(START)
        self.maker: Any = Shipped(self.make)
        self.algorithms = MemoryAlgorithmStore(self.clock)
        self.deployments = MemoryDeploymentStore(self.clock)
        self.leases = MemoryLeaseStore()
        self.kill_switch = MemoryKillSwitch(START)
        self.blotter = MemoryBlotter(self.deployments, self.leases, self.kill_switch)
        self.halt_files = MemoryHaltFiles()
        self.risk_store = MemoryRiskStore(self.deployments, self.blotter)
        self.venue_book = MemoryVenueBook(self.clock, self.deployments.journal)
        self.archive = MemoryPriceArchive()
        self.exchange = MemoryExchange.playing(self.tape, TERMS)
        self.crew = MortalCrew(self)
        self.deaths = 0
        self._collector: ExchangeCollector | None = None
        self._risk: RiskActor | None = None
        self.supervisor: Supervisor | None = None

    # What callers hold: as the real handles, they go on to the successor of whoever died.

    async def submit(self, *args: Any) -> Any:
        return await self._desk("submit", *args)

    async def halt(self, *args: Any) -> Any:
        return await self._desk("halt", *args)

    async def trip(self, halt: Any) -> None:
        self.risk().trip(halt)

    async def release(self, *args: Any) -> Any:
        return await self._desk("release", *args)

    async def reconcile(self, *args: Any) -> Any:
        return await self._desk("reconcile", *args)

    async def _desk(self, method: str, *args: Any) -> Any:
        while True:
            desk = self.risk()
            try:
                return await getattr(desk, method)(*args)
            except Died:
                self._bury_risk(desk)
            except Unavailable:
                if not desk._task.done() or desk._task.cancelled() or desk._task.exception() is None:
                    await asyncio.sleep(0.001)
                else:
                    self._bury_risk(desk)

    def risk(self) -> RiskActor:
        if self.risk_fuse.burned and self._risk is not None:
            # It may have died in what goes on beside its calls.
            self._bury_risk(self._risk)
        if self._risk is None:
            self._risk = RiskActor(self.risk_ports(), retire=lambda: None)
        return self._risk

    def _bury_risk(self, desk: RiskActor) -> None:
        if self._risk is desk:
            self.deaths += 1
            self._risk = None
            self.risk_fuse.burned = False
            for task in (desk._task, *desk._settling):
                task.cancel()

    async def newest(self) -> Any:
        return await self.collector().newest()

    async def after(self, *args: Any) -> Any:
        return await self.collector().after(*args)

    async def leave(self, consumer: str) -> None:
        await self.collector().leave(consumer)

    def collector(self) -> ExchangeCollector:
        # Looked at, or else the collection of garbage tells of it: in CPython 3.11 that breaks a parser under way.
        if self._collector is not None and self._collector._task.done() and self._collector._task.exception():
            self.deaths += 1
            self._collector = None
        if self._collector is None:
            self._collector = ExchangeCollector(self.collector_ports())
        return self._collector

    def collector_ports(self) -> CollectorPorts:
        exchange = Fused(self.exchange, self.collector_fuse)
        archive = Fused(self.archive, self.collector_fuse)
        return CollectorPorts(exchange, archive, self.clock, self.deployments, exchange, QUICK)

    def risk_ports(self) -> RiskPorts:
        fuse = self.risk_fuse
        return RiskPorts(
            blotter=Fused(self.blotter, fuse),
            deployments=Fused(self.deployments, fuse),
            leases=Fused(self.leases, fuse),
            kill_switch=Fused(self.kill_switch, fuse),
            venues=FusedVenues(self, fuse),
            venue_book=Fused(self.venue_book, fuse),
            quotes=self,
            clock=self.clock,
            terms=TERMS,
            cadence=QUICK,
            sell_out_patience_s=0.2,
            halt_files=self.halt_files,
            look_every_s=0.005,
            round_every_s=3600.0,
            risk=self.risk_store,
        )

    def trader_ports(self) -> TraderPorts:
        fuse = self.trader_fuse
        return TraderPorts(
            blotter=Fused(self.blotter, fuse),
            algorithms=Fused(self.algorithms, fuse),
            deployments=Fused(self.deployments, fuse),
            leases=Fused(self.leases, fuse),
            archive=Fused(self.archive, fuse),
            quotes=Fused(self, fuse),
            desk=Fused(self, fuse),
            maker=self.maker,
            terms=TERMS,
            patience_s=0.2,
            cadence=QUICK,
        )

    def fills(self, of: Deployment) -> list[tuple[Fill, Decimal]]:
        orders = [row.order for row in self.blotter._rows_of(of.id)]
        return [(fill, order.intent.quote_price_aud) for order in orders for fill in order.fills]

    async def play(self, *deployments: Deployment) -> None:
        """Deploy, and trade to the end of the tape."""
        for each in deployments:
            await self.deployments.create(each)
        self.supervisor = Supervisor(self.deployments, self.crew, self, every_s=0.002)
        end = self.tape.frame.time(-1)
        async with asyncio.timeout(300):
            for each in deployments:
                while (await self.blotter.recall(each.id)).done_until != end:  # noqa: ASYNC110 - a blotter tells nobody
                    await asyncio.sleep(0.002)

    async def close(self) -> None:
        self.deaths += self.risk_fuse.burned
        tasks = [actor._task for actor in (self.supervisor, self._risk, self._collector) if actor]
        tasks += [trader._task for trader in self.crew.traders.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class FusedVenues:
    """Venues whose accounts' caller may die at any call."""

    def __init__(self, house: House, fuse: Fuse) -> None:
        self._house, self._fuse = house, fuse

    async def open(self, deployment: Deployment) -> Any:
        return Fused(await self._house.exchange.open(deployment), self._fuse)


class MortalCrew(Crew):
    """Traders in this process; one that died is constructed again, as Ray would."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.traders: dict[str, TraderActor] = {}
        self._ids: dict[str, UUID] = {}

    async def running(self) -> list[str]:
        for name, trader in list(self.traders.items()):
            if trader._task.done() and isinstance(trader._task.exception(), Died):
                self._house.deaths += 1
                self.traders[name] = TraderActor(self._house.trader_ports, self._ids[name], name)
        return list(self.traders)

    async def start(self, deployment: Deployment) -> None:
        name = trader_name(deployment)
        self._ids[name] = deployment.id
        self.traders[name] = TraderActor(self._house.trader_ports, deployment.id, name)

    async def stop(self, name: str) -> None:
        if name in self.traders:
            await self.traders[name].stop()
            del self.traders[name]

    async def state(self, name: str) -> TraderState:
        return self.traders[name].state()
