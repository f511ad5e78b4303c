"""The newest quotes are asked for while an order is journaled, and once for those of one moment."""

import asyncio
from datetime import UTC, datetime, timedelta

from actors.limits.newest import Newest
from omc.errors import Unavailable
from omc.market.quote import QuoteBoard

FOREVER_S = 1e9
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Market:
    """It shows a later board with every look, once it may answer."""

    def __init__(self) -> None:
        self.looks = 0
        self.looked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.fault: Unavailable | None = None

    async def newest(self) -> QuoteBoard:
        self.looks += 1
        self.looked.set()
        look = self.looks
        await self.answers.wait()
        if self.fault is not None:
            raise self.fault
        return QuoteBoard(NOON + timedelta(seconds=look), {})


def at(told: object) -> int:
    assert isinstance(told, QuoteBoard)
    return int((told.time - NOON).total_seconds())


async def test_a_verdict_has_what_was_asked_for_while_its_order_was_journaled_and_the_next_asks_anew() -> None:
    market = Market()
    newest = Newest(market.newest, FOREVER_S)
    with newest.listening("mine"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert market.looks == 1
        assert at(await newest.of("mine", NOON)) == 1
        assert at(await newest.of("mine", NOON)) == 2
        assert at(await newest.of("another", NOON)) == 3
    assert at(await newest.of("mine", NOON)) == 4


async def test_those_of_one_moment_ask_once() -> None:
    market = Market()
    newest = Newest(market.newest, FOREVER_S)
    market.answers.clear()
    with newest.listening("one"), newest.listening("two"):
        told = [asyncio.create_task(newest.of(each, NOON)) for each in ("one", "two", "three")]
        await asyncio.sleep(0)
        market.answers.set()
        assert [at(each) for each in await asyncio.gather(*told)] == [1, 1, 1]


async def test_quotes_that_were_asked_for_long_ago_are_asked_for_again() -> None:
    market = Market()
    newest = Newest(market.newest, new_s=-1.0)
    with newest.listening("mine"):
        await market.looked.wait()
        # The answer is there.
        await newest.of("another", NOON)
        looks = market.looks
        assert at(await newest.of("mine", NOON)) == looks + 1


async def test_an_order_that_was_sized_on_later_quotes_asks_again() -> None:
    market = Market()
    newest = Newest(market.newest, FOREVER_S)
    with newest.listening("mine"):
        assert at(await newest.of("mine", NOON + timedelta(seconds=2))) == 2
        assert at(await newest.of("mine", NOON + timedelta(seconds=3))) == 3


async def test_a_market_that_is_away_is_told_and_not_remembered() -> None:
    market = Market()
    newest = Newest(market.newest, FOREVER_S)
    market.fault = Unavailable("a test")
    with newest.listening("mine"):
        assert await newest.of("mine", NOON) is market.fault
        market.fault = None
        assert at(await newest.of("mine", NOON)) == 2


async def test_whoever_never_comes_to_a_verdict_leaves_nothing_behind() -> None:
    market = Market()
    newest = Newest(market.newest, FOREVER_S)
    market.answers.clear()
    with newest.listening("mine"):
        await market.looked.wait()
    market.answers.set()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left)
    assert at(await newest.of("mine", NOON)) == 2
