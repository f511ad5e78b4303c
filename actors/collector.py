"""The exchange ledger's collector: it polls a venue, stores bars, and hands quotes to whoever waits for them.

On a tape in lock-step it is also the hand on the tape: it moves on by one bar when every consumer has asked for more.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import ray

from actors import address
from omc.clock import Clock
from omc.errors import OmcError
from omc.ledger.cadence import Cadence
from omc.ledger.collector import Consumers, HotBoard, as_stored, next_bar
from omc.ledger.exchange import CollectorStatus, PriceArchive, PriceSource, QuotesSeen
from omc.market.quote import QuoteBoard
from omc.market.tape import TapeClock, TapeControl
from omc.trading.deployment import DeploymentStore, trader_name

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectorPorts:
    """What a collector works with. With a `tape` that plays in lock-step, the traders of active deployments are waited
    for from the start, so that a restarted collector does not play on without one that has not asked yet."""

    source: PriceSource
    archive: PriceArchive
    clock: Clock
    deployments: DeploymentStore
    tape: TapeControl | None = None
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=5.0))


class ExchangeCollector:
    """A HotCache. It starts empty and never fails: what it cannot reach it asks again, with growing pauses."""

    def __init__(self, ports: CollectorPorts) -> None:
        self._ports = ports
        self._hot = HotBoard()
        self._consumers = Consumers()
        self._shown = asyncio.Event()
        self._asked, self._triggered, self._resumed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._tape: TapeClock | None = None
        self._ready = False
        self._paused = self._stopped = False
        self._last_bar: datetime | None = None
        self._status = CollectorStatus("exchange", "starting", None, None, 0, {}, None)
        self._task = address.background(self._run(), "collector")

    def __repr__(self) -> str:
        return address.COLLECTOR_EXCHANGE

    @ray.method(concurrency_group="control")
    def ping(self) -> str:
        return repr(self)

    async def newest(self) -> QuoteBoard | None:
        return self._hot.newest

    async def after(self, consumer: str, done_until: datetime | None, timeout_s: float) -> QuotesSeen | None:
        self._consumers.ask(consumer, done_until)
        self._asked.set()
        seen = self._hot.after(done_until)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while seen is None and not self._stopped and (left := deadline - loop.time()) > 0:
            try:
                await asyncio.wait_for(self._shown.wait(), left)
            except TimeoutError:
                break
            seen = self._hot.after(done_until)
        return seen

    async def leave(self, consumer: str) -> None:
        self._consumers.leave(consumer)
        self._asked.set()

    async def status(self) -> CollectorStatus:
        tape = self._tape
        return replace(
            self._status,
            state="paused" if self._paused else self._status.state,
            tape_position=tape.position if tape else None,
            tape_bars=tape.bars if tape else None,
        )

    async def pause(self) -> None:
        """Poll no more, and let a tape stand, until `resume`. Quotes that are here are still handed out."""
        self._paused = True
        self._wake()

    async def resume(self) -> None:
        self._paused = False
        self._wake()

    async def trigger(self) -> None:
        """Poll now rather than when it is due."""
        self._wake()

    def _wake(self) -> None:
        for event in (self._asked, self._triggered, self._resumed):
            event.set()

    async def stop(self) -> None:
        """End the loop, and let go whoever waits; nothing is under way that would be lost."""
        self._stopped = True
        self._task.cancel()
        self._shown.set()

    async def _run(self) -> None:
        faults = 0
        while True:
            try:
                if self._paused:
                    await self._woken(self._resumed, None)
                elif not self._ready:
                    await self._begin()
                elif self._tape is not None and self._tape.lockstep:
                    await self._follow_tape(self._tape)
                else:
                    await self._follow_time()
                faults = 0
            except Exception as error:
                faults += 1
                self._report(error)
                await asyncio.sleep(self._ports.cadence.pause_s(faults))

    async def _begin(self) -> None:
        tape = self._ports.tape
        with self._counting("tape"):
            self._tape = await tape.clock() if tape else None
        if self._tape is not None and self._tape.lockstep:
            with self._counting("deployments"):
                self._consumers.expect([trader_name(each) for each in await self._ports.deployments.active()])
        self._ready = True

    async def _follow_tape(self, tape: TapeClock) -> None:
        """One step: show the bar at which the tape stands, or wait until it may move, and move it."""
        shown = self._hot.bar.board.time if self._hot.bar else None
        if shown is None or shown < tape.time:
            # The tape's clock is the only clock, whatever the source thinks of the time.
            await self._store(replace(await self._poll(), time=tape.time))
        elif tape.ended or not self._consumers.may_move_on(shown):
            self._be("ended" if tape.ended else "waiting")
            await self._woken(self._asked, None)
        elif self._ports.tape is not None:
            self._be("running")
            with self._counting("tape"):
                self._tape = await self._ports.tape.step(tape.position)

    async def _store(self, board: QuoteBoard) -> None:
        with self._counting("archive"):
            stored = await self._ports.archive.append(board)
        self._count_rows(stored)
        self._show(QuotesSeen(board, bar=True))

    async def _follow_time(self) -> None:
        """One poll. A bar that cannot be stored is not shown, and neither is anything later: what traders decided on
        must be there for whoever checks them."""
        if self._ports.tape is not None:
            with self._counting("tape"):
                self._tape = await self._ports.tape.clock()
        board = await self._poll()
        bar = next_bar(board, self._last_bar)
        if bar is not None:
            with self._counting("archive"):
                stored = await self._ports.archive.append(bar)
                tail = None if stored else await self._ports.archive.tail(sorted(bar.quotes), bar.time, 1)
            self._count_rows(stored)
            self._last_bar = bar.time
            self._show(QuotesSeen(as_stored(bar, tail) if tail else bar, bar=True))
        self._show(QuotesSeen(board, bar=False))
        self._be("ended" if self._tape is not None and self._tape.ended else "running")
        await self._woken(self._triggered, self._ports.cadence.pause_s(0))

    async def _poll(self) -> QuoteBoard:
        with self._counting("source"):
            board = await self._ports.source.latest()
        if board.faults:
            self._count("quote", len(board.faults))
        now = self._ports.clock.now()
        self._status = replace(self._status, last_run_at=now, last_quotes_at=board.time, last_error=None)
        return board

    def _show(self, seen: QuotesSeen) -> None:
        self._hot.show(seen)
        self._shown.set()
        self._shown = asyncio.Event()

    async def _woken(self, by: asyncio.Event, timeout_s: float | None) -> None:
        """Wait for `by`, at most `timeout_s`. What happened since the loop last looked is known to it already."""
        by.clear()
        try:
            await asyncio.wait_for(by.wait(), timeout_s)
        except TimeoutError:
            return

    @contextmanager
    def _counting(self, kind: str) -> Iterator[None]:
        try:
            yield
        except OmcError:
            self._count(kind, 1)
            raise

    def _count(self, kind: str, faults: int) -> None:
        counted = self._status.faults
        self._status = replace(self._status, faults={**counted, kind: counted.get(kind, 0) + faults})

    def _count_rows(self, stored: int) -> None:
        self._status = replace(self._status, rows_stored=self._status.rows_stored + stored)

    def _be(self, state: str) -> None:
        self._status = replace(self._status, state=state)

    def _report(self, error: Exception) -> None:
        self._status = replace(self._status, last_error=f"{type(error).__name__}: {error}")
        if isinstance(error, OmcError):
            _log.warning("collector backs off", extra={"error": str(error)})
        else:
            self._count("unexpected", 1)
            _log.exception("collector failed")
