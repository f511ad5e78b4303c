"""One deployment's trader: it waits for bars, asks the core what to do, and does it.

It knows nothing that is not in the journal, so every fault and every death ends the same way: forget all, recall, and
ask for the first bar that is not finished.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import numpy as np
import ray

from actors import address
from omc.errors import Halted, InvalidInput, NotFound, OmcError, StaleLease
from omc.feature.frame import FloatArray
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import HotCache, PriceArchive, QuotesSeen
from omc.market.terms import Terms
from omc.risk.verdict import Denied
from omc.strategy.algorithm import Algorithm
from omc.trading.blotter import Blotter, Decision, TraderMemory
from omc.trading.deployment import Deployment, DeploymentStatus, DeploymentStore
from omc.trading.fill import Side
from omc.trading.floor import RiskDesk, TraderState, TraderStats
from omc.trading.lease import Lease, LeaseStore
from omc.trading.order import Order
from omc.trading.trader import (
    Command,
    Decide,
    Event,
    Halt,
    IntentDenied,
    Mandate,
    OrderEnded,
    QuotesArrived,
    Remember,
    Submit,
    Trader,
    WeightsDecided,
    client_order_id,
)
from omc.trading.window import Window, last_bids, prices

_log = logging.getLogger(__name__)
_SAMPLE = 1000
_JOURNAL_PAGE = 200


@dataclass(frozen=True)
class TraderPorts:
    """What a trader works with."""

    blotter: Blotter
    deployments: DeploymentStore
    leases: LeaseStore
    archive: PriceArchive
    quotes: HotCache
    desk: RiskDesk
    make: Callable[[str, Mapping[str, Any]], Algorithm]
    """An algorithm of a type with its parameters; InvalidInput when there is none such."""
    terms: Terms = field(default_factory=Terms)
    patience_s: float = 10.0
    """How long one wait for quotes may last: a restarted collector must learn who waits."""
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=1.0, longest_s=30.0, first_s=0.1))


@dataclass(slots=True)
class _Seat:
    """What a trader needs to trade, as it stood when it sat down."""

    deployment: Deployment
    lease: Lease
    algorithm: Algorithm
    cursor: datetime | None
    """The newest board that it was handed, or the last bar that it finished."""
    trader: Trader | None = None
    window: Window | None = None


class TraderActor:
    """The trader of one deployment; holds no credentials."""

    def __init__(self, ports: TraderPorts, deployment_id: UUID, name: str) -> None:
        self._ports = ports
        self._deployment_id = deployment_id
        self._name = name
        self._state, self._last_error = "starting", ""
        self._lease: Lease | None = None
        self._stopping = asyncio.Event()
        self._bars = 0
        self._orders = 0
        self._order_ms: deque[float] = deque(maxlen=_SAMPLE)
        self._bar_ms: list[float] = []
        self._arrived = 0.0
        self._task = address.background(self._run(), name)

    def __repr__(self) -> str:
        return self._name

    @ray.method(concurrency_group="control")
    def ping(self) -> str:
        return f"{self._name} {self._state}"

    @ray.method(concurrency_group="control")
    def state(self) -> TraderState:
        restarts = self._lease.epoch - 1 if self._lease else 0
        return TraderState(self._name, self._deployment_id, self._state, restarts, self._last_error or None)

    async def stats(self) -> TraderStats:
        return TraderStats(self._bars, self._orders, tuple(self._order_ms))

    async def stop(self) -> None:
        """Finish the order under way, if any, and do nothing more."""
        self._stopping.set()
        await asyncio.wait([self._task])

    # The loop

    async def _run(self) -> None:
        faults = 0
        while not self._stopping.is_set():
            try:
                seat = await self._sit_down()
                if seat is None:
                    break
                await self._ports.deployments.report_error(self._deployment_id, None)
                self._state, self._last_error, faults = "running", "", 0
                await self._trade(seat)
            except StaleLease as error:
                # Another has this trader's place. To go on, or to try again, would make two of one.
                self._end("stopped", str(error))
                return
            except (Halted, InvalidInput, NotFound) as error:
                await self._pause(str(error))
                return
            except Exception as error:
                faults += 1
                await self._report(error)
                await self._rest(self._ports.cadence.pause_s(faults))
        self._end("stopped", "")

    async def _trade(self, seat: _Seat) -> None:
        while not self._stopping.is_set():
            seen = await self._next_quotes(seat.cursor)
            if seen is None:
                continue
            seat.cursor = seen.board.time
            if seen.bar:
                self._arrived = time.perf_counter()
                await self._on_bar(seat, seen)

    async def _on_bar(self, seat: _Seat, seen: QuotesSeen) -> None:
        bid, ask, last = prices(seen.board, seat.deployment.coins)
        if np.isnan(bid).all():
            return  # none of its coins is quoted: for this deployment the bar does not exist
        if seat.window is not None and seat.window.follows(seen.board.time):
            seat.window.append(seen.board.time, bid, ask, last)
        else:
            await self._look_back(seat, seen.board.time)
        if seat.trader is not None:
            await self._carry_out(seat, seat.trader, QuotesArrived(seen.board.time, bid, ask))
        self._bars += 1

    async def _carry_out(self, seat: _Seat, trader: Trader, event: Event) -> None:
        todo = deque(trader.handle(event))
        self._bar_ms = []
        while todo and not self._stopping.is_set():
            outcome = await self._perform(seat, todo.popleft())
            todo += trader.handle(outcome) if outcome is not None else ()

    async def _perform(self, seat: _Seat, command: Command) -> Event | None:
        match command:
            case Remember(memory, decision):
                await self._remember(memory, decision)
            case Submit(intent):
                answer = await self._ports.desk.submit(intent, seat.lease)
                self._measure()
                return IntentDenied(answer) if isinstance(answer, Denied) else OrderEnded(answer)
            case Decide(at):
                return WeightsDecided(at, self._weights(seat))
            case Halt(reason):
                raise Halted(reason)
        return None

    async def _remember(self, memory: TraderMemory, decision: Decision | None) -> None:
        if decision is not None and self._bar_ms:
            decision = replace(decision, order_ms=tuple(self._bar_ms))
        await self._ports.blotter.remember(self._deployment_id, memory, decision)

    def _weights(self, seat: _Seat) -> FloatArray:
        if seat.window is None:
            raise ValueError("there are no bars to decide on")
        try:
            return np.asarray(seat.algorithm.predict(seat.window.frame()), dtype=np.float64)[-1]
        except Exception as error:
            # An algorithm is anybody's code, and may fail in any way; asking again would not help it.
            raise Halted(f"the algorithm failed: {type(error).__name__}: {error}") from error

    def _measure(self) -> None:
        took_ms = round((time.perf_counter() - self._arrived) * 1000, 3)
        self._bar_ms.append(took_ms)
        self._order_ms.append(took_ms)
        self._orders += 1

    async def _next_quotes(self, cursor: datetime | None) -> QuotesSeen | None:
        """The next board, or None after a while or when it is time to stop."""
        asking = asyncio.ensure_future(self._ports.quotes.after(self._name, cursor, self._ports.patience_s))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait([asking, stopping], return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()
            stopping.cancel()

    # Recovery

    async def _sit_down(self) -> _Seat | None:
        """Recall what there is to trade; None when the deployment is not active."""
        ports = self._ports
        deployment = await ports.deployments.get(self._deployment_id)
        if deployment.status is not DeploymentStatus.ACTIVE:
            return None
        if self._lease is None:
            self._lease = await ports.leases.take(self._name, address.holder())
            if self._lease.epoch > 1:
                await self._recall_sample(deployment)
        algorithm = ports.make(deployment.algorithm_type, deployment.parameters)
        memory = await ports.blotter.recall(deployment.id)
        return _Seat(deployment, self._lease, algorithm, memory.done_until)

    async def _look_back(self, seat: _Seat, until: datetime) -> None:
        """Read the bars up to and including `until`, and rebuild the trader that meets them."""
        ports, coins = self._ports, seat.deployment.coins
        memory = await ports.blotter.recall(seat.deployment.id)
        ended = await self._end_orders(seat, memory, until)
        account = await ports.blotter.account(seat.deployment.id)
        tail = await ports.archive.tail(coins, until, max(seat.algorithm.memory_bars, 1))
        marks = last_bids(tail)
        for coin, position in account.positions.items():
            if position.quantity and coin not in marks:
                marks |= last_bids(await ports.archive.tail((coin,), until, 1))
        mandate = Mandate(
            deployment_id=seat.deployment.id,
            user_id=seat.deployment.user_id,
            coins=coins,
            rebalance_band=seat.deployment.rebalance_band,
            stop_loss=seat.algorithm.stop_loss,
            terms=ports.terms,
        )
        seat.window = Window(tail, max(seat.algorithm.memory_bars, 1))
        seat.trader = Trader(mandate, memory, account, ended=ended, marks=marks)

    async def _end_orders(self, seat: _Seat, memory: TraderMemory, until: datetime) -> list[Order]:
        """The orders of a rebalance that a death cut short, each carried to its end before the account is read: so no
        fill is counted twice, and none is missed. What there is of the bar to come counts as well, though the memory
        should know of it: were the memory older than the orders, they would be counted again."""
        times = {until, memory.rebalance.quoted_at} if memory.rebalance else {until}
        ended: list[Order] = []
        for quoted_at, coin, side in product(sorted(times), seat.deployment.coins, Side):
            name = client_order_id(seat.deployment.id, quoted_at, coin, side)
            order = await self._ports.blotter.order(name)
            if order is not None and not order.status.final:
                await self._ports.desk.submit(order.intent, seat.lease)
                order = await self._ports.blotter.order(name)
            ended += [order] if order is not None else []
        return ended

    async def _recall_sample(self, deployment: Deployment) -> None:
        entries, _ = await self._ports.blotter.journal(
            deployment.user_id, deployment.id, ("decision",), 0, _JOURNAL_PAGE
        )
        for entry in reversed(entries):
            sample = [float(each) for each in entry.data.get("order_ms", ())]
            self._order_ms.extend(sample)
            self._orders += len(sample)

    # Ends

    async def _pause(self, reason: str) -> None:
        """Pause the deployment, however long it takes to say so."""
        self._last_error = reason
        faults = 0
        while not self._stopping.is_set():
            try:
                await self._ports.deployments.report_error(self._deployment_id, reason)
                deployment = await self._ports.deployments.get(self._deployment_id)
                if deployment.status is DeploymentStatus.ACTIVE:
                    await self._ports.deployments.set_status(self._deployment_id, DeploymentStatus.PAUSED, reason)
                break
            except NotFound:
                break
            except OmcError as error:
                faults += 1
                _log.warning("cannot pause yet", extra={"actor": self._name, "error": str(error)})
                await self._rest(self._ports.cadence.pause_s(faults))
        self._end("halted", reason)

    async def _report(self, error: Exception) -> None:
        self._state, self._last_error = "failed", f"{type(error).__name__}: {error}"
        if isinstance(error, OmcError):
            _log.warning("trader backs off", extra={"actor": self._name, "error": str(error)})
        else:
            _log.exception("trader failed", extra={"actor": self._name})
        try:
            await self._ports.deployments.report_error(self._deployment_id, self._last_error)
        except OmcError as unreported:
            _log.warning("error not stored", extra={"actor": self._name, "error": str(unreported)})

    async def _rest(self, pause_s: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), pause_s)
        except TimeoutError:
            return

    def _end(self, state: str, reason: str) -> None:
        self._state, self._last_error = state, reason
        _log.info("trader ended", extra={"actor": self._name, "state": state, "reason": reason})
