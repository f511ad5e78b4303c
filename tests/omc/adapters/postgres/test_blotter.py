"""The blotter's promises, which PostgreSQL and the twin in memory keep alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from omc.adapters.postgres import dsn
from omc.errors import Conflict, Halted, IllegalTransition, NotFound, StaleLease
from omc.portfolio.account import Account
from omc.risk.verdict import DenialReason, Denied
from omc.trading import outcome
from omc.trading.blotter import Decision, Rebalance, TraderMemory
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres, intent


async def test_an_intent_is_stored_once_and_comes_back_as_the_order_it_became(house: House):
    deployment = await house.deployed()
    first = await house.blotter.begin(intent(deployment))
    assert first.status is OrderStatus.INTENT
    assert await house.blotter.order(first.intent.client_order_id) == first
    sent = await house.sent(deployment)
    assert await house.blotter.begin(intent(deployment)) == sent
    _, total = await house.blotter.orders(deployment.user_id, deployment.id, 0, 10)
    assert total == 1


async def test_an_intent_for_somebody_elses_deployment_finds_nothing(house: House):
    deployment = await house.deployed()
    with pytest.raises(NotFound):
        await house.blotter.begin(intent(deployment, user_id=await house.user()))
    with pytest.raises(NotFound):
        await house.blotter.begin(intent(replace(deployment, id=uuid4())))


async def test_our_own_no_is_final_and_keeps_its_reason(house: House):
    deployment = await house.deployed()
    order = await house.blotter.begin(intent(deployment))
    denied = Denied(order.intent, DenialReason.ORDER_TOO_LARGE, "200.00 AUD is above 100.00")
    stored = await house.blotter.deny(order, denied)
    assert stored == denied.of(order)
    assert await house.blotter.order(order.intent.client_order_id) == stored
    with pytest.raises(IllegalTransition):
        await house.sent(deployment)


async def test_an_order_is_not_sent_under_a_lease_that_another_took(house: House):
    deployment = await house.deployed()
    order = await house.blotter.begin(intent(deployment))
    trader, risk = await house.taken(deployment)
    newer_trader, newer_risk = await house.taken(deployment)
    for pair in ((trader, newer_risk), (newer_trader, risk), (replace(newer_trader, epoch=99), newer_risk)):
        with pytest.raises(StaleLease):
            await house.blotter.submitting(order, *pair)
    assert await house.blotter.order(order.intent.client_order_id) == order
    assert (await house.blotter.submitting(order, newer_trader, newer_risk)).status is OrderStatus.SUBMITTED


async def test_what_a_desk_that_was_replaced_makes_of_an_order_is_not_stored(house: House):
    deployment = await house.deployed()
    order = await house.blotter.begin(intent(deployment))
    late = Denied(order.intent, DenialReason.TOO_LATE, "its bar had passed")
    trader, old = await house.taken(deployment)
    _, new = await house.taken(deployment)
    with pytest.raises(StaleLease):
        await house.blotter.deny(order, late, old)
    trader = replace(trader, epoch=trader.epoch + 1)
    sent = await house.blotter.submitting(order, trader, new)
    with pytest.raises(StaleLease):
        await house.blotter.settle(sent.become(OrderStatus.REJECTED), old)
    assert await house.blotter.order(order.intent.client_order_id) == sent
    ended = await house.blotter.settle(sent.become(OrderStatus.CANCELLED), new)
    assert ended.status is OrderStatus.CANCELLED


async def test_an_order_is_not_sent_while_its_account_is_halted(house: House):
    deployment = await house.deployed()
    order = await house.blotter.begin(intent(deployment))
    trader, risk = await house.taken(deployment)
    await house.kill_switch.trip(deployment.user_id, "enough")
    with pytest.raises(Halted, match="enough"):
        await house.blotter.submitting(order, trader, risk)
    await house.kill_switch.reset(deployment.user_id)
    assert (await house.blotter.submitting(order, trader, risk)).status is OrderStatus.SUBMITTED


@pytest.mark.parametrize("status", [DeploymentStatus.PAUSED, DeploymentStatus.STOPPED])
async def test_an_order_is_not_sent_unless_its_deployment_is_active(house: House, status: DeploymentStatus):
    deployment = await house.deployed()
    order = await house.blotter.begin(intent(deployment))
    trader, risk = await house.taken(deployment)
    await house.deployments.set_status(deployment.id, status, "by hand")
    with pytest.raises(Conflict, match=status.value):
        await house.blotter.submitting(order, trader, risk)


async def test_the_desk_sells_out_of_a_halted_account_and_buys_nothing(house: House):
    deployment = await house.deployed()
    await house.filled(deployment, fill())
    buy = await house.blotter.begin(intent(deployment, quoted_at=NOON + timedelta(minutes=5)))
    sale = await house.blotter.begin(intent(deployment, side=Side.SELL, client_order_id=f"x:{outcome.LIQUIDATION}"))
    _, risk = await house.taken(deployment)
    await house.kill_switch.trip(deployment.user_id, "enough")
    await house.deployments.pause_all(deployment.user_id, "enough")
    with pytest.raises(Conflict):
        await house.blotter.submitting(buy, None, risk)
    with pytest.raises(StaleLease):
        await house.blotter.submitting(sale, None, replace(risk, epoch=risk.epoch + 1))
    assert (await house.blotter.submitting(sale, None, risk)).status is OrderStatus.SUBMITTED


async def test_an_unknown_order_may_be_sent_again_and_a_submitted_one_may_not(house: House):
    deployment = await house.deployed()
    sent = await house.sent(deployment)
    with pytest.raises(IllegalTransition):
        await house.sent(deployment)
    unknown = await house.blotter.settle(sent.become(OrderStatus.UNKNOWN, message="timed out"))
    assert await house.blotter.order(sent.intent.client_order_id) == unknown
    assert await house.sent(deployment) == unknown.become(OrderStatus.SUBMITTED)


async def test_a_fill_moves_order_position_and_cash_together(house: House):
    deployment = await house.deployed()
    order = await house.sent(deployment)
    settled = replace(order.become(OrderStatus.FILLED).filled_by((fill(),)), venue_order_id="venue-" + uuid4().hex)
    assert await house.blotter.settle(settled) == settled
    assert await house.blotter.order(order.intent.client_order_id) == settled
    expected = Account.opened_with(deployment.cash_aud).apply(fill(), order.intent.quote_price_aud)
    assert await house.blotter.account(deployment.id) == expected
    (trade,), total = await house.blotter.trades(deployment.user_id, deployment.id, 0, 10)
    assert (total, trade.fill, trade.client_order_id) == (1, fill(), order.intent.client_order_id)
    assert trade.venue_order_id == settled.venue_order_id


async def test_a_fill_told_twice_is_counted_once(house: House):
    deployment = await house.deployed()
    order = await house.filled(deployment, fill("f1"), fill("f2"))
    once = await house.blotter.account(deployment.id)
    assert await house.blotter.settle(order) == order
    stale = replace(order, fills=(fill("f2"),))
    assert (await house.blotter.settle(stale)).fills == order.fills
    assert await house.blotter.account(deployment.id) == once
    assert await house.blotter.fill_ids([deployment.id], NOON) == {"f1", "f2"}
    other = await house.deployed(deployment.user_id, name="other")
    await house.filled(other, fill("f3"))
    assert await house.blotter.fill_ids([deployment.id, other.id], NOON) == {"f1", "f2", "f3"}
    assert await house.blotter.fill_ids([], NOON) == frozenset()


async def test_a_fill_of_one_order_is_not_counted_for_another(house: House):
    deployment = await house.deployed()
    await house.filled(deployment, fill("f1"))
    once = await house.blotter.account(deployment.id)
    other = await house.filled(deployment, fill("f1"), quoted_at=NOON + timedelta(minutes=5))
    assert other.fills == ()
    assert await house.blotter.account(deployment.id) == once


async def test_partial_fills_add_up_until_the_rest_is_cancelled(house: House):
    deployment = await house.deployed()
    order = await house.sent(deployment)
    part = await house.blotter.settle(order.become(OrderStatus.PARTIAL).filled_by((fill("a"),)))
    more = await house.blotter.settle(part.become(OrderStatus.PARTIAL).filled_by((fill("b"),)))
    done = await house.blotter.settle(more.become(OrderStatus.CANCELLED))
    assert [each.fill_id for each in done.fills] == ["a", "b"]
    assert (await house.blotter.account(deployment.id)).position("BTC").quantity == Decimal("0.002")


async def test_what_is_final_stays_final(house: House):
    deployment = await house.deployed()
    order = await house.filled(deployment, fill())
    with pytest.raises(IllegalTransition):
        await house.blotter.settle(replace(order, status=OrderStatus.UNKNOWN))
    assert await house.blotter.order(order.intent.client_order_id) == order


async def test_unsettled_orders_come_oldest_first(house: House):
    deployment = await house.deployed()
    times = [NOON + timedelta(minutes=5 * n) for n in range(5)]
    first, second, third, fourth = [await house.sent(deployment, quoted_at=each) for each in times[:4]]
    await house.blotter.begin(intent(deployment, quoted_at=times[4]))
    await house.blotter.settle(second.become(OrderStatus.REJECTED))
    unknown = await house.blotter.settle(first.become(OrderStatus.UNKNOWN))
    accepted = await house.blotter.settle(fourth.become(OrderStatus.ACCEPTED))
    mine = [each for each in await house.blotter.unsettled() if each.intent.deployment_id == deployment.id]
    assert mine == [unknown, third, accepted]


async def test_a_persons_orders_that_are_not_over_are_found_newest_first(house: House):
    deployment = await house.deployed()
    other = await house.deployed(user_id=deployment.user_id, name="other")
    times = [NOON + timedelta(minutes=5 * n) for n in range(4)]
    first = await house.sent(deployment, quoted_at=times[0])
    second = await house.sent(other, quoted_at=times[1])
    await house.blotter.settle((await house.sent(deployment, quoted_at=times[2])).become(OrderStatus.REJECTED))
    await house.blotter.begin(intent(deployment, quoted_at=times[3]))
    await house.sent(await house.deployed())
    unknown = await house.blotter.settle(first.become(OrderStatus.UNKNOWN))
    assert [row.order for row in await house.blotter.standing(deployment.user_id)] == [second, unknown]


async def test_the_accounts_of_a_person_are_those_of_each_deployment(house: House):
    deployment = await house.deployed()
    other = await house.deployed(user_id=deployment.user_id, name="other")
    await house.filled(deployment, fill("a"))
    await house.filled(deployment, fill("b", coin="ETH"))
    await house.filled(await house.deployed(), fill("c"))
    assert await house.blotter.accounts(deployment.user_id) == {
        each.id: await house.blotter.account(each.id) for each in (deployment, other)
    }


async def test_realized_profit_counts_from_a_moment_on(house: House):
    deployment = await house.deployed()
    late = NOON + timedelta(hours=1)
    await house.filled(deployment, fill("buy"))
    await house.filled(
        deployment, fill("sell", Side.SELL, total_aud=Decimal("119.88"), fee_aud=Decimal("0.12"), executed_at=late)
    )
    account = await house.blotter.account(deployment.id)
    everything = await house.blotter.realized_since(deployment.id, NOON)
    assert everything == account.realized_aud - account.fees_aud
    lately = await house.blotter.realized_since(deployment.id, late)
    assert lately == account.realized_aud - Decimal("0.12")
    assert await house.blotter.realized_since(deployment.id, late + timedelta(seconds=1)) == 0


async def test_a_position_that_was_closed_forgets_its_opening_price_and_keeps_its_profit(house: House):
    deployment = await house.deployed()
    await house.filled(deployment, fill("buy"), quote_price_aud=Decimal("99999.99999999"))
    opened = (await house.blotter.account(deployment.id)).position("BTC")
    assert opened.opening_price_aud == Decimal("99999.99999999")
    await house.filled(deployment, fill("sell", Side.SELL))
    closed = (await house.blotter.account(deployment.id)).position("BTC")
    assert (closed.quantity, closed.opening_price_aud) == (0, None)
    assert closed.realized_aud == Decimal("0.20000024")


async def test_a_traders_memory_comes_back_bit_by_bit(house: House):
    deployment = await house.deployed()
    assert await house.blotter.recall(deployment.id) == TraderMemory()
    memory = TraderMemory(
        done_until=NOON,
        decided_at=NOON,
        targets=(0.1 + 0.2, 1e-300),
        stopped=(False, True),
        ages=(288, None),
        trails=(0.1 + 0.7, None),
        openings=(0.1 + 0.6, None),
        leaving=("stop_loss at 0.70000000, opened at 0.80000000", None),
        rebalance=Rebalance(NOON, 999.9999999999999, (1 / 3, 0.0)),
    )
    await house.blotter.remember(deployment.id, memory)
    assert await house.blotter.recall(deployment.id) == memory
    await house.blotter.remember(deployment.id, replace(memory, rebalance=None, targets=None))
    assert await house.blotter.recall(deployment.id) == replace(memory, rebalance=None, targets=None)


async def test_a_trader_that_was_replaced_does_not_write_over_what_its_successor_remembers(house: House):
    deployment = await house.deployed()
    old = await house.leases.take("trader:a name", "one")
    await house.blotter.remember(deployment.id, TraderMemory(done_until=NOON), trader=old)
    new = await house.leases.take("trader:a name", "another")
    later = TraderMemory(done_until=NOON + timedelta(minutes=5))
    await house.blotter.remember(deployment.id, later, trader=new)
    decision = Decision(NOON, {"BTC": 0.25}, {"BTC": "fast above slow"})
    with pytest.raises(StaleLease):
        await house.blotter.remember(deployment.id, TraderMemory(done_until=NOON), decision, trader=old)
    assert await house.blotter.recall(deployment.id) == later
    assert (await house.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 10))[1] == 0


async def test_remembering_counts_an_execution_and_journals_a_decision(house: House):
    deployment = await house.deployed()
    await house.blotter.remember(deployment.id, TraderMemory(done_until=NOON))
    quiet = await house.deployments.get(deployment.id)
    assert (quiet.execution_count, quiet.last_signal_at) == (1, None)
    assert quiet.heartbeat_at is not None
    decision = Decision(NOON, {"BTC": 0.25}, {"BTC": "fast above slow"})
    await house.blotter.remember(deployment.id, TraderMemory(done_until=NOON), decision)
    told = await house.deployments.get(deployment.id)
    assert told.execution_count == 2
    assert told.last_signal_at is not None
    (entry,), _ = await house.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 10)
    assert entry.data["targets"] == {"BTC": 0.25}
    assert entry.data["why"] == {"BTC": "fast above slow"}
    with pytest.raises(NotFound):
        await house.blotter.remember(uuid4(), TraderMemory())


TOLD = ("position", "pnl")


async def test_the_journal_tells_every_step_in_order_to_its_owner_alone(house: House):
    deployment = await house.deployed()
    await house.filled(deployment, fill())
    entries, total = await house.blotter.journal(deployment.user_id, deployment.id, (), 0, 10)
    assert [entry.kind for entry in entries] == ["pnl", "position", "filled", "submitted", "intent", "deployment"]
    assert total == 6
    seqs = [entry.seq for entry in entries]
    assert seqs == sorted(seqs, reverse=True)
    paged, _ = await house.blotter.journal(deployment.user_id, None, ["submitted", "intent"], 1, 1)
    assert [entry.kind for entry in paged] == ["intent"]
    assert await house.blotter.journal(await house.user(), deployment.id, (), 0, 10) == ([], 0)


async def test_fills_are_told_with_the_position_and_the_earnings_that_they_led_to(house: House):
    deployment = await house.deployed()
    await house.filled(deployment, fill())
    position, pnl = [(await house.blotter.journal(deployment.user_id, None, [kind], 0, 10))[0] for kind in TOLD]
    account = await house.blotter.account(deployment.id)
    told = {name: Decimal(amount) for name, amount in position[0].data.items() if name != "coin"}
    assert told == {
        "quantity": fill().quantity,
        "average_price_aud": account.position("BTC").average_price_aud,
        "cost_aud": fill().value_aud,
        "realized_pnl_aud": Decimal(0),
        "fees_aud": fill().fee_aud,
    }
    assert Decimal(pnl[0].data["cash_aud"]) == account.cash_aud
    again = (await house.blotter.order(intent(deployment).client_order_id)).filled_by((fill(),))
    await house.blotter.settle(again)
    assert [(await house.blotter.journal(deployment.user_id, None, [kind], 0, 10))[1] for kind in TOLD] == [1, 1]


async def test_orders_and_trades_come_newest_first_in_pages(house: House):
    deployment = await house.deployed()
    other = await house.deployed(deployment.user_id, name="second")
    times = [NOON + timedelta(minutes=5 * n) for n in range(3)]
    for n, time in enumerate(times):
        await house.filled(deployment, fill(f"f{n}", executed_at=time), quoted_at=time)
    await house.filled(other, fill("o", executed_at=times[1]), quoted_at=times[1])
    rows, total = await house.blotter.orders(deployment.user_id, deployment.id, 1, 5)
    assert [row.order.intent.quoted_at for row in rows] == [times[1], times[0]]
    assert total == 3
    assert (await house.blotter.orders(deployment.user_id, None, 0, 1))[1] == 4
    trades, total = await house.blotter.trades(deployment.user_id, deployment.id, 0, 2)
    assert [trade.fill.fill_id for trade in trades] == ["f2", "f1"]
    assert total == 3
    within, total = await house.blotter.trades(deployment.user_id, None, 0, 9, times[0], times[1])
    assert [trade.fill.fill_id for trade in within] == ["f0"]
    assert total == 1
    assert await house.blotter.orders(await house.user(), deployment.id, 0, 5) == ([], 0)
    assert await house.blotter.trades(await house.user(), None, 0, 5) == ([], 0)


async def test_a_fill_counted_by_two_at_once_is_counted_once(house: House):
    deployment = await house.deployed()
    order = (await house.sent(deployment)).become(OrderStatus.FILLED).filled_by((fill(),))
    settled = await asyncio.gather(*(house.blotter.settle(order) for _ in range(4)))
    assert settled == [order] * 4
    assert (await house.blotter.account(deployment.id)).position("BTC").quantity == fill().quantity


async def test_one_intent_begun_by_many_at_once_is_one_order(house: House):
    deployment = await house.deployed()
    begun = await asyncio.gather(*(house.blotter.begin(intent(deployment)) for _ in range(5)))
    assert begun == [begun[0]] * 5
    assert (await house.blotter.journal(deployment.user_id, deployment.id, ["intent"], 0, 5))[1] == 1


@pytest.mark.postgres
async def test_no_order_is_sent_after_a_halt_returned(database):
    """However many race: an order is written as sent before the halt is, or not at all."""
    house = in_postgres(database)
    deployment = await house.deployed()
    trader, risk = await house.taken(deployment)
    times = [NOON + timedelta(minutes=5 * n) for n in range(12)]
    orders = [await house.blotter.begin(intent(deployment, quoted_at=each)) for each in times]

    async def send(order):
        try:
            return await house.blotter.submitting(order, trader, risk)
        except Halted:
            return None

    await asyncio.gather(
        *map(send, orders[:6]), house.kill_switch.trip(deployment.user_id, "now"), *map(send, orders[6:])
    )
    entries, _ = await house.blotter.journal(deployment.user_id, None, ["submitted", "halt"], 0, 50)
    halted_at = next(entry.seq for entry in entries if entry.kind == "halt")
    assert all(entry.seq <= halted_at for entry in entries)


@pytest.mark.postgres
async def test_nothing_of_a_refused_settlement_is_kept(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    before = await house.blotter.account(deployment.id)
    order = await house.sent(deployment, side=Side.SELL)
    with pytest.raises(Conflict, match="does not fit the books"):
        await house.blotter.settle(order.become(OrderStatus.FILLED).filled_by((fill("x", Side.SELL),)))
    assert await house.blotter.order(order.intent.client_order_id) == order
    assert await house.blotter.account(deployment.id) == before
    assert await house.blotter.fill_ids([deployment.id], NOON) == frozenset()


@pytest.mark.postgres
async def test_a_venue_order_belongs_to_one_intent(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    venue_order_id = uuid4().hex
    first = await house.sent(deployment)
    await house.blotter.settle(replace(first.become(OrderStatus.ACCEPTED), venue_order_id=venue_order_id))
    second = await house.sent(deployment, quoted_at=NOON + timedelta(minutes=5))
    with pytest.raises(Conflict, match="another intent"):
        await house.blotter.settle(replace(second.become(OrderStatus.ACCEPTED), venue_order_id=venue_order_id))


@pytest.mark.postgres
@pytest.mark.parametrize("statement", ["UPDATE journal SET kind = 'x'", "DELETE FROM journal", "TRUNCATE journal"])
async def test_the_journal_cannot_be_changed(database, statement: str):
    with psycopg.connect(dsn.read(database.dsn_file)) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(statement)
