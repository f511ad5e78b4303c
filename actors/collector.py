"""The exchange ledger's collector: it polls a venue, stores bars, and hands quotes to whoever waits for them.

On a tape in lock-step it is also the hand on the tape: it moves on by one bar when every consumer has asked for more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import ray

from actors import address
from actors.packed import Packed
from actors.reader import Reader
from actors.tally import Tally
from omc.clock import Clock
from omc.ledger.cadence import Cadence
from omc.ledger.collector import Consumers, HotBoard, as_stored, board_of, next_bar
from omc.ledger.exchange import CollectorStatus, PriceArchive, PriceSource, QuotesSeen
from omc.ledger.freshness import RECALLED
from omc.logs import LogStyle
from omc.market.quote import QuoteBoard
from omc.market.tape import TapeClock, TapeControl
from omc.trading.deployment import DeploymentStore, trader_name


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
    logs: LogStyle | None = None
    """How its process writes its log; as it does anyway, where nothing is said."""
    elapsed: Callable[[], float] | None = None
    """Counts seconds; the running loop's own where there is none."""


class ExchangeCollector:
    """A HotCache. It starts empty and never fails: what it cannot reach it asks again, with growing pauses."""

    def __init__(self, ports: CollectorPorts) -> None:
        if ports.logs:
            ports.logs.install()
        self._ports = ports
        self._hot = HotBoard()
        self._tally = Tally("exchange")
        elapsed = ports.elapsed or asyncio.get_running_loop().time
        self._reader = Reader(ports.source, ports.clock, self._tally, elapsed)
        self._consumers = Consumers()
        self._packed = Packed()
        self._shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked, self._triggered, self._resumed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._tape: TapeClock | None = None
        self._ready = False
        self._paused = self._stopped = False
        self._last_bar: datetime | None = None
        self._looks_at = 0.0
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
        while seen is None and not self._stopped and await self._next_shown(deadline - loop.time()):
            seen = self._hot.after(done_until)
        return seen

    async def after_packed(self, consumer: str, done_until: datetime | None, timeout_s: float) -> bytes | None:
        """The same for a caller in another process, as `unpacked` reads it: written once, for however many wait."""
        seen = await self.after(consumer, done_until, timeout_s)
        return self._packed.of(seen) if seen is not None else None

    async def watch(self, shown: datetime | None, timeout_s: float) -> QuoteBoard | None:
        """A QuoteWatch."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while (newest := self._hot.newest) is None or newest.time == shown:
            if self._stopped or not await self._next_shown(deadline - loop.time()):
                return None
        return newest

    async def watch_packed(self, shown: datetime | None, timeout_s: float) -> bytes | None:
        newest = await self.watch(shown, timeout_s)
        return self._packed.of(QuotesSeen(newest, bar=False)) if newest is not None else None

    async def leave(self, consumer: str) -> None:
        self._consumers.leave(consumer)
        self._asked.set()

    async def status(self) -> CollectorStatus:
        tape = self._tape
        return replace(
            self._tally.status,
            state="paused" if self._paused else self._tally.status.state,
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
        self._let_go()

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
                self._tally.report(error)
                await self._woken(self._triggered, self._ports.cadence.pause_s(faults))

    async def _begin(self) -> None:
        tape = self._ports.tape
        with self._tally.counting("tape"):
            self._tape = await tape.clock() if tape else None
        if self._tape is not None and self._tape.lockstep:
            with self._tally.counting("deployments"):
                self._consumers.expect([trader_name(each) for each in await self._ports.deployments.active()])
        await self._recall(self._tape.time if self._tape is not None else self._ports.clock.now())
        self._ready = True

    async def _recall(self, until: datetime) -> None:
        """Let the reader know the newest bars before `until`."""
        with self._tally.counting("archive"):
            coins = list(await self._ports.archive.spans())
            tail = await self._ports.archive.tail(coins, until, RECALLED) if coins else None
        if tail is not None:
            self._reader.recall(board_of(tail, row) for row in range(len(tail)) if tail.time(row) < until)

    async def _follow_tape(self, tape: TapeClock) -> None:
        """One step: show the bar at which the tape stands, or wait until it may move, and move it."""
        shown = self._hot.bar.board.time if self._hot.bar else None
        if shown is None or shown < tape.time:
            await self._store(await self._reader.board(tape.time))
        elif tape.ended or not self._consumers.may_move_on(shown):
            self._tally.be("ended" if tape.ended else "waiting")
            await self._woken(self._asked, None if tape.ended else self._ports.cadence.longest_s)
            await self._look_who_is_gone(shown)
        elif self._ports.tape is not None:
            self._tally.be("running")
            with self._tally.counting("tape"):
                self._tape = await self._ports.tape.step(tape.position)

    async def _look_who_is_gone(self, shown: datetime) -> None:
        """Who was dismissed while this began, or by a word that another heard, would hold the tape up for ever."""
        now = asyncio.get_running_loop().time()
        if now < self._looks_at or self._consumers.may_move_on(shown):
            return
        self._looks_at = now + self._ports.cadence.longest_s
        self._asked.clear()
        with self._tally.counting("deployments"):
            active = {trader_name(each) for each in await self._ports.deployments.active()}
        # Whoever asked meanwhile may have been activated meanwhile.
        if not self._asked.is_set():
            self._consumers.forget(shown, lambda name: name.startswith(address.TRADER_PREFIX) and name not in active)

    async def _store(self, board: QuoteBoard) -> None:
        with self._tally.counting("archive"):
            stored = await self._ports.archive.append(board)
        self._tally.stored(stored)
        self._show(QuotesSeen(board, bar=True))

    async def _follow_time(self) -> None:
        """One poll. A bar that cannot be stored is not shown, and neither is anything later: what traders decided on
        must be there for whoever checks them."""
        if self._ports.tape is not None:
            with self._tally.counting("tape"):
                self._tape = await self._ports.tape.clock()
        # A tape that plays by itself has its own time, and goes as fast as it was told to.
        board = await self._reader.board(timed=self._ports.tape is None)
        if self._reader.set_back:
            self._hot, self._last_bar = HotBoard(), None
        if self._reader.frozen:
            # Nobody knows what the market is: it would be handed on as if it were new.
            self._tally.be("frozen")
            await self._woken(self._triggered, self._ports.cadence.pause_s(0))
            return
        bar = next_bar(board, self._last_bar)
        if bar is not None:
            with self._tally.counting("archive"):
                stored = await self._ports.archive.append(bar)
                tail = None if stored else await self._ports.archive.tail(sorted(bar.quotes), bar.time, 1)
            self._tally.stored(stored)
            self._last_bar = bar.time
            self._show(QuotesSeen(as_stored(bar, tail) if tail else bar, bar=True))
        self._show(QuotesSeen(board, bar=False))
        self._tally.be("ended" if self._tape is not None and self._tape.ended else "running")
        await self._woken(self._triggered, self._ports.cadence.pause_s(0))

    def _show(self, seen: QuotesSeen) -> None:
        self._hot.show(seen)
        self._let_go()

    def _let_go(self) -> None:
        """Wake whoever waits for something to be shown."""
        self._shown.set_result(None)
        self._shown = asyncio.get_running_loop().create_future()

    async def _next_shown(self, within_s: float) -> bool:
        """Whether something was shown in time. All wait for one future, so one event wakes hundreds."""
        if within_s <= 0:
            return False
        done, _ = await asyncio.wait((self._shown,), timeout=within_s)
        return bool(done)

    async def _woken(self, by: asyncio.Event, timeout_s: float | None) -> None:
        """Wait for `by`, at most `timeout_s`. What happened since the loop last looked is known to it already."""
        by.clear()
        # Until Python 3.12 wait_for forgets that it was cancelled when what it waits for comes at that moment.
        try:
            async with asyncio.timeout(timeout_s):
                await by.wait()
        except TimeoutError:
            return
