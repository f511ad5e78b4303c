"""An order whose way was cut short is carried to its end, though nobody asks for it again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from actors.risk import RiskActor
from omc.errors import IllegalTransition, Unavailable
from omc.risk.verdict import Denied
from omc.trading.blotter import MemoryBlotter
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderStatus
from tests.actors.test_risk import OURS, TIMEOUT, Floor, submitted, up


class Forgetful(MemoryBlotter):
    """A store that cannot be reached for its next calls of `settle`, before or after their effect."""

    before = after = 0

    async def settle(self, order: Order, by: Lease | None = None) -> Order:
        if self.before:
            self.before -= 1
            raise Unavailable("the database cannot be reached")
        settled = await super().settle(order, by)
        if self.after:
            self.after -= 1
            raise Unavailable("the connection to the database was lost")
        return settled


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    house.blotter = Forgetful(house.deployments, house.leases, house.kill_switch)
    await house.begin()
    yield house
    await house.close()


def forgetful(floor: Floor) -> Forgetful:
    assert isinstance(floor.blotter, Forgetful)
    return floor.blotter


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - stores tell nobody
            await asyncio.sleep(0.001)


def status(floor: Floor, name: str) -> OrderStatus:
    return floor.blotter._rows[name].order.status


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_order_that_could_not_be_settled_is_settled_though_nobody_asks_again(floor: Floor, when: str) -> None:
    desk, intent = floor.desk(), floor.intent()
    await up(desk)
    setattr(forgetful(floor), when, 3)
    with pytest.raises(Unavailable):
        await desk.submit(intent, floor.lease)
    await until(lambda: status(floor, intent.client_order_id) is OrderStatus.FILLED)
    assert floor.sent() == 1
    assert (await floor.blotter.account(OURS.id)).position("ETH").quantity == intent.quantity


async def test_nothing_more_is_sent_for_its_coin_before_that(floor: Floor) -> None:
    desk, first = floor.desk(), floor.intent()
    await up(desk)
    forgetful(floor).before = 1
    floor.venue.before["find"] = [TIMEOUT] * 1_000_000
    with pytest.raises(Unavailable):
        await desk.submit(first, floor.lease)
    second = replace(floor.intent(quantity="1"), client_order_id="second")
    with pytest.raises(Unavailable, match="ETH waits for order"):
        await desk.submit(second, floor.lease)
    other = await desk.submit(floor.intent(coin="BTC", quantity="0.01"), floor.lease)
    assert isinstance(other, Order)
    assert other.status is OrderStatus.FILLED
    floor.venue.before["find"] = []
    await until(lambda: status(floor, first.client_order_id) is OrderStatus.FILLED)
    assert not isinstance(await submitted(desk, second, floor.lease), Denied)
    assert [intent.quantity for intent in floor.venue.account.placed if intent.coin == "ETH"] == [100, 1]


async def test_what_was_settled_by_a_lost_answer_holds_back_nothing_any_more(floor: Floor) -> None:
    """A sale that is over, and is taken for one under way, would leave nothing that could be sold."""
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    forgetful(floor).after = 1
    part = replace(floor.intent(Side.SELL, quantity="60"), client_order_id="part")
    with pytest.raises(Unavailable):
        await desk.submit(part, floor.lease)
    rest = replace(floor.intent(Side.SELL, quantity="40"), client_order_id="rest")
    sold = await submitted(desk, rest, floor.lease)
    assert isinstance(sold, Order)
    assert sold.status is OrderStatus.FILLED


async def test_what_another_desk_has_settled_holds_back_nothing_any_more(floor: Floor) -> None:
    """One that was cut off while it settled, and is not heard of."""
    desk, first = floor.desk(), floor.intent(quantity="2500")
    await up(desk)
    floor.venue.after["place"] = [TIMEOUT]
    floor.venue.before["find"] = [TIMEOUT] * 1_000_000
    sending = asyncio.create_task(desk.submit(first, floor.lease))
    name = first.client_order_id
    await until(lambda: name in floor.blotter._rows and status(floor, name) is OrderStatus.UNKNOWN)
    fills = tuple(each.fill for each in floor.exchange.paper.wallet(str(OURS.id)).executions)
    found = replace(floor.blotter._rows[name].order.become(OrderStatus.FILLED), fills=fills)
    await floor.blotter.settle(found)
    second = await desk.submit(floor.intent(coin="BTC", quantity="0.02"), floor.lease)
    assert isinstance(second, Order)
    assert second.status is OrderStatus.FILLED
    floor.venue.before["find"] = []
    with suppress(IllegalTransition):
        await sending


async def test_an_intent_that_was_never_sent_is_left_to_whoever_wants_it(floor: Floor) -> None:
    class Unreadable(Forgetful):
        async def submitting(self, order: Order, *leases: Any) -> Order:
            raise Unavailable("the database cannot be reached")

    floor.blotter = Unreadable(floor.deployments, floor.leases, floor.kill_switch)
    desk, intent = floor.desk(), floor.intent()
    await up(desk)
    with pytest.raises(Unavailable):
        await desk.submit(intent, floor.lease)
    await until(lambda: not desk._senders.aftercare.has(intent.client_order_id))
    assert status(floor, intent.client_order_id) is OrderStatus.INTENT
    assert floor.sent() == 0


async def test_a_desk_that_was_stopped_looks_after_nothing(floor: Floor) -> None:
    desk, intent = floor.desk(), floor.intent()
    await up(desk)
    forgetful(floor).before = 1
    floor.venue.before["find"] = [TIMEOUT] * 1_000_000
    with pytest.raises(Unavailable):
        await desk.submit(intent, floor.lease)
    await desk.stop()
    await until(lambda: not desk._senders.aftercare.has(intent.client_order_id))
    successor = floor.desk()
    assert isinstance(successor, RiskActor)
    floor.venue.before["find"] = []
    await until(lambda: status(floor, intent.client_order_id) is OrderStatus.FILLED)
    assert floor.sent() == 1
