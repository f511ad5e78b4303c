"""Coins that a person has sold while their trader goes on: sold once, whoever dies, and not bought again until the
algorithm has let go of them."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from omc.errors import Conflict, OutcomeUnknown
from omc.risk.verdict import DenialReason, Denied
from omc.trading.fill import Side
from omc.trading.order import Order
from omc.trading.outcome import is_liquidation
from tests.actors.mortal import COINS, Fuse, House, Written, market
from tests.actors.test_risk import OURS, Floor, submitted, up

ETH = COINS.index("ETH")


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    await house.close()


async def held(floor: House, coin: str = "ETH") -> Decimal:
    return (await floor.blotter.account(OURS.id)).position(coin).quantity


async def test_a_coin_is_sold_by_the_house_and_its_trader_is_told(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    report = await desk.force_exit(OURS.id, ("ETH",), "k")
    assert await held(floor) == 0
    (sold,) = report.sold
    assert (sold.intent.side, sold.filled_quantity, report.problems) == (Side.SELL, 100, ())
    assert is_liquidation(sold.intent)
    assert sold.intent.reason == "forced exit: asked for by its owner"
    no = await submitted(desk, floor.intent(row=1), floor.lease)
    assert isinstance(no, Denied)
    assert no.reason is DenialReason.FORCED_OUT
    memory = await floor.blotter.recall(OURS.id)
    assert (memory.stopped, memory.heard) == ((False, False, True), 2)
    await floor.blotter.remember(OURS.id, memory)
    assert isinstance(await submitted(desk, floor.intent(row=2), floor.lease), Order)


async def test_asked_for_again_it_sells_nothing_more(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    first = await desk.force_exit(OURS.id, ("ETH",), "k")
    await floor.blotter.remember(OURS.id, await floor.blotter.recall(OURS.id))
    await submitted(desk, floor.intent(row=1), floor.lease)
    assert await desk.force_exit(OURS.id, ("ETH",), "k") == first
    assert await held(floor) == 100
    with pytest.raises(Conflict):
        await desk.force_exit(OURS.id, ("BTC",), "k")
    both = await asyncio.gather(*(desk.force_exit(OURS.id, (), "other") for _ in range(2)))
    assert both[0].sold == both[1].sold == (await desk.force_exit(OURS.id, (), "other")).sold
    assert await held(floor) == 0


async def test_nothing_held_is_nothing_to_sell(floor: Floor) -> None:
    desk = floor.desk()
    await up(desk)
    report = await desk.force_exit(OURS.id, ())
    assert (report.sold, report.problems) == ((), ())
    assert (await floor.blotter.recall(OURS.id)).heard == 0


async def test_what_the_venue_does_not_answer_is_found_and_not_sold_again(floor: Floor) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    floor.venue.after["place"] = [OutcomeUnknown("no answer")]
    report = await desk.force_exit(OURS.id, ("ETH",))
    assert [order.filled_quantity for order in report.sold] == [100]
    assert floor.sent() == 2


@pytest.mark.parametrize("call", [-1, 1, *range(2, 26), *range(-25, -1)])
async def test_whoever_dies_at_whatever_call_it_is_sold_once(call: int) -> None:
    tape, _ = market(10, gaps=0.0)
    house = House(tape, lambda *_: None)
    await house.deployments.create(OURS)
    lease = await house.leases.take(f"trader:{OURS.name}:{OURS.id.hex[:8]}", "test")
    floor = Floor()
    try:
        while await house.newest() is None:  # noqa: ASYNC110 - a hot cache tells only who waits
            await asyncio.sleep(0.001)
        house.exchange.paper.open_account(str(OURS.id), OURS.cash_aud)
        floor.exchange = house.exchange
        assert isinstance(await house.submit(floor.intent(), lease), Order)
        house.risk_fuse.calls, house.risk_fuse.at = 0, (call,)
        await house._desk("force_exit", OURS.id, ("ETH",), "k")
        async with asyncio.timeout(20):
            while await house.blotter.unfinished():
                house.risk()
                await asyncio.sleep(0.002)
        sales = [fill for fill, _ in house.fills(OURS) if fill.side is Side.SELL]
        assert [fill.quantity for fill in sales] == [100]
        assert await held(house) == 0
        assert house.exchange.paper.wallet(str(OURS.id)).coins.get("ETH", Decimal(0)) == 0
    finally:
        await house.close()
        await floor.close()


class Impatient(House):
    """A house whose owner has ETH sold at one row: between two bars, or in the middle of one."""

    when = "between"
    at_row = 8
    asked = False

    async def _force(self) -> None:
        self.asked = True
        self.report = await self._desk("force_exit", OURS.id, ("ETH",), "k")

    async def after(self, *args: Any) -> Any:
        seen = await super().after(*args)
        time = self.tape.frame.time(self.at_row)
        if self.when == "between" and not self.asked and seen is not None and seen.board.time == time:
            await self._force()
        return seen

    async def submit(self, *args: Any) -> Any:
        due = args[0].quoted_at >= self.tape.frame.time(self.at_row)
        if self.when == "within" and not self.asked and due:
            await self._force()
        return await super().submit(*args)


@pytest.mark.parametrize("when", ["between", "within"])
@pytest.mark.parametrize("fuse", [(), (40,), (-90,)], ids=["nobody dies", "the trader dies", "the trader dies later"])
async def test_its_trader_goes_on_and_buys_it_again_only_after_letting_go(when: str, fuse: tuple[int, ...]) -> None:
    tape, weights = market(25, gaps=0.0)
    weights[:, ETH] = 0.3
    weights[:, 0], weights[:, 1] = 0.2 + 0.2 * (np.arange(25) % 2), 0.1
    weights[15, ETH] = 0.0
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = Impatient(tape, lambda *_: Written(written), trader_fuse=Fuse(fuse))
    house.when = when
    try:
        await house.play(OURS)
        assert house.asked
        forced, again = tape.frame.time(house.at_row), tape.frame.time(17)
        bought = [fill.executed_at for fill, _ in house.fills(OURS) if (fill.coin, fill.side) == ("ETH", Side.BUY)]
        assert any(at < forced for at in bought)
        assert not [at for at in bought if forced <= at < again]
        assert again in bought
        others = [fill.executed_at for fill, _ in house.fills(OURS) if fill.coin == "BTC"]
        assert any(forced < at < again for at in others)
        account = await house.blotter.account(OURS.id)
        balances = house.exchange.paper.wallet(str(OURS.id)).coins
        assert {coin: balances.get(coin, 0) for coin in COINS} == {
            coin: account.position(coin).quantity for coin in COINS
        }
        assert len({order.intent.client_order_id for order in house.report.sold}) == len(house.report.sold) == 1
    finally:
        await house.close()
