"""One deployment's trader: it waits for bars and trades on them, until its deployment is not active any more.

It knows nothing that is not journaled, so every fault and every death ends the same way: forget all, sit down again,
and ask for the first bar that is not finished.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import ray

from actors import address
from omc.errors import Halted, InvalidInput, NotFound, OmcError, Overtaken, StaleLease
from omc.ledger.cadence import Cadence
from omc.ledger.catalyst import CatalystLedger, MemoryCatalysts
from omc.ledger.exchange import HotCache, PriceArchive, QuotesSeen
from omc.logs import LogStyle
from omc.market.terms import Terms
from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import Maker
from omc.strategy.model_store import MemoryModelStore, ModelStore
from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStatus, DeploymentStore
from omc.trading.floor import RiskDesk, TraderState, TraderStats
from omc.trading.lease import Lease, LeaseStore

if TYPE_CHECKING:
    from actors.seat import Pace, Seat

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TraderPorts:
    """What a trader works with."""

    blotter: Blotter
    algorithms: AlgorithmStore
    deployments: DeploymentStore
    leases: LeaseStore
    archive: PriceArchive
    quotes: HotCache
    desk: RiskDesk
    maker: Maker = field(default=Maker())
    models: ModelStore = field(default_factory=MemoryModelStore)
    terms: Terms = field(default_factory=Terms)
    catalysts: CatalystLedger = field(default_factory=MemoryCatalysts)
    logs: LogStyle | None = None
    """How its process writes its log; as it does anyway, where nothing is said."""
    patience_s: float = 10.0
    """How long one wait for quotes may last: a restarted collector must learn who waits."""
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=1.0, longest_s=30.0, first_s=0.1))
    seconds: Callable[[], float] = time.perf_counter
    """What measures how long an order took. An event loop's own time is too coarse for it."""


class TraderActor:
    """The trader of one deployment; holds no credentials."""

    def __init__(self, ports: Callable[[], TraderPorts], deployment_id: UUID, name: str) -> None:
        self._ports = ports()
        if self._ports.logs:
            self._ports.logs.install()
        self._deployment_id = deployment_id
        self._name = name
        self._state, self._last_error = "starting", ""
        self._lease: Lease | None = None
        self._seat: Seat | None = None
        self._pace: Pace | None = None
        self._faults = 0
        self._stopping = asyncio.Event()
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
        if self._pace is None:
            return TraderStats(0, 0, ())
        return TraderStats(self._pace.bars, self._pace.orders, tuple(self._pace.order_ms))

    async def stop(self) -> None:
        """Finish the command under way, if any, and do nothing more."""
        self._stopping.set()
        if self._seat is not None:
            self._seat.leaving = True
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                deployment = await self._ports.deployments.get(self._deployment_id)
                if deployment.status is not DeploymentStatus.ACTIVE:
                    break
                await self._sit(deployment)
            except Overtaken:
                # Nothing is wrong: the books have moved over its head, and it sits down to what they are now.
                _log.info("trader looks again", extra={"actor": self._name})
            except StaleLease as error:
                # Another has this trader's place. To go on, or to try again, would make two of one.
                self._end("stopped", str(error))
                return
            except (Halted, InvalidInput, NotFound) as error:
                await self._pause(str(error))
                return
            except Exception as error:
                self._faults += 1
                await self._report(error)
                await self._rest(self._ports.cadence.pause_s(self._faults))
        self._end("stopped", "")

    async def _sit(self, deployment: Deployment) -> None:
        """Trade until something goes wrong or it is time to stop; whatever runs for it then ends."""
        seat = self._seat = await self._sit_down(deployment)
        try:
            self._state, self._last_error = "running", ""
            await self._trade(seat)
        finally:
            self._seat = None
            await seat.close()

    async def _sit_down(self, deployment: Deployment) -> "Seat":
        # Compiled arithmetic takes its time and room to load, which whoever only starts traders should not pay.
        from actors.seat import Pace, Seat, recall_pace

        first = self._lease is None
        lease = self._lease = self._lease or await self._ports.leases.take(self._name, address.holder())
        pace = self._pace = self._pace or Pace()
        if first and lease.epoch > 1:
            await recall_pace(self._ports.blotter, deployment, pace)
        if deployment.last_error is not None:
            await self._ports.deployments.report_error(deployment.id, None)
        return await Seat.taken(self._ports, deployment, lease, pace)

    async def _trade(self, seat: "Seat") -> None:
        cursor = (await self._ports.blotter.recall(self._deployment_id)).done_until
        while not self._stopping.is_set():
            seen = await self._next_quotes(cursor)
            if seen is None:
                continue
            cursor = seen.board.time
            if seen.bar:
                await seat.meet(seen)
                self._faults = 0

    async def _next_quotes(self, cursor: datetime | None) -> QuotesSeen | None:
        """The next board after the newest that it was handed; None after a while, or when it is time to stop."""
        asking = asyncio.ensure_future(self._ports.quotes.after(self._name, cursor, self._ports.patience_s))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait([asking, stopping], return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else None
        finally:
            asking.cancel()
            stopping.cancel()

    async def _pause(self, reason: str) -> None:
        """Pause the deployment, however long it takes to say so."""
        self._last_error = reason
        faults = 0
        while not self._stopping.is_set():
            try:
                deployment = await self._ports.deployments.get(self._deployment_id)
                # Whoever has paused it already has said why, and that it is paused is no news.
                if deployment.status is DeploymentStatus.ACTIVE or deployment.last_error is None:
                    await self._ports.deployments.report_error(self._deployment_id, reason)
                if deployment.status is DeploymentStatus.ACTIVE:
                    await self._ports.deployments.set_status(self._deployment_id, DeploymentStatus.PAUSED, reason)
                break
            except NotFound:
                break
            except Exception as error:
                # To leave it at that would be to trade no more and to say so to nobody.
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
        except Exception as unreported:
            _log.warning("error not stored", extra={"actor": self._name, "error": str(unreported)})

    async def _rest(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _end(self, state: str, reason: str) -> None:
        self._state, self._last_error = state, reason
        _log.info("trader ended", extra={"actor": self._name, "state": state, "reason": reason})
