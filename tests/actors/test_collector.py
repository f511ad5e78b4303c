"""The collector, constructed without Ray: it survives whatever it meets, stores nothing twice and hands over all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from actors.collector import CollectorPorts, ExchangeCollector
from actors.packed import unpacked
from omc.clock import ManualClock
from omc.errors import InvalidInput, Unavailable
from omc.ledger.cadence import Cadence
from omc.ledger.collector import board_of
from omc.ledger.exchange import MemoryPriceArchive, QuotesSeen
from omc.market.quote import QuoteBoard
from omc.trading.deployment import DeploymentStatus, MemoryDeploymentStore, trader_name
from omc.trading.paper.exchange import MemoryExchange
from tests.actors.mortal import START, TERMS, deployment, market

TAPE, _ = market(6, gaps=0.0)
QUICK = Cadence(every_s=0.001, longest_s=0.002, first_s=0.001)
LONG_S = 120.0
"""For what comes at once, on a machine that may be busy."""


class Shows:
    """A PriceSource that shows what it is told, or raises it. A board with the seconds at which it is shown is shown
    then, whatever its own time; any other comes when its clock says so."""

    def __init__(self, *shown: "QuoteBoard | Exception | tuple[float, QuoteBoard]") -> None:
        self.shown = list(shown)
        self.polls = 0
        self.passed_s = 0.0

    async def latest(self) -> QuoteBoard:
        self.polls += 1
        now = self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
        if isinstance(now, Exception):
            raise now
        if isinstance(now, tuple):
            self.passed_s, now = now
        else:
            self.passed_s = (now.time - START).total_seconds()
        return now

    def elapsed(self) -> float:
        return self.passed_s


class Fails(MemoryPriceArchive):
    """An archive that is away a few times."""

    times = 2

    async def append(self, board: QuoteBoard) -> int:
        if self.times:
            self.times -= 1
            raise Unavailable("the database is away")
        return await super().append(board)


class Floor:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.archive = MemoryPriceArchive()
        self.deployments = MemoryDeploymentStore(self.clock)
        self.exchange = MemoryExchange.playing(TAPE, TERMS)
        self.collectors: list[ExchangeCollector] = []

    def in_lock_step(self) -> ExchangeCollector:
        return self.keep(
            CollectorPorts(self.exchange, self.archive, self.clock, self.deployments, self.exchange, QUICK)
        )

    def in_time(self, *shown: QuoteBoard | Exception | tuple[float, QuoteBoard]) -> ExchangeCollector:
        return self.showing(Shows(*shown), QUICK)

    def showing(self, source: Shows, cadence: Cadence) -> ExchangeCollector:
        ports = CollectorPorts(source, self.archive, self.clock, self.deployments, cadence=cadence)
        return self.keep(replace(ports, elapsed=source.elapsed))

    def keep(self, ports: CollectorPorts) -> ExchangeCollector:
        self.collectors.append(ExchangeCollector(ports))
        return self.collectors[-1]


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    it = Floor()
    yield it
    for collector in it.collectors:
        await collector.stop()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def board(minutes: float, row: int = 0) -> QuoteBoard:
    return replace(board_of(TAPE.frame, row), time=at(minutes))


async def test_the_tape_waits_for_its_first_consumer(floor: Floor) -> None:
    collector = floor.in_lock_step()
    await asyncio.sleep(0.02)
    assert floor.exchange.position == 0
    assert await collector.newest() == board_of(TAPE.frame, 0)
    status = await collector.status()
    assert (status.state, status.tape_position, status.tape_bars, status.rows_stored) == ("waiting", 0, 6, 3)


async def test_a_consumer_gets_every_bar_once_and_each_is_stored_before(floor: Floor) -> None:
    collector = floor.in_lock_step()
    done: datetime | None = None
    for row in range(6):
        seen = await collector.after("one", done, LONG_S)
        assert seen == QuotesSeen(board_of(TAPE.frame, row), bar=True)
        done = seen.board.time
        tail = await floor.archive.tail(TAPE.frame.coins, done, 100)
        assert len(tail) == row + 1
    assert await collector.after("one", done, 0.01) is None
    assert (await collector.status()).state == "ended"


async def test_the_tape_waits_for_the_slowest(floor: Floor) -> None:
    collector = floor.in_lock_step()
    await collector.after("slow", None, LONG_S)
    await collector.after("quick", None, LONG_S)
    assert await collector.after("quick", at(0), 0.02) is None
    waiting = asyncio.create_task(collector.after("quick", at(0), LONG_S))
    assert await collector.after("slow", at(0), LONG_S) == await waiting
    await collector.leave("slow")
    assert await collector.after("quick", at(5), LONG_S) == QuotesSeen(board_of(TAPE.frame, 2), bar=True)


async def test_a_restarted_collector_waits_for_the_traders_of_active_deployments(floor: Floor) -> None:
    await floor.deployments.create(deployment(1))
    collector = floor.in_lock_step()
    await asyncio.sleep(0.01)
    assert await collector.after("another", at(0), 0.02) is None
    await collector.after(trader_name(deployment(1)), at(0), 0.02)
    assert await collector.after("another", at(0), LONG_S) == QuotesSeen(board_of(TAPE.frame, 1), bar=True)


async def test_a_trader_that_was_dismissed_without_a_word_holds_no_tape_up(floor: Floor) -> None:
    """Its leaving was told to the collector before this one, or while this one began."""
    gone, stays = deployment(1), deployment(2)
    await floor.deployments.create(stays)
    await floor.deployments.create(gone)
    collector = floor.in_lock_step()
    for each in (stays, gone):
        await collector.after(trader_name(each), None, LONG_S)
    asking = asyncio.create_task(collector.after(trader_name(stays), at(0), LONG_S))
    assert not (await asyncio.wait([asking], timeout=0.02))[0]
    await floor.deployments.set_status(gone.id, DeploymentStatus.PAUSED, "enough")
    assert await asking == QuotesSeen(board_of(TAPE.frame, 1), bar=True)


async def test_a_trader_of_an_active_deployment_is_waited_for_however_long_it_is_away(floor: Floor) -> None:
    await floor.deployments.create(deployment(1))
    collector = floor.in_lock_step()
    await collector.after("another", None, LONG_S)
    assert await collector.after("another", at(0), 0.05) is None


async def test_paused_it_lets_the_tape_stand_and_resumed_it_goes_on(floor: Floor) -> None:
    collector = floor.in_lock_step()
    await collector.after("one", None, LONG_S)
    await collector.pause()
    assert await collector.after("one", at(0), 0.02) is None
    assert (await collector.status()).state == "paused"
    await collector.resume()
    assert await collector.after("one", at(0), LONG_S) is not None


async def test_stopped_it_lets_go_whoever_waits(floor: Floor) -> None:
    collector = floor.in_lock_step()
    await collector.after("one", None, LONG_S)
    await collector.pause()
    waiting = asyncio.create_task(collector.after("one", at(0), 2 * LONG_S))
    await asyncio.sleep(0.01)
    await collector.stop()
    assert await asyncio.wait_for(waiting, LONG_S) is None


async def test_faults_are_counted_by_kind_and_survived(floor: Floor) -> None:
    faulty = replace(board(0.1), faults=("XRP: bid is NaN", "DOGE: no ask"))
    collector = floor.in_time(Unavailable("502"), InvalidInput("not JSON"), RuntimeError("a bug"), faulty, board(1))
    assert await collector.after("one", at(0), LONG_S) is not None
    status = await collector.status()
    assert status.faults == {"source": 2, "unexpected": 1, "quote": 2}
    assert (status.state, status.last_error) == ("running", None)


async def test_one_bar_is_stored_however_often_it_is_seen(floor: Floor) -> None:
    collector = floor.in_time(board(0.1), board(0.2), board(4), board(5.1), board(5.2))
    assert await collector.after("one", at(5.1), LONG_S) == QuotesSeen(board(5.2), bar=False)
    assert [each.bars for each in await floor.archive.coverage()] == [2, 2, 2]
    assert (await collector.status()).rows_stored == 6


async def test_a_bar_is_not_shown_before_it_is_stored_and_nothing_later_either(floor: Floor) -> None:
    floor.archive = Fails()
    collector = floor.in_time(board(0.1))
    seen = await collector.after("one", None, LONG_S)
    assert seen == QuotesSeen(board(0), bar=True)
    assert (await collector.status()).faults == {"archive": 2}


async def test_a_bar_that_a_dead_collector_stored_is_shown_as_it_was_stored(floor: Floor) -> None:
    await floor.archive.append(board(0, row=1))
    collector = floor.in_time(board(0.1, row=0))
    seen = await collector.after("one", None, LONG_S)
    assert seen is not None
    assert seen.board.quotes == board_of(TAPE.frame, 1).quotes
    assert await collector.after("one", at(0), LONG_S) == QuotesSeen(board(0.1, row=0), bar=False)


async def test_triggered_it_polls_at_once(floor: Floor) -> None:
    source = Shows(board(0.1))
    slow = Cadence(every_s=60, longest_s=60, first_s=60)
    collector = floor.showing(source, slow)
    await collector.after("one", None, LONG_S)
    await asyncio.sleep(0.01)
    polls = source.polls
    await collector.trigger()
    await polled(source, polls)
    assert source.polls == polls + 1
    await collector.after("one", at(1), 0.01)
    assert source.polls == polls + 1


async def polled(source: Shows, polls: int) -> None:
    """Return when a source was asked more often than that."""
    async with asyncio.timeout(LONG_S):
        while source.polls <= polls:  # noqa: ASYNC110 - a source tells nobody
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("word", ["trigger", "resume"])
async def test_while_it_backs_off_a_word_makes_it_poll_at_once(floor: Floor, word: str) -> None:
    source = Shows(Unavailable("502"), board(0.1))
    collector = floor.showing(source, Cadence(every_s=600, longest_s=600, first_s=600))
    await polled(source, 0)
    while (await collector.status()).last_error is None:  # noqa: ASYNC110 - a status tells nobody
        await asyncio.sleep(0.001)
    await getattr(collector, word)()
    assert await collector.after("one", None, LONG_S) is not None
    assert (await collector.status()).last_error is None


async def test_its_name_is_the_ledgers(floor: Floor) -> None:
    collector = floor.in_lock_step()
    assert repr(collector) == collector.ping() == "collector:exchange"


async def test_one_showing_wakes_hundreds_and_is_written_once_for_all_of_them(floor: Floor) -> None:
    first = board_of(TAPE.frame, 0)
    collector = floor.in_time(first)
    waiting = [asyncio.create_task(collector.after_packed(f"trader:{n}", None, 30.0)) for n in range(500)]
    found = await asyncio.gather(*waiting)
    assert {id(each) for each in found} == {id(found[0])}
    seen = unpacked(found[0])
    assert seen is not None
    assert (seen.board, seen.bar) == (first, True)
    await asyncio.gather(*(collector.leave(f"trader:{n}") for n in range(500)))


async def test_a_watcher_sees_the_newest_and_holds_up_no_tape(floor: Floor) -> None:
    collector = floor.in_lock_step()
    shown = await collector.watch(None, 30.0)
    assert shown is not None
    assert shown.time == TAPE.frame.time(0)
    assert await collector.watch(shown.time, 0.01) is None
    next_one = asyncio.create_task(collector.watch_packed(shown.time, 30.0))
    await collector.after("trader", None, 30.0)
    await collector.after("trader", shown.time, 30.0)
    seen = unpacked(await next_one)
    assert seen is not None
    assert seen.board.time == TAPE.frame.time(1)
    assert (await collector.status()).tape_position == 1


async def test_whoever_waits_is_let_go_when_the_collector_stops(floor: Floor) -> None:
    collector = floor.in_time(Unavailable("no prices yet"))
    waiting = [
        asyncio.create_task(collector.after("trader", None, 30.0)),
        asyncio.create_task(collector.watch(None, 30.0)),
    ]
    await asyncio.sleep(0)
    await collector.stop()
    assert await asyncio.gather(*waiting) == [None, None]
