"""Books that are made those of the venue move whole, once, and only from where they were seen to be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from omc.errors import Conflict
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from omc.trading.reconciliation.acceptance import Adjustment
from tests.omc.adapters.postgres.house import NOON, House, fill


async def test_an_adjustment_moves_the_books_shows_an_order_and_is_journaled(house: House) -> None:
    deployment = await house.deployed()
    await house.filled(deployment, fill("f1"))
    before = await house.blotter.account(deployment.id)
    sold = fill("synthetic:1", Side.SELL, total_aud=Decimal("110.00"), fee_aud=Decimal(0), executed_at=NOON)
    adjustment = Adjustment(deployment.id, ((sold, Decimal(110_000)),), Decimal("-9.90"))
    account = await house.blotter.adjust(before, adjustment, "accepted by a person")
    assert account == await house.blotter.account(deployment.id) == adjustment.of(before)
    assert account.cash_aud == before.cash_aud + Decimal("100.10")
    assert account.deposited_aud == before.deposited_aud - Decimal("9.90")
    assert account.position("BTC").quantity == 0
    rows, total = await house.blotter.orders(deployment.user_id, deployment.id, 0, 1)
    assert (total, rows[0].order.status, rows[0].order.intent.reason) == (2, OrderStatus.FILLED, "accepted by a person")
    assert rows[0].order.fills == (sold,)
    assert "synthetic:1" in await house.blotter.fill_ids([deployment.id], NOON)
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ("synthetic",), 0, 9)
    assert [entry.data["reason"] for entry in entries] == ["accepted by a person"]


async def test_books_that_have_moved_meanwhile_are_left_alone(house: House) -> None:
    deployment = await house.deployed()
    before = await house.blotter.account(deployment.id)
    await house.filled(deployment, fill("f1"))
    moved = await house.blotter.account(deployment.id)
    with pytest.raises(Conflict, match="moved meanwhile"):
        await house.blotter.adjust(before, Adjustment(deployment.id, (), Decimal("-1.00")), "too late")
    adjustment = Adjustment(deployment.id, (), Decimal("-1.00"))
    once = await house.blotter.adjust(moved, adjustment, "once")
    with pytest.raises(Conflict, match="moved meanwhile"):
        await house.blotter.adjust(moved, adjustment, "twice")
    assert await house.blotter.account(deployment.id) == once


async def test_orders_are_found_by_the_ids_that_the_venue_gave_them(house: House) -> None:
    deployment = await house.deployed()
    order = await house.sent(deployment)
    await house.blotter.settle(replace(order.become(OrderStatus.ACCEPTED), venue_order_id="v1"))
    (found,) = await house.blotter.placed_as(["v1", "unknown"])
    assert found.intent.client_order_id == order.intent.client_order_id
    assert await house.blotter.placed_as([]) == []
