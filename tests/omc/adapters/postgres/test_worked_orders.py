"""Orders that rest, move and are carried out in slices, as PostgreSQL and the twin in memory keep them alike."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from omc.errors import NotFound
from omc.trading.blotter import row_id
from omc.trading.deployment import Deployment
from omc.trading.execution import AT_ONCE, Execution, Routing, Style
from omc.trading.order import Order, OrderStatus
from omc.trading.slicing import Plan, Slice, slice_name
from tests.omc.adapters.postgres.house import NOON, House, fill, intent

HALF = Decimal("0.00050000")
PLAN = Plan(
    Style.TWAP, (Slice(NOON, HALF), Slice(NOON + timedelta(seconds=30), HALF)), NOON + timedelta(minutes=1), "so"
)
RESTING = Execution(Decimal("500.25"), 7, 90.0, Style.VWAP, 30.0, 12.5, Routing.COST)


async def sliced(house: House, deployment: Deployment) -> Order:
    order = await house.blotter.begin(intent(deployment))
    return await house.blotter.settle(replace(order, plan=PLAN).become(OrderStatus.SLICED, message="two slices"))


async def slice_filled(house: House, deployment: Deployment, parent: Order, number: int) -> Order:
    name = parent.intent.client_order_id
    changes = {"client_order_id": slice_name(name, number), "slice_of": name, "quantity": HALF}
    part = await house.sent(deployment, **changes)
    one = fill(f"{name}-{number}", quantity=HALF, total_aud=Decimal("50.05"), fee_aud=Decimal("0.05"))
    return await house.blotter.settle(part.become(OrderStatus.FILLED).filled_by((one,)))


async def test_a_deployment_keeps_how_its_orders_are_worked(house: House):
    deployment = await house.deployed(execution=RESTING)
    assert (await house.deployments.get(deployment.id)).execution == RESTING
    assert (await house.deployments.get((await house.deployed()).id)).execution == AT_ONCE


async def test_an_order_that_rests_keeps_its_patience_and_where_its_limit_stands(house: House):
    deployment = await house.deployed()
    order = await house.sent(deployment, good_for_s=45.5)
    known = replace(order.become(OrderStatus.ACCEPTED), venue_order_id=f"v-{uuid4().hex}")
    moving = replace((await house.blotter.settle(known)).become(OrderStatus.REPLACING), limit_aud=Decimal("99999.5"))
    stored = await house.blotter.settle(moving)
    assert stored == moving
    read = await house.blotter.order(order.intent.client_order_id)
    assert read == moving
    assert (read.price_aud, read.intent.good_for_s) == (Decimal("99999.5"), 45.5)
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ("replacing",), 0, 1)
    assert Decimal(str(entries[0].data["limit_aud"])) == Decimal("99999.5")


async def test_an_order_in_slices_has_their_fills_and_each_is_counted_once(house: House):
    deployment = await house.deployed()
    parent = await sliced(house, deployment)
    name = parent.intent.client_order_id
    assert (parent.status, parent.plan, parent.fills) == (OrderStatus.SLICED, PLAN, ())
    parts = [await slice_filled(house, deployment, parent, number) for number in range(2)]
    whole = await house.blotter.order(name)
    assert whole is not None
    assert whole.fills == parts[0].fills + parts[1].fills
    assert await house.blotter.slices(name) == parts
    account = await house.blotter.account(deployment.id)
    assert (account.position("BTC").quantity, account.cash_aud) == (2 * HALF, deployment.cash_aud - Decimal("100.10"))
    ended = await house.blotter.settle(whole.become(OrderStatus.FILLED, message="slipped"))
    assert (ended.status, ended.filled_quantity, ended.plan) == (OrderStatus.FILLED, 2 * HALF, PLAN)
    assert await house.blotter.order(name) == ended
    assert await house.blotter.account(deployment.id) == account
    assert await house.blotter.begin(intent(deployment)) == ended
    trades, total = await house.blotter.trades(deployment.user_id, deployment.id, 0, 10)
    assert total == len(trades) == 2
    assert {trade.client_order_id for trade in trades} == {slice_name(name, 0), slice_name(name, 1)}


async def test_the_journal_tells_the_plan_and_how_far_it_slipped(house: House):
    deployment = await house.deployed()
    parent = await sliced(house, deployment)
    await slice_filled(house, deployment, parent, 0)
    whole = await house.blotter.order(parent.intent.client_order_id)
    assert whole is not None
    await house.blotter.settle(whole.become(OrderStatus.EXPIRED))
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ("sliced", "expired"), 0, 10)
    expired, told = entries
    assert Plan.told(told.data["plan"]) == PLAN
    # 50.00 AUD for half a thousandth, against a quote of 100,000.12345678.
    assert Decimal(str(expired.data["slippage_bps"])) == Decimal("-0.01")


async def test_what_is_in_slices_is_found_until_it_ends(house: House):
    deployment = await house.deployed()
    parent = await sliced(house, deployment)
    name = parent.intent.client_order_id
    assert name in {order.intent.client_order_id for order in await house.blotter.sliced()}
    assert name not in {order.intent.client_order_id for order in await house.blotter.unsettled()}
    await house.blotter.settle(parent.become(OrderStatus.CANCELLED))
    assert name not in {order.intent.client_order_id for order in await house.blotter.sliced()}


async def test_what_has_ended_stays_as_it_is_but_for_fills_that_come_to_light(house: House):
    deployment = await house.deployed()
    order = await house.sent(deployment)
    ended = await house.blotter.settle(order.become(OrderStatus.CANCELLED, message="asked"))
    assert await house.blotter.settle(replace(ended, message="something else")) == ended
    found = await house.blotter.settle(replace(ended, message="something else").filled_by((fill(),)))
    assert (found.message, found.fills) == ("asked", (fill(),))
    assert (await house.blotter.account(deployment.id)).position("BTC").quantity == fill().quantity


async def test_one_order_is_shown_by_its_id_to_its_owner_alone(house: House):
    deployment = await house.deployed()
    parent = await sliced(house, deployment)
    await slice_filled(house, deployment, parent, 0)
    order_id = row_id(deployment.id, parent.intent.client_order_id)
    shown = await house.blotter.row(order_id, deployment.user_id)
    assert (shown.id, shown.order.filled_quantity) == (order_id, HALF)
    listed, total = await house.blotter.orders(deployment.user_id, deployment.id, 0, 10)
    assert total == 2
    assert {row.id: row.order for row in listed}[order_id] == shown.order
    for identity, owner in ((order_id, await house.user()), (uuid4(), deployment.user_id)):
        with pytest.raises(NotFound):
            await house.blotter.row(identity, owner)
