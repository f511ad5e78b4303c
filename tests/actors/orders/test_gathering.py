"""Volumes get known, whatever the venue shows and whenever it is away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from actors.orders.gathering import Gathering
from omc.errors import Unavailable
from omc.trading.volumes import MemoryVolumes, Traded
from tests.actors.book import Book

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


class Market:
    """It shows its last five trades, one a look, and is away now and then."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.shown: dict[str, set[int]] = {}

    async def newest(self, coin: str) -> list[Traded]:
        self.asked.append(coin)
        count = len(self.asked)
        if count % 5 == 1:
            raise Unavailable("the venue is away")
        self.shown.setdefault(coin, set()).update(range(count - 5, count))
        return [Traded(NOON + timedelta(minutes=number), Decimal(1)) for number in range(count - 5, count)]


async def test_every_coin_is_looked_at_again_and_again_and_no_trade_counts_twice() -> None:
    market, volumes = Market(), MemoryVolumes()
    running = asyncio.create_task(Gathering(market, volumes, ("BTC", "ETH", "XRP"), 0.0).run())
    while len(market.asked) < 30:  # noqa: ASYNC110 - nobody tells when it looks
        await asyncio.sleep(0)
    running.cancel()
    assert market.asked[:6] == ["BTC", "ETH", "XRP"] * 2
    for coin, shown in market.shown.items():
        told = await volumes.recent(coin, NOON + timedelta(days=1))
        assert sum(quantity for _, quantity in told) == len(shown)


async def test_without_a_coin_that_has_a_market_there_is_nothing_to_do() -> None:
    await asyncio.wait_for(Gathering(Market(), MemoryVolumes(), (), 1.0).run(), 30)


class Reading(Book):
    """Its desk looks at what is traded."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.market, self.volumes = Market(), MemoryVolumes()

    def risk_ports(self) -> Any:
        ports = replace(super().risk_ports(), volumes=self.volumes, trades=self.market, volumes_every_s=0.001)
        self.listed = ports.terms.market_coins
        return ports


async def test_a_desk_learns_of_every_coin_that_has_a_market_until_it_stops() -> None:
    book = Reading()
    await book.begin()
    try:
        await book.submit(book.intent("1"), book.lease)
        await book.until(lambda: book.volumes.stretches.keys() == book.listed)
        desk = book._risk
        assert desk is not None
        await desk.stop()
        await book.until(lambda: desk._gathering is not None and desk._gathering.done())
    finally:
        await book.close()
