"""What is journaled and written ahead together with others, as PostgreSQL and the twin in memory keep it alike."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import psycopg
import pytest

from omc.adapters.postgres import dsn, order_lanes
from omc.adapters.postgres.database import connect
from omc.errors import Conflict, Halted, IllegalTransition, NotFound, OmcError, Overtaken, StaleLease
from omc.risk.kill_switch import HaltLevel
from omc.trading.blotter import Rebalance, TraderMemory
from omc.trading.deployment import DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.notice import NoticeKind
from omc.trading.order import Order, OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres, intent

ODD = Rebalance(NOON, 0.1 + 0.2, (-0.0, 1e-310))
MEMORY = TraderMemory(NOON, NOON, (1 / 3, None), (True, False), ODD, (7, None), (None, 5e-324), (1e22, None))


async def of_journal(house: House, deployment) -> list[str]:
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, [], 0, 20)
    return [entry.kind for entry in reversed(entries)]


async def test_an_intent_and_what_its_trader_remembers_are_one_step(house: House):
    deployment = await house.deployed()
    trader, _ = await house.taken(deployment)
    order = await house.blotter.begin(intent(deployment), trader, MEMORY)
    assert await house.blotter.order(order.intent.client_order_id) == order == Order(intent(deployment))
    recalled = await house.blotter.recall(deployment.id)
    assert recalled == MEMORY
    assert repr(recalled) == repr(MEMORY)
    assert await of_journal(house, deployment) == ["deployment", "rebalance", "intent"]
    beaten = await house.deployments.get(deployment.id)
    assert (beaten.execution_count, beaten.last_signal_at) == (1, None)
    assert beaten.heartbeat_at is not None


async def test_a_deployment_and_its_account_are_told_as_of_one_moment(house: House):
    deployments = [await house.deployed(), await house.deployed(parameters={"odd": [1.5, None]})]
    await house.filled(deployments[1], fill(), fill("f2"))
    told = await asyncio.gather(*(house.blotter.brief(each.id) for each in (*deployments, deployments[0])))
    for deployment, (found, account) in zip((*deployments, deployments[0]), told, strict=True):
        assert found == await house.deployments.get(deployment.id)
        assert account == await house.blotter.account(deployment.id)
    assert told[1][1].positions["BTC"].quantity == 2 * fill().quantity
    with pytest.raises(NotFound):
        await house.blotter.brief(uuid4())


async def test_an_intent_that_is_known_leaves_alone_what_its_trader_remembers_since(house: House):
    deployment = await house.deployed()
    trader, _ = await house.taken(deployment)
    first = await house.blotter.begin(intent(deployment), trader, MEMORY)
    later = replace(MEMORY, rebalance=None)
    await house.blotter.remember(deployment.id, later, trader=trader)
    assert await house.blotter.begin(intent(deployment), trader, MEMORY) == first
    assert await house.blotter.recall(deployment.id) == later
    assert (await house.deployments.get(deployment.id)).execution_count == 2


async def test_a_trader_that_was_replaced_begins_nothing_and_remembers_nothing(house: House):
    deployment = await house.deployed()
    old, _ = await house.taken(deployment)
    new, _ = await house.taken(deployment)
    for memory in (None, MEMORY):
        with pytest.raises(StaleLease):
            await house.blotter.begin(intent(deployment), old, memory)
    assert await house.blotter.order(intent(deployment).client_order_id) is None
    assert await house.blotter.recall(deployment.id) == TraderMemory()
    await house.blotter.begin(intent(deployment), new)
    with pytest.raises(StaleLease):
        await house.blotter.begin(intent(deployment), old)
    assert await of_journal(house, deployment) == ["deployment", "intent"]


async def test_a_trader_that_has_not_heard_begins_nothing_and_remembers_nothing(house: House):
    deployment = await house.deployed()
    trader, _ = await house.taken(deployment)
    await house.blotter.notify(deployment.id, NoticeKind.OUT, ["ETH"])
    with pytest.raises(Overtaken):
        await house.blotter.begin(intent(deployment), trader, MEMORY)
    assert await house.blotter.order(intent(deployment).client_order_id) is None
    assert (await house.deployments.get(deployment.id)).execution_count == 0
    heard = await house.blotter.recall(deployment.id)
    await house.blotter.begin(intent(deployment), trader, heard)
    assert await house.blotter.recall(deployment.id) == heard


async def test_of_those_that_begin_together_each_gets_its_own_answer(house: House):
    deployments = [await house.deployed() for _ in range(6)]
    leases = [(await house.taken(each))[0] for each in deployments]
    stranger, replaced, unheard = deployments[1:4]
    leases[2] = replace(leases[2], epoch=leases[2].epoch + 1)
    await house.blotter.notify(unheard.id, NoticeKind.OUT, ["BTC"])
    wanted = [intent(each) for each in deployments]
    wanted[1] = replace(wanted[1], user_id=deployments[0].user_id)
    asked = zip(wanted, leases, strict=True)
    begun = await asyncio.gather(
        *(house.blotter.begin(each, lease, MEMORY) for each, lease in asked), return_exceptions=True
    )
    assert [type(each) for each in begun] == [Order, NotFound, StaleLease, Overtaken, Order, Order]
    assert [each for each in begun if isinstance(each, Order)] == [Order(wanted[at]) for at in (0, 4, 5)]
    for each in (stranger, replaced, unheard):
        assert (await house.blotter.recall(each.id)).rebalance is None


async def test_of_those_that_are_written_ahead_together_each_gets_its_own_answer(house: House):
    deployments = [await house.deployed() for _ in range(8)]
    pairs = [await house.taken(each) for each in deployments]
    orders = [await house.blotter.begin(intent(each)) for each in deployments]
    halted, adding, paused, sold, newer, never = deployments[1:7]
    await house.kill_switch.trip(halted.user_id, "a test")
    await house.kill_switch.trip(adding.user_id, "a test", deployment_id=adding.id, level=HaltLevel.ADDING)
    await house.deployments.set_status(paused.id, DeploymentStatus.PAUSED, "a test")
    await house.blotter.notify(sold.id, NoticeKind.OUT, ["BTC"])
    await house.leases.take(trader_name(newer), "another")
    orders[6] = replace(orders[6], intent=replace(orders[6].intent, client_order_id="never begun"))
    sent = await asyncio.gather(
        *(house.blotter.submitting(order, *pair) for order, pair in zip(orders, pairs, strict=True)),
        return_exceptions=True,
    )
    for at in (0, 7):
        assert sent[at] == orders[at].become(OrderStatus.SUBMITTED)
        assert await house.blotter.order(orders[at].intent.client_order_id) == sent[at]
        assert await of_journal(house, deployments[at]) == ["deployment", "intent", "submitted"]
    faults = [Halted, Halted, Conflict, Overtaken, StaleLease, NotFound]
    assert [isinstance(each, kind) for each, kind in zip(sent[1:7], faults, strict=True)] == [True] * 6
    for at in range(1, 6):
        assert (await house.blotter.order(orders[at].intent.client_order_id)).status is OrderStatus.INTENT
    assert await house.blotter.order("never begun") is None
    assert "submitted" not in await of_journal(house, never)


async def test_a_halt_of_what_adds_lets_sales_be_written_ahead(house: House):
    deployment = await house.deployed()
    trader, risk = await house.taken(deployment)
    sale = await house.blotter.begin(intent(deployment, side=Side.SELL))
    await house.kill_switch.trip(deployment.user_id, "a test", level=HaltLevel.ADDING)
    assert (await house.blotter.submitting(sale, trader, risk)).status is OrderStatus.SUBMITTED


async def test_what_was_written_ahead_is_not_written_ahead_again(house: House):
    deployment = await house.deployed()
    pair = await house.taken(deployment)
    order = await house.blotter.begin(intent(deployment))
    answers = await asyncio.gather(*(house.blotter.submitting(order, *pair) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["IllegalTransition"] * 3 + ["Order"]
    with pytest.raises(IllegalTransition):
        await house.blotter.submitting(order, *pair)
    assert (await of_journal(house, deployment)).count("submitted") == 1


@pytest.mark.postgres
async def test_what_one_of_them_cannot_be_stored_as_keeps_no_other_from_being_stored(database):
    house = in_postgres(database)
    deployments = [await house.deployed() for _ in range(3)]
    wanted = [intent(each) for each in deployments]
    wanted[1] = replace(wanted[1], quantity=Decimal(10) ** 30)
    begun = await asyncio.gather(*map(house.blotter.begin, wanted), return_exceptions=True)
    assert isinstance(begun[1], OmcError)
    assert [begun[0], begun[2]] == [Order(wanted[0]), Order(wanted[2])]


@pytest.mark.postgres
async def test_a_row_that_somebody_keeps_holds_up_nobody_elses_order(database):
    house = in_postgres(database)
    kept, free = await house.deployed(), await house.deployed()
    pairs = [await house.taken(each) for each in (kept, free)]
    orders = [await house.blotter.begin(intent(each)) for each in (kept, free)]
    with psycopg.connect(dsn.read(database.dsn_file)) as other:
        other.execute("SELECT 1 FROM orders WHERE client_order_id = %s FOR UPDATE", (orders[0].intent.client_order_id,))
        waiting = asyncio.create_task(house.blotter.submitting(orders[0], *pairs[0]))
        sent = await house.blotter.submitting(orders[1], *pairs[1])
        assert sent.status is OrderStatus.SUBMITTED
        assert not waiting.done()
        other.rollback()
    assert (await waiting).status is OrderStatus.SUBMITTED


class Deaf:
    """A connection whose answers are lost, whatever it has done."""

    def __init__(self, of: asyncpg.Connection) -> None:
        self._of = of

    async def fetch(self, *asked: Any) -> Any:
        await self._of.fetch(*asked)
        raise ConnectionResetError("the line was cut")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


@pytest.mark.postgres
async def test_what_was_done_and_not_answered_is_found_done_and_not_done_twice(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    pair = await house.taken(deployment)

    async def deaf() -> Any:
        return Deaf(await connect(database.dsn_file))

    for statement in (order_lanes.BEGUN, order_lanes.AHEAD):
        database.lane(statement)._connect = deaf
    order = await house.blotter.begin(intent(deployment), pair[0], MEMORY)
    assert order == Order(intent(deployment))
    assert await house.blotter.recall(deployment.id) == MEMORY
    assert await house.blotter.submitting(order, *pair) == order.become(OrderStatus.SUBMITTED)
    assert await of_journal(house, deployment) == ["deployment", "rebalance", "intent", "submitted"]
