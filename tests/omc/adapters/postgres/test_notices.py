"""Notices to traders, as PostgreSQL and the twin in memory keep them alike."""

from dataclasses import replace

import pytest

from omc.errors import Conflict, NotFound, Overtaken
from omc.trading.blotter import Rebalance, TraderMemory
from omc.trading.fill import Side
from omc.trading.notice import NoticeKind
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, intent

MEMORY = TraderMemory(NOON, NOON, (0.25, 0.5), rebalance=Rebalance(NOON, 1000.0, (0.25, 0.5)), ages=(1, None))


async def test_a_trader_that_goes_on_without_having_heard_stores_nothing(house: House):
    deployment = await house.deployed()
    await house.blotter.remember(deployment.id, MEMORY)
    await house.blotter.notify(deployment.id, NoticeKind.OUT, ["ETH"])
    with pytest.raises(Overtaken):
        await house.blotter.remember(deployment.id, replace(MEMORY, targets=(1.0, 0.0)))
    told = await house.blotter.recall(deployment.id)
    assert (told.targets, told.stopped, told.heard) == ((0.25, 0.0), (False, True), 1)
    assert told.rebalance == Rebalance(NOON, 1000.0, (0.25, None))
    assert told.ages == (1, None)
    await house.blotter.remember(deployment.id, told)
    assert await house.blotter.recall(deployment.id) == told


async def test_a_notice_may_come_before_the_first_memory(house: House):
    deployment = await house.deployed()
    await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"])
    told = await house.blotter.recall(deployment.id)
    assert told == TraderMemory(stopped=(True, False), heard=1)
    with pytest.raises(Overtaken):
        await house.blotter.remember(deployment.id, TraderMemory(NOON))


async def test_what_was_sold_over_its_head_is_not_bought_and_may_be_sold(house: House):
    deployment = await house.deployed()
    trader, risk = await house.taken(deployment)
    await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"])
    bought = await house.blotter.begin(intent(deployment))
    with pytest.raises(Overtaken):
        await house.blotter.submitting(bought, trader, risk)
    assert (await house.blotter.order(bought.intent.client_order_id)).status is OrderStatus.INTENT
    for changes in ({"coin": "ETH"}, {"side": Side.SELL}):
        order = await house.blotter.begin(intent(deployment, **changes, client_order_id=f"{deployment.id}:{changes}"))
        assert (await house.blotter.submitting(order, trader, risk)).status is OrderStatus.SUBMITTED
    await house.blotter.remember(deployment.id, await house.blotter.recall(deployment.id))
    assert (await house.blotter.submitting(bought, trader, risk)).status is OrderStatus.SUBMITTED


async def test_its_end_is_another_notice_and_comes_once(house: House):
    deployment = await house.deployed()
    notice = await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"])
    assert notice in await house.blotter.unfinished()
    for _ in range(2):
        await house.blotter.done(notice)
    assert notice not in await house.blotter.unfinished()
    assert (await house.blotter.recall(deployment.id)).heard == 2


async def test_what_is_lifted_is_not_out_any_more(house: House):
    deployment = await house.deployed()
    await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC", "ETH"])
    await house.blotter.notify(deployment.id, NoticeKind.IN, ["BTC"])
    assert (await house.blotter.recall(deployment.id)).stopped == (False, True)


async def test_a_key_leaves_one_notice_and_stands_for_one_thing(house: House):
    deployment = await house.deployed()
    first = await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"], "k")
    assert await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"], "k") == first
    with pytest.raises(Conflict):
        await house.blotter.notify(deployment.id, NoticeKind.OUT, ["ETH"], "k")
    await house.blotter.done(first)
    assert await house.blotter.noticed(deployment.id, "other") is None
    assert (await house.blotter.noticed(deployment.id, "k")).done
    assert (await house.blotter.notify(deployment.id, NoticeKind.OUT, ["BTC"], "k")).done
    entries, total = await house.blotter.journal(deployment.user_id, deployment.id, ["forced_exit"], 0, 10)
    assert total == 1
    assert (entries[0].data["coins"], entries[0].data["action"]) == (["BTC"], "out")


async def test_nobody_is_told_of_a_deployment_that_is_not_there(house: House):
    with pytest.raises(NotFound):
        await house.blotter.notify((await house.wanted()).id, NoticeKind.OUT, ["BTC"])
