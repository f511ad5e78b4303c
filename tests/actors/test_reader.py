"""The collector's reader before a source that shows what it showed before, what is older, or nothing new."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from actors.collector import CollectorPorts, ExchangeCollector
from omc.clock import ManualClock
from omc.ledger.collector import board_of
from omc.ledger.exchange import MemoryPriceArchive, QuotesSeen
from omc.ledger.freshness import FROZEN_AFTER_FEW
from omc.market.quote import QuoteBoard
from omc.market.tape import TapeClock
from omc.trading.deployment import MemoryDeploymentStore
from omc.trading.paper.exchange import MemoryExchange
from tests.actors.mortal import START, TERMS, market
from tests.actors.test_collector import QUICK, Shows, at, board

TAPE, _ = market(6, gaps=0.0)


class Stale(MemoryExchange):
    """In lock-step, and its first answer about each bar is an earlier board."""

    asked: set[int]

    async def latest(self) -> QuoteBoard:
        if self.position in self.asked:
            return self.paper.board
        self.asked.add(self.position)
        return board_of(self.tape.frame, max(0, self.position - 1 - self.position % 2))


class Playing:
    """A tape that plays by itself."""

    async def clock(self) -> TapeClock:
        return TapeClock(START, 0, 6, lockstep=False)


@pytest.fixture
def archive() -> MemoryPriceArchive:
    return MemoryPriceArchive()


@pytest.fixture
async def collect(archive: MemoryPriceArchive) -> AsyncIterator[Callable[..., ExchangeCollector]]:
    made: list[ExchangeCollector] = []

    def start(source: Any, tape: Any = None, now: datetime = START) -> ExchangeCollector:
        clock = ManualClock(now)
        ports = CollectorPorts(source, archive, clock, MemoryDeploymentStore(clock), tape, QUICK)
        made.append(ExchangeCollector(replace(ports, elapsed=getattr(source, "elapsed", None))))
        return made[-1]

    yield start
    for collector in made:
        await collector.stop()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110 - a status tells nobody
            await asyncio.sleep(0.001)


async def shown(collector: ExchangeCollector, newest: QuoteBoard) -> dict[str, int]:
    """The collector's faults, once it hands that board on."""

    async def is_newest() -> bool:
        return await collector.newest() == newest

    await until(is_newest)
    return (await collector.status()).faults


async def in_state(collector: ExchangeCollector, state: str) -> None:
    async def is_so() -> bool:
        return (await collector.status()).state == state

    await until(is_so)


async def test_in_lock_step_a_stale_board_is_asked_for_again_and_the_tapes_truth_is_stored(collect: Any) -> None:
    exchange = Stale.playing(TAPE, TERMS)
    exchange.asked = {0}
    collector = collect(exchange, exchange)
    done = None
    for row in range(6):
        seen = await collector.after("one", done, 5.0)
        assert seen == QuotesSeen(board_of(TAPE.frame, row), bar=True)
        done = seen.board.time
    faults = (await collector.status()).faults
    assert faults.keys() <= {"stale", "still"}
    assert sum(faults.values()) == 5


async def test_a_board_that_goes_back_is_not_handed_on_when_the_next_answer_is_new(collect: Any) -> None:
    collector = collect(Shows(board(0, 0), board(1, 1), board(2, 0), board(3, 2)))
    assert (await shown(collector, board(3, 2)))["stale"] == 1


async def test_a_board_from_before_its_predecessor_is_not_handed_on_and_said_so(collect: Any) -> None:
    collector = collect(Shows(board(0, 0), board(5, 1), board(4, 2)))

    async def complains() -> bool:
        return "backwards" in (await collector.status()).faults

    await until(complains)
    assert await collector.newest() == board(5, 1)
    status = await collector.status()
    assert status.last_error is not None
    assert f"the quotes of {at(4).isoformat()} are not handed on: they are backwards" in status.last_error


async def test_while_nothing_can_be_believed_it_says_so_and_shows_the_time_of_what_it_handed_on(collect: Any) -> None:
    source = Shows(board(0, 0), board(5, 1), board(4, 2))
    collector = collect(source)
    await in_state(collector, "refused")
    status = await collector.status()
    assert status.last_quotes_at == at(5)
    assert status.handed_on_at == START
    source.shown = [board(6, 3)]
    await in_state(collector, "running")
    assert (await collector.status()).last_quotes_at == at(6)


