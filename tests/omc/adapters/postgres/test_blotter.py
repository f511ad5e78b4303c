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
from omc.trading.blotter import Decision, Rebalance, TraderMemory
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.floor import NOON, Floor, fill, in_postgres, intent


async def test_an_intent_is_stored_once_and_comes_back_as_the_order_it_became(floor: Floor):
    deployment = await floor.deployed()
    first = await floor.blotter.begin(intent(deployment))
    assert first.status is OrderStatus.INTENT
    assert await floor.blotter.order(first.intent.client_order_id) == first
    sent = await floor.sent(deployment)
    assert await floor.blotter.begin(intent(deployment)) == sent
    _, total = await floor.blotter.orders(deployment.user_id, deployment.id, 0, 10)
    assert total == 1


async def test_an_intent_for_somebody_elses_deployment_finds_nothing(floor: Floor):
    deployment = await floor.deployed()
    with pytest.raises(NotFound):
        await floor.blotter.begin(intent(deployment, user_id=await floor.user()))
    with pytest.raises(NotFound):
        await floor.blotter.begin(intent(replace(deployment, id=uuid4())))


async def test_our_own_no_is_final_and_keeps_its_reason(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.blotter.begin(intent(deployment))
    denied = Denied(order.intent, DenialReason.ORDER_TOO_LARGE, "200.00 AUD is above 100.00")
    stored = await floor.blotter.deny(order, denied)
    assert stored == denied.of(order)
    assert await floor.blotter.order(order.intent.client_order_id) == stored
    with pytest.raises(IllegalTransition):
        await floor.sent(deployment)


async def test_an_order_is_not_sent_under_a_lease_that_another_took(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.blotter.begin(intent(deployment))
    trader, risk = await floor.taken(deployment)
    newer_trader, newer_risk = await floor.taken(deployment)
    for pair in ((trader, newer_risk), (newer_trader, risk), (replace(newer_trader, epoch=99), newer_risk)):
        with pytest.raises(StaleLease):
            await floor.blotter.submitting(order, *pair)
    assert await floor.blotter.order(order.intent.client_order_id) == order
    assert (await floor.blotter.submitting(order, newer_trader, newer_risk)).status is OrderStatus.SUBMITTED


async def test_an_order_is_not_sent_while_its_account_is_halted(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.blotter.begin(intent(deployment))
    trader, risk = await floor.taken(deployment)
    await floor.kill_switch.trip(deployment.user_id, "enough")
    with pytest.raises(Halted, match="enough"):
        await floor.blotter.submitting(order, trader, risk)
    await floor.kill_switch.reset(deployment.user_id)
    assert (await floor.blotter.submitting(order, trader, risk)).status is OrderStatus.SUBMITTED


@pytest.mark.parametrize("status", [DeploymentStatus.PAUSED, DeploymentStatus.STOPPED])
async def test_an_order_is_not_sent_unless_its_deployment_is_active(floor: Floor, status: DeploymentStatus):
    deployment = await floor.deployed()
    order = await floor.blotter.begin(intent(deployment))
    trader, risk = await floor.taken(deployment)
    await floor.deployments.set_status(deployment.id, status, "by hand")
    with pytest.raises(Conflict, match=status.value):
        await floor.blotter.submitting(order, trader, risk)


async def test_the_desk_sells_out_of_a_halted_account_and_buys_nothing(floor: Floor):
    deployment = await floor.deployed()
    await floor.filled(deployment, fill())
    buy = await floor.blotter.begin(intent(deployment, quoted_at=NOON + timedelta(minutes=5)))
    sale = await floor.blotter.begin(intent(deployment, side=Side.SELL))
    _, risk = await floor.taken(deployment)
    await floor.kill_switch.trip(deployment.user_id, "enough")
    await floor.deployments.pause_all(deployment.user_id, "enough")
    with pytest.raises(Conflict):
        await floor.blotter.submitting(buy, None, risk)
    with pytest.raises(StaleLease):
        await floor.blotter.submitting(sale, None, replace(risk, epoch=risk.epoch + 1))
    assert (await floor.blotter.submitting(sale, None, risk)).status is OrderStatus.SUBMITTED


async def test_an_unknown_order_may_be_sent_again_and_a_submitted_one_may_not(floor: Floor):
    deployment = await floor.deployed()
    sent = await floor.sent(deployment)
    with pytest.raises(IllegalTransition):
        await floor.sent(deployment)
    unknown = await floor.blotter.settle(sent.become(OrderStatus.UNKNOWN, message="timed out"))
    assert await floor.blotter.order(sent.intent.client_order_id) == unknown
    assert await floor.sent(deployment) == unknown.become(OrderStatus.SUBMITTED)


async def test_a_fill_moves_order_position_and_cash_together(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.sent(deployment)
    settled = replace(order.become(OrderStatus.FILLED).filled_by((fill(),)), venue_order_id="venue-" + uuid4().hex)
    assert await floor.blotter.settle(settled) == settled
    assert await floor.blotter.order(order.intent.client_order_id) == settled
    expected = Account.opened_with(deployment.cash_aud).apply(fill(), order.intent.quote_price_aud)
    assert await floor.blotter.account(deployment.id) == expected
    (trade,), total = await floor.blotter.trades(deployment.user_id, deployment.id, 0, 10)
    assert (total, trade.fill, trade.client_order_id) == (1, fill(), order.intent.client_order_id)
    assert trade.venue_order_id == settled.venue_order_id


async def test_a_fill_told_twice_is_counted_once(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.filled(deployment, fill("f1"), fill("f2"))
    once = await floor.blotter.account(deployment.id)
    assert await floor.blotter.settle(order) == order
    stale = replace(order, fills=(fill("f2"),))
    assert (await floor.blotter.settle(stale)).fills == order.fills
    assert await floor.blotter.account(deployment.id) == once
    assert await floor.blotter.fill_ids(deployment.id, NOON) == {"f1", "f2"}


async def test_a_fill_of_one_order_is_not_counted_for_another(floor: Floor):
    deployment = await floor.deployed()
    await floor.filled(deployment, fill("f1"))
    once = await floor.blotter.account(deployment.id)
    other = await floor.filled(deployment, fill("f1"), quoted_at=NOON + timedelta(minutes=5))
    assert other.fills == ()
    assert await floor.blotter.account(deployment.id) == once


async def test_partial_fills_add_up_until_the_rest_is_cancelled(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.sent(deployment)
    part = await floor.blotter.settle(order.become(OrderStatus.PARTIAL).filled_by((fill("a"),)))
    more = await floor.blotter.settle(part.become(OrderStatus.PARTIAL).filled_by((fill("b"),)))
    done = await floor.blotter.settle(more.become(OrderStatus.CANCELLED))
    assert [each.fill_id for each in done.fills] == ["a", "b"]
    assert (await floor.blotter.account(deployment.id)).position("BTC").quantity == Decimal("0.002")


async def test_what_is_final_stays_final(floor: Floor):
    deployment = await floor.deployed()
    order = await floor.filled(deployment, fill())
    with pytest.raises(IllegalTransition):
        await floor.blotter.settle(replace(order, status=OrderStatus.UNKNOWN))
    assert await floor.blotter.order(order.intent.client_order_id) == order


async def test_unsettled_orders_come_oldest_first(floor: Floor):
    deployment = await floor.deployed()
    times = [NOON + timedelta(minutes=5 * n) for n in range(5)]
    first, second, third, fourth = [await floor.sent(deployment, quoted_at=each) for each in times[:4]]
    await floor.blotter.begin(intent(deployment, quoted_at=times[4]))
    await floor.blotter.settle(second.become(OrderStatus.FAILED))
    unknown = await floor.blotter.settle(first.become(OrderStatus.UNKNOWN))
    accepted = await floor.blotter.settle(fourth.become(OrderStatus.ACCEPTED))
    mine = [each for each in await floor.blotter.unsettled() if each.intent.deployment_id == deployment.id]
    assert mine == [unknown, third, accepted]


async def test_realized_profit_counts_from_a_moment_on(floor: Floor):
    deployment = await floor.deployed()
    late = NOON + timedelta(hours=1)
    await floor.filled(deployment, fill("buy"))
    await floor.filled(
        deployment, fill("sell", Side.SELL, total_aud=Decimal("119.88"), fee_aud=Decimal("0.12"), executed_at=late)
    )
    account = await floor.blotter.account(deployment.id)
    everything = await floor.blotter.realized_since(deployment.id, NOON)
    assert everything == account.realized_aud - account.fees_aud
    lately = await floor.blotter.realized_since(deployment.id, late)
    assert lately == account.realized_aud - Decimal("0.12")
    assert await floor.blotter.realized_since(deployment.id, late + timedelta(seconds=1)) == 0


async def test_a_position_that_was_closed_forgets_its_opening_price_and_keeps_its_profit(floor: Floor):
    deployment = await floor.deployed()
    await floor.filled(deployment, fill("buy"), quote_price_aud=Decimal("99999.99999999"))
    opened = (await floor.blotter.account(deployment.id)).position("BTC")
    assert opened.opening_price_aud == Decimal("99999.99999999")
    await floor.filled(deployment, fill("sell", Side.SELL))
    closed = (await floor.blotter.account(deployment.id)).position("BTC")
    assert (closed.quantity, closed.opening_price_aud) == (0, None)
    assert closed.realized_aud == Decimal("0.20000024")


async def test_a_traders_memory_comes_back_bit_by_bit(floor: Floor):
    deployment = await floor.deployed()
    assert await floor.blotter.recall(deployment.id) == TraderMemory()
    memory = TraderMemory(
        done_until=NOON,
        decided_at=NOON,
        targets=(0.1 + 0.2, 1e-300),
        stopped=(False, True),
        rebalance=Rebalance(NOON, 999.9999999999999, (1 / 3, 0.0)),
    )
    await floor.blotter.remember(deployment.id, memory)
    assert await floor.blotter.recall(deployment.id) == memory
    await floor.blotter.remember(deployment.id, replace(memory, rebalance=None, targets=None))
    assert await floor.blotter.recall(deployment.id) == replace(memory, rebalance=None, targets=None)


async def test_remembering_counts_an_execution_and_journals_a_decision(floor: Floor):
    deployment = await floor.deployed()
    await floor.blotter.remember(deployment.id, TraderMemory(done_until=NOON))
    quiet = await floor.deployments.get(deployment.id)
    assert (quiet.execution_count, quiet.last_signal_at) == (1, None)
    assert quiet.heartbeat_at is not None
    decision = Decision(NOON, {"BTC": 0.25}, {"BTC": "fast above slow"})
    await floor.blotter.remember(deployment.id, TraderMemory(done_until=NOON), decision)
    told = await floor.deployments.get(deployment.id)
    assert told.execution_count == 2
    assert told.last_signal_at is not None
    (entry,), _ = await floor.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 10)
    assert entry.data["targets"] == {"BTC": 0.25}
    assert entry.data["why"] == {"BTC": "fast above slow"}
    with pytest.raises(NotFound):
        await floor.blotter.remember(uuid4(), TraderMemory())


async def test_the_journal_tells_every_step_in_order_to_its_owner_alone(floor: Floor):
    deployment = await floor.deployed()
    await floor.filled(deployment, fill())
    entries, total = await floor.blotter.journal(deployment.user_id, deployment.id, (), 0, 10)
    assert [entry.kind for entry in entries] == ["filled", "submitted", "intent", "deployment"]
    assert total == 4
    seqs = [entry.seq for entry in entries]
    assert seqs == sorted(seqs, reverse=True)
    paged, _ = await floor.blotter.journal(deployment.user_id, None, ["submitted", "intent"], 1, 1)
    assert [entry.kind for entry in paged] == ["intent"]
    assert await floor.blotter.journal(await floor.user(), deployment.id, (), 0, 10) == ([], 0)


async def test_orders_and_trades_come_newest_first_in_pages(floor: Floor):
    deployment = await floor.deployed()
    other = await floor.deployed(deployment.user_id, name="second")
    times = [NOON + timedelta(minutes=5 * n) for n in range(3)]
    for n, time in enumerate(times):
        await floor.filled(deployment, fill(f"f{n}", executed_at=time), quoted_at=time)
    await floor.filled(other, fill("o", executed_at=times[1]), quoted_at=times[1])
    rows, total = await floor.blotter.orders(deployment.user_id, deployment.id, 1, 5)
    assert [row.order.intent.quoted_at for row in rows] == [times[1], times[0]]
    assert total == 3
    assert (await floor.blotter.orders(deployment.user_id, None, 0, 1))[1] == 4
    trades, total = await floor.blotter.trades(deployment.user_id, deployment.id, 0, 2)
    assert [trade.fill.fill_id for trade in trades] == ["f2", "f1"]
    assert total == 3
    within, total = await floor.blotter.trades(deployment.user_id, None, 0, 9, times[0], times[1])
    assert [trade.fill.fill_id for trade in within] == ["f0"]
    assert total == 1
    assert await floor.blotter.orders(await floor.user(), deployment.id, 0, 5) == ([], 0)
    assert await floor.blotter.trades(await floor.user(), None, 0, 5) == ([], 0)


async def test_a_fill_counted_by_two_at_once_is_counted_once(floor: Floor):
    deployment = await floor.deployed()
    order = (await floor.sent(deployment)).become(OrderStatus.FILLED).filled_by((fill(),))
    settled = await asyncio.gather(*(floor.blotter.settle(order) for _ in range(4)))
    assert settled == [order] * 4
    assert (await floor.blotter.account(deployment.id)).position("BTC").quantity == fill().quantity


async def test_one_intent_begun_by_many_at_once_is_one_order(floor: Floor):
    deployment = await floor.deployed()
    begun = await asyncio.gather(*(floor.blotter.begin(intent(deployment)) for _ in range(5)))
    assert begun == [begun[0]] * 5
    assert (await floor.blotter.journal(deployment.user_id, deployment.id, ["intent"], 0, 5))[1] == 1


@pytest.mark.postgres
async def test_no_order_is_sent_after_a_halt_returned(database):
    """However many race: an order is written as sent before the halt is, or not at all."""
    floor = in_postgres(database)
    deployment = await floor.deployed()
    trader, risk = await floor.taken(deployment)
    times = [NOON + timedelta(minutes=5 * n) for n in range(12)]
    orders = [await floor.blotter.begin(intent(deployment, quoted_at=each)) for each in times]

    async def send(order):
        try:
            return await floor.blotter.submitting(order, trader, risk)
        except Halted:
            return None

    await asyncio.gather(
        *map(send, orders[:6]), floor.kill_switch.trip(deployment.user_id, "now"), *map(send, orders[6:])
    )
    entries, _ = await floor.blotter.journal(deployment.user_id, None, ["submitted", "halt"], 0, 50)
    halted_at = next(entry.seq for entry in entries if entry.kind == "halt")
    assert all(entry.seq <= halted_at for entry in entries)


@pytest.mark.postgres
async def test_nothing_of_a_refused_settlement_is_kept(database):
    floor = in_postgres(database)
    deployment = await floor.deployed()
    before = await floor.blotter.account(deployment.id)
    order = await floor.sent(deployment, side=Side.SELL)
    with pytest.raises(Conflict, match="does not fit the books"):
        await floor.blotter.settle(order.become(OrderStatus.FILLED).filled_by((fill("x", Side.SELL),)))
    assert await floor.blotter.order(order.intent.client_order_id) == order
    assert await floor.blotter.account(deployment.id) == before
    assert await floor.blotter.fill_ids(deployment.id, NOON) == frozenset()


@pytest.mark.postgres
async def test_a_venue_order_belongs_to_one_intent(database):
    floor = in_postgres(database)
    deployment = await floor.deployed()
    venue_order_id = uuid4().hex
    first = await floor.sent(deployment)
    await floor.blotter.settle(replace(first.become(OrderStatus.ACCEPTED), venue_order_id=venue_order_id))
    second = await floor.sent(deployment, quoted_at=NOON + timedelta(minutes=5))
    with pytest.raises(Conflict, match="another intent"):
        await floor.blotter.settle(replace(second.become(OrderStatus.ACCEPTED), venue_order_id=venue_order_id))


@pytest.mark.postgres
@pytest.mark.parametrize("statement", ["UPDATE journal SET kind = 'x'", "DELETE FROM journal", "TRUNCATE journal"])
async def test_the_journal_cannot_be_changed(database, statement: str):
    with psycopg.connect(dsn.read(database.dsn_file)) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(statement)
