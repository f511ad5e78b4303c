"""The first message of a stream shows everything that still matters, however old it is."""

from datetime import timedelta
from uuid import UUID

import pytest

from omc.trading.deployment import DeploymentStatus
from omc.trading.feed import MemoryFeed
from omc.trading.order import OrderStatus
from serve_apps.gateway.streams.snapshot import Snapshots
from tests.omc.adapters.postgres.house import House, fill, in_memory


@pytest.fixture
def house() -> House:
    return in_memory()


async def shown(house: House, user_id: UUID) -> dict:
    feed = MemoryFeed(house.deployments.journal)
    snapshots = Snapshots(feed, house.deployments, house.blotter, house.kill_switch, house.clock)
    return (await snapshots.of(user_id, None)).data


async def test_a_deployment_that_is_halted_alone_is_shown_to_be(house):
    deployment = await house.deployed()
    await house.kill_switch.trip(deployment.user_id, "drawdown", deployment_id=deployment.id)
    await house.kill_switch.trip(None, "maintenance")
    await house.kill_switch.trip(await house.user(), "somebody else's")
    halts = (await shown(house, deployment.user_id))["halts"]
    assert [(each["reason"], each["scope"], each["deployment_id"]) for each in halts] == [
        ("drawdown", "deployment", str(deployment.id)),
        ("maintenance", "platform", None),
    ]


async def test_an_order_that_waits_for_a_person_is_shown_however_many_came_after_it(house):
    deployment = await house.deployed()
    held = await house.sent(deployment, client_order_id="held")
    held = await house.blotter.settle(held.become(OrderStatus.UNKNOWN, message="?"))
    await house.blotter.settle(held.become(OrderStatus.UNRESOLVED, message="two could be it"))
    for number in range(1_001):
        house.clock.advance(timedelta(seconds=1))
        order = await house.sent(deployment, client_order_id=f"later{number}", coin="ETH")
        await house.blotter.settle(order.become(OrderStatus.REJECTED, message="no"))
    orders = (await shown(house, deployment.user_id))["orders"]
    assert [(each["client_order_id"], each["status"]) for each in orders] == [("held", "unresolved")]


async def test_a_stopped_deployment_that_holds_something_is_shown_and_one_that_holds_nothing_is_not(house):
    deployment = await house.deployed()
    await house.filled(deployment, fill())
    waiting, over = [await house.deployed(user_id=deployment.user_id, name=name) for name in ("waits", "over")]
    await house.sent(waiting, client_order_id="waits", coin="ETH")
    for each in (deployment, waiting, over):
        await house.deployments.set_status(each.id, DeploymentStatus.STOPPED, "asked")
    data = await shown(house, deployment.user_id)
    assert {each["id"] for each in data["deployments"]} == {str(deployment.id), str(waiting.id)}
    assert [(each["deployment_id"], each["coin"]) for each in data["positions"]] == [(str(deployment.id), "BTC")]
    assert [each["client_order_id"] for each in data["orders"]] == ["waits"]