DAY = 24 * 60


async def test_a_time_that_jumps_for_a_moment_is_neither_stored_nor_handed_on(collect: Any, archive: Any) -> None:
    jumped = [(5.0 * n, board(DAY + n / 12, n)) for n in (1, 2, 3, 4)]
    source = Shows((0.0, board(0, 0)), *jumped)
    collector = collect(source)
    await in_state(collector, "refused")
    status = await collector.status()
    assert "they are ahead, by a clock that jumped by +86400 s" in (status.last_error or "")
    assert (status.last_quotes_at, await collector.newest()) == (at(0), board(0, 0))
    source.shown = [(25.0, board(25 / 60, 5))]
    await in_state(collector, "running")
    assert await collector.newest() == board(25 / 60, 5)
    assert (await archive.tail(("BTC",), at(2 * DAY), 9)).times.tolist() == [at(0).replace(tzinfo=None)]


@pytest.mark.parametrize("minutes", [DAY, 60, -60, -DAY])
async def test_a_clock_that_was_set_is_believed_once_it_goes_on_from_there(collect: Any, minutes: float) -> None:
    collector = collect(
        Shows(
            (0.0, board(2 * DAY, 0)), (30.0, board(2 * DAY + minutes, 1)), (95.0, board(2 * DAY + minutes + 65 / 60, 2))
        )
    )
    assert await shown(collector, board(2 * DAY + minutes + 65 / 60, 2))
    status = await collector.status()
    assert (status.state, status.last_error) == ("running", None)
    assert status.faults.keys() == ({"backwards", "clock"} if minutes < 0 else {"ahead"})
    assert await collector.after("one", at(2 * DAY + minutes), 5.0) is not None


async def test_a_tape_that_plays_by_itself_goes_as_fast_as_it_was_told_to(collect: Any) -> None:
    source = Shows((0.0, board(0, 0)), (1.0, board(5, 1)), (2.0, board(10, 2)))
    collector = collect(source, Playing())
    assert await shown(collector, board(10, 2)) == {}


async def test_a_successor_knows_an_old_answer_for_old(collect: Any) -> None:
    first = collect(Shows(board(0, 0), board(5, 1), board(10, 2)))
    await shown(first, board(10, 2))
    await first.stop()
    second = collect(Shows(board(11, 0), board(11, 3)), now=at(11))
    assert (await shown(second, board(11, 3)))["stale"] == 1


async def test_a_feed_that_stands_still_is_shown_as_frozen_and_handed_on_no_more(collect: Any) -> None:
    still = FROZEN_AFTER_FEW / timedelta(minutes=1)
    collector = collect(Shows(board(0, 0), board(5, 1), board(5 + still - 1, 1), board(5 + still, 1)))
    await in_state(collector, "frozen")
    assert (await collector.status()).changed_at == at(5)
    assert await collector.newest() == board(5 + still - 1, 1)


async def test_a_feed_that_moves_again_is_handed_on_again(collect: Any) -> None:
    still = FROZEN_AFTER_FEW / timedelta(minutes=1)
    source = Shows(board(0, 0), board(still, 0))
    collector = collect(source)
    await in_state(collector, "frozen")
    source.shown = [board(still + 1, 3)]
    await in_state(collector, "running")
    assert await collector.newest() == board(still + 1, 3)


async def test_quotes_that_an_answer_spoils_are_asked_for_again(collect: Any) -> None:
    whole, sick = board(1, 1), board(1, 2)
    fewer = dict(list(sick.quotes.items())[1:])
    sick = replace(sick, quotes=fewer, faults=("BTC: bid is 'NaN', not a number",))
    collector = collect(Shows(board(0, 0), sick, whole))
    faults = await shown(collector, whole)
    assert (faults["spoiled"], faults["quote"]) == (1, 1)


async def test_a_successor_does_not_take_what_its_predecessor_was_shown_for_new(collect: Any) -> None:
    exchange = Stale.playing(TAPE, TERMS)
    exchange.asked = {0}
    first = collect(exchange, exchange)
    await shown(first, board_of(TAPE.frame, 0))
    await first.stop()
    await exchange.step(0)
    second = collect(exchange, exchange)
    assert (await shown(second, board_of(TAPE.frame, 1)))["still"] == 1
