"""Orders in slices: every slice once, whoever dies, and together what was asked for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import DeploymentStatus
from omc.trading.execution import Execution, Style
from omc.trading.order import Order, OrderStatus
from omc.trading.volumes import MemoryVolumes
from tests.actors.book import Book
from tests.actors.mortal import START, Fuse, deployment, market
from tests.actors.test_floor import STOP, House, Written

S = OrderStatus
SLICED = Execution(slice_above_aud=Decimal(20), slices=4, over_s=1200.0)
"""One every bar."""


class Slicing(Book):
    volumes = MemoryVolumes()

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), volumes=self.volumes)

    def slices(self) -> list[Order]:
        return [row.order for row in self.blotter._rows.values() if row.order.intent.slice_of]

    def all_ended(self, count: int) -> bool:
        return len(self.slices()) == count and all(each.status.final for each in self.slices())


@pytest.fixture
async def book() -> AsyncIterator[Slicing]:
    book = Slicing(execution=SLICED)
    await book.begin()
    yield book
    await book.close()


async def played(fuse: Fuse | None = None, execution: Execution = SLICED) -> tuple[Slicing, Order]:
    """Four slices, one in each of four bars, at prices that rise."""
    book = Slicing(fuse=fuse, execution=execution)
    await book.begin()
    try:
        async with asyncio.timeout(30):
            intent = book.intent()
            sending = book.sending(intent)
            for number in range(1, 5):
                await book.until(lambda count=number: book.all_ended(count))  # type: ignore[misc]
                book.show(bars=1, ask=Decimal("3.00") + number * Decimal("0.01"))
            await sending
            return book, await book.order(intent)
    finally:
        await book.close()


async def test_slices_are_sent_when_they_are_due_and_add_up_to_the_order() -> None:
    book, order = await played()
    assert (order.status, order.filled_quantity) == (S.FILLED, Decimal(10))
    parts = book.slices()
    assert [part.intent.client_order_id for part in parts] == [f"{order.intent.client_order_id}:s{n}" for n in range(4)]
    assert [part.intent.quantity for part in parts] == [Decimal("2.5")] * 4
    assert [part.intent.quoted_at - START for part in parts] == [bar * timedelta(minutes=5) for bar in range(4)]
    assert [part.intent.quote_price_aud for part in parts] == [Decimal(f"3.0{number}") for number in range(4)]
    assert order.fills == tuple(fill for part in parts for fill in part.fills)
    await book.books_agree()


async def test_what_it_slipped_is_journaled_and_flagged_beyond_what_is_tolerated() -> None:
    book, order = await played(execution=replace(SLICED, tolerance_bps=10.0))
    # The average of 3.00, 3.01, 3.02 and 3.03 is half a percent above what one cost at the decision.
    assert "slipped 49." in (order.message or "") or "slipped 50." in (order.message or "")
    assert "10 are tolerated" in (order.message or "")
    entries, _ = await book.blotter.journal(order.intent.user_id, None, ("filled",), 0, 10)
    told = next(e.data for e in entries if e.data["client_order_id"] == order.intent.client_order_id)
    assert 45 < told["slippage_bps"] < 55
    sliced, _ = await book.blotter.journal(order.intent.user_id, None, ("sliced",), 0, 10)
    assert len(sliced[0].data["plan"]["slices"]) == 4
    _, quiet = await played(execution=replace(SLICED, tolerance_bps=100.0))
    assert quiet.message is None


@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
async def test_a_death_at_every_single_call_changes_no_slice(sign: int) -> None:
    undisturbed, expected = await played()
    calls = undisturbed.risk_fuse.calls
    assert calls > 40
    for number in range(1, calls + 1):
        book, order = await played(Fuse([sign * number]))
        assert (order.status, order.filled_quantity) == (S.FILLED, Decimal(10)), f"died at call {number}"
        assert book.orders_taken() == 4, f"died at call {number}"
        assert [each.intent.quantity for each in book.slices()] == [Decimal("2.5")] * 4
        await book.books_agree()
    assert expected.filled_quantity == 10


async def test_a_cancelled_order_sends_no_more_slices(book: Slicing) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.all_ended(1))
    ended = await book.cancel(intent.client_order_id, "its owner asked")
    assert (ended.status, ended.filled_quantity, ended.message) == (S.CANCELLED, Decimal("2.5"), "its owner asked")
    assert (await sending).filled_quantity == Decimal("2.5")
    assert book.orders_taken() == 1
    await book.books_agree()


async def test_a_halt_ends_the_slicing(book: Slicing) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.all_ended(1))
    await book.kill_switch.trip(intent.user_id, "enough")
    book.show(bars=1)
    order = await sending
    assert (order.status, order.filled_quantity) == (S.CANCELLED, Decimal("2.5"))
    assert "kill_switch" in (order.message or "")


async def test_slices_whose_time_is_over_are_not_sent(book: Slicing) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.all_ended(1))
    book.show(bars=40)
    order = await sending
    assert (order.status, order.filled_quantity) == (S.EXPIRED, Decimal("2.5"))


async def test_what_nobody_trades_for_any_more_is_ended_by_the_next_desk(book: Slicing) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.all_ended(1))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await book.deployments.set_status(book.ours.id, DeploymentStatus.PAUSED, "by hand")
    book._bury_risk(book.risk())
    book.risk()
    await book.until(lambda: book.is_at(intent, S.CANCELLED))
    assert (await book.order(intent)).filled_quantity == Decimal("2.5")


async def test_volumes_share_out_an_order_and_without_any_it_says_so() -> None:
    execution = replace(SLICED, style=Style.VWAP)
    _, order = await played(execution=execution)
    sliced = order.plan
    assert sliced is not None
    assert (sliced.style, sliced.note) == (Style.TWAP, "no volumes are known: spread evenly over time")
    yesterday = START - timedelta(days=1)
    Slicing.volumes.stretches["ETH"] = {
        yesterday + bar * timedelta(minutes=5): Decimal(volume) for bar, volume in enumerate((1, 2, 3, 4))
    }
    try:
        book, order = await played(execution=execution)
    finally:
        Slicing.volumes.stretches.clear()
    assert order.plan is not None
    assert order.plan.style is Style.VWAP
    assert [each.intent.quantity for each in book.slices()] == [Decimal(1), Decimal(2), Decimal(3), Decimal(4)]


class Lockstep(House):
    """A floor on a tape in lock-step whose deployment slices its orders, and lets them rest."""

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), tape=self.exchange)


async def on_a_tape(execution: Execution, **fuses: Fuse) -> Lockstep:
    tape, weights = market(5, seed=3, gaps=0.0)
    written = {np.datetime64(time): row for time, row in zip(tape.frame.times, weights, strict=True)}
    house = Lockstep(tape, lambda *_: Written(written, exits=STOP), **fuses)
    try:
        await house.play(deployment(execution=execution))
        return house
    finally:
        await house.close()


def fills(house: Lockstep) -> list[Any]:
    rows = [row.order for row in house.blotter._rows.values()]
    return [(order.intent.client_order_id, fill.quantity, fill.total_aud) for order in rows for fill in order.fills]


@pytest.mark.parametrize("who", ["risk", "trader"])
@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
def test_on_a_tape_in_lock_step_slices_follow_each_other_whoever_dies(who: str, sign: int) -> None:
    execution = Execution(slice_above_aud=Decimal(3000), slices=3, over_s=60.0, good_for_s=60.0)
    undisturbed = asyncio.run(on_a_tape(execution))
    expected = fills(undisturbed)
    assert any(":s2" in name for name, _, _ in expected)
    calls = getattr(undisturbed, f"{who}_fuse").calls
    for number in range(1, calls + 1, 3):
        house = asyncio.run(on_a_tape(execution, **{f"{who}_fuse": Fuse([sign * number])}))
        assert fills(house) == expected, f"died at call {number}"
        wallet = house.exchange.paper.wallet(str(deployment().id))
        assert len(wallet.executions) == len(expected)
        account = asyncio.run(_account(house.blotter))
        assert account.cash_aud == wallet.cash_aud


async def _account(blotter: MemoryBlotter) -> Any:
    return await blotter.account(deployment().id)
