"""On an account that its owner trades, too, the venue would sell more than is a deployment's: whatever gets it out does
not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from omc.errors import OutcomeUnknown, VenueRefused
from omc.market.quote import QuoteBoard
from omc.risk.kill_switch import Halt
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.actors.mortal import START, USER
from tests.actors.reconciling.accounts import ONE, Floor, until


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    for desk in house.desks:
        for task in (desk._task, *desk._settling):
            task.cancel()
    await house.close()


def dear(floor: Floor) -> OrderIntent:
    """A sale of all that ONE holds, at twice the bid: it rests."""
    bought = floor.intent(ONE)
    price = floor.exchange.paper.quote("ETH").bid_aud * 2
    name = bought.client_order_id.replace("buy", "sell")
    return replace(bought, client_order_id=name, side=Side.SELL, quote_price_aud=price, good_for_s=3600.0)


def thrice(floor: Floor) -> None:
    """The market comes to whatever rests."""
    paper = floor.exchange.paper
    quotes = {
        coin: replace(each, bid_aud=each.bid_aud * 3, ask_aud=each.ask_aud * 3)
        for coin, each in paper.board.quotes.items()
    }
    paper.show(QuoteBoard(paper.board.time, quotes))


async def resting(floor: Floor) -> "asyncio.Task[object]":
    """All 100 ETH of ONE on the book, beside 100 that are its owner's."""
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    floor.by_hand(ONE.account, Side.BUY, "ETH", "100")
    task = asyncio.create_task(floor.sends(desk, dear(floor)))

    async def rests() -> bool:
        order = await floor.blotter.order(dear(floor).client_order_id)
        return order is not None and order.status is OrderStatus.ACCEPTED

    await until(rests)
    return task


async def left(floor: Floor) -> tuple[Decimal, Decimal]:
    """What ONE holds by our books, and the account by the venue's."""
    ours = (await floor.blotter.account(ONE.id)).position("ETH").quantity
    return ours, floor.exchange.paper.wallet(ONE.account).balance("ETH")


async def test_a_forced_exit_ends_a_sale_that_rests_before_it_sells(floor: Floor) -> None:
    sale = await resting(floor)
    report = await floor.desks[0].force_exit(ONE.id, ("ETH",), "k")
    thrice(floor)
    ended = await sale
    assert isinstance(ended, Order)
    assert (ended.status, ended.filled_quantity, report.problems) == (OrderStatus.CANCELLED, 0, ())
    assert await left(floor) == (0, 100)


@pytest.mark.parametrize("stops", [False, True], ids=["forced", "stopped"])
async def test_what_cannot_be_taken_off_the_book_is_not_sold_beside_it(floor: Floor, stops: bool) -> None:
    sale = await resting(floor)
    floor.accounts[ONE.account].before["cancel"] = [OutcomeUnknown("no answer")] * 1000
    desk = floor.desks[0]
    if stops:
        desk.trip(Halt(USER, START, "enough"))
        report = await desk.halt(USER, True)
    else:
        report = await desk.force_exit(ONE.id, ("ETH",), "k")
    assert any("ETH remain" in problem and "is to end first" in problem for problem in report.problems)
    thrice(floor)
    ended = await sale
    assert isinstance(ended, Order)
    assert (ended.status, ended.filled_quantity) == (OrderStatus.FILLED, 100)
    assert await left(floor) == (0, 100)


async def test_nothing_more_is_sold_once_the_halt_is_reset(floor: Floor) -> None:
    """Who trades again keeps what he buys, though the sale that he had asked for was not over."""
    desk = await floor.up(sell_out_patience_s=60.0)
    await floor.sends(desk, floor.intent(ONE))
    venue = floor.accounts[ONE.account]
    venue.before["place"] = [VenueRefused("not now")] * 1_000_000
    desk.trip(Halt(USER, START, "enough"))
    selling = asyncio.create_task(desk.halt(USER, True))

    async def refused() -> bool:
        paused = (await floor.deployments.get(ONE.id)).status is DeploymentStatus.PAUSED
        return paused and "rejected" in await floor.kinds("rejected")

    await until(refused)
    await floor.kill_switch.reset(USER)
    await desk.release(USER)
    report = await selling
    assert any("the halt was reset" in problem for problem in report.problems)
    venue.before.clear()
    await floor.deployments.set_status(ONE.id, DeploymentStatus.ACTIVE, "over")
    bought = await floor.sends(desk, floor.intent(ONE, "50", row=1))
    assert isinstance(bought, Order)
    assert not desk._halting.selling
    assert await left(floor) == (150, 150)
