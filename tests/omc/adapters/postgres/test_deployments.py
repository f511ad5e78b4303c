"""The deployment store's promises, which PostgreSQL and the twin in memory keep alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest

from omc.errors import Conflict, NotFound, Overtaken
from omc.portfolio.account import Account
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.fill import Side
from omc.trading.funds import Funds
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres


async def test_a_deployment_comes_back_as_it_was_stored(house: House):
    wanted = await house.wanted()
    assert await house.deployments.create(wanted) == wanted
    assert await house.deployments.get(wanted.id) == wanted
    assert await house.deployments.get(wanted.id, wanted.user_id) == wanted
    assert await house.blotter.account(wanted.id) == Account.opened_with(wanted.cash_aud)


async def test_somebody_elses_deployment_is_not_found(house: House):
    deployment = await house.deployed()
    for deployment_id, user_id in ((deployment.id, uuid4()), (uuid4(), None)):
        with pytest.raises(NotFound):
            await house.deployments.get(deployment_id, user_id)


async def test_the_same_deployment_again_is_the_first_as_it_is_now(house: House):
    first = await house.wanted()
    assert await house.deployments.create(first) == first
    paused = await house.deployments.set_status(first.id, DeploymentStatus.PAUSED, "lunch")
    assert await house.deployments.create(replace(first, name="other")) == paused
    assert (await house.deployments.page(first.user_id, 0, 9))[1] == 1
    with pytest.raises(Conflict):
        await house.deployments.create(replace(await house.wanted(), id=first.id))


async def test_the_same_deployment_from_many_at_once_is_made_once(house: House):
    wanted = await house.wanted()
    assert await asyncio.gather(*(house.deployments.create(wanted) for _ in range(5))) == [wanted] * 5


async def test_an_operation_that_was_done_undoes_nothing_that_came_after_it(house: House):
    deployment, once = await house.deployed(), uuid4()
    for _ in range(2):
        done = await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "asked", once=once)
        assert done.status is DeploymentStatus.PAUSED
    await house.deployments.set_status(deployment.id, DeploymentStatus.ACTIVE, "asked")
    late = await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "asked", once=once)
    assert late.status is DeploymentStatus.ACTIVE
    once = uuid4()
    first, second = (replace(deployment.limits, daily_loss_aud=Decimal(each)) for each in (7, 8))
    await house.deployments.set_limits(deployment.id, first, once=once)
    await house.deployments.set_limits(deployment.id, second)
    assert (await house.deployments.set_limits(deployment.id, first, once=once)).limits == second


PAUSES = {
    "a pause": lambda store, each: store.set_status(each.id, DeploymentStatus.PAUSED, "asked"),
    "a pause of all": lambda store, each: store.pause_all(each.user_id, "asked"),
    "that it stays paused": lambda store, each: store.affirm(each.id),
}


@pytest.mark.parametrize("pause", PAUSES.values(), ids=PAUSES)
async def test_what_was_asked_for_before_a_pause_is_too_late(house: House, pause):
    deployment = await house.deployed(status=DeploymentStatus.PAUSED)
    early, activate = await house.a_moment(), partial(house.deployments.set_status, deployment.id)
    await pause(house.deployments, deployment)
    with pytest.raises(Conflict, match="paused after this was asked for"):
        await activate(DeploymentStatus.ACTIVE, "late", once=uuid4(), asked_at=early)
    assert (await house.deployments.get(deployment.id)).status is DeploymentStatus.PAUSED
    now = await house.a_moment()
    active = await activate(DeploymentStatus.ACTIVE, "in time", once=uuid4(), asked_at=now)
    assert active.status is DeploymentStatus.ACTIVE
    # Whoever wanted the same just before has it.
    assert await activate(DeploymentStatus.ACTIVE, "as well", once=uuid4(), asked_at=now) == active


async def test_a_refused_operation_may_still_have_its_effect(house: House):
    deployment, once = await house.deployed(status=DeploymentStatus.PAUSED), uuid4()
    early, activate = await house.a_moment(), partial(house.deployments.set_status, deployment.id)
    await house.deployments.affirm(deployment.id)
    with pytest.raises(Conflict):
        await activate(DeploymentStatus.ACTIVE, "late", once=once, asked_at=early)
    assert (await activate(DeploymentStatus.ACTIVE, "now", once=once)).status is DeploymentStatus.ACTIVE


async def test_a_name_is_taken_by_one_deployment_of_a_user(house: House):
    first = await house.deployed()
    with pytest.raises(Conflict, match="first"):
        await house.deployed(first.user_id)
    await house.deployed(first.user_id, name="second")


async def test_a_stopped_deployment_never_runs_again(house: House):
    deployment = await house.deployed()
    paused = await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "lunch")
    assert paused.status is DeploymentStatus.PAUSED
    await house.deployments.set_status(deployment.id, DeploymentStatus.STOPPED, "enough")
    for status in (DeploymentStatus.ACTIVE, DeploymentStatus.PAUSED):
        with pytest.raises(Conflict):
            await house.deployments.set_status(deployment.id, status, "again")
    with pytest.raises(NotFound):
        await house.deployments.set_status(uuid4(), DeploymentStatus.ACTIVE, "no such")


async def test_every_change_of_mind_is_journaled_with_its_reason(house: House):
    deployment = await house.deployed()
    await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "lunch")
    await house.blotter.set_parameters(deployment.id, {"fast_bars": 3}, before=deployment.parameters)
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ["deployment"], 0, 9)
    assert entries[1].data["status"] == "paused"
    assert entries[1].data["reason"] == "lunch"
    assert entries[0].data["parameters"] == {"fast_bars": 3}
    assert (await house.deployments.get(deployment.id)).parameters == {"fast_bars": 3}


async def test_pausing_all_pauses_what_was_active_and_nobody_elses(house: House):
    mine = await house.deployed()
    stopped = await house.deployed(mine.user_id, name="stopped", status=DeploymentStatus.STOPPED)
    theirs = await house.deployed()
    paused = await house.deployments.pause_all(mine.user_id, "emergency stop")
    assert [each.id for each in paused] == [mine.id]
    assert (await house.deployments.get(stopped.id)).status is DeploymentStatus.STOPPED
    active = {each.id for each in await house.deployments.active()}
    assert theirs.id in active
    assert mine.id not in active


async def test_a_traders_error_is_remembered_until_it_is_cleared(house: House):
    deployment = await house.deployed()
    await house.deployments.report_error(deployment.id, "no prices")
    assert (await house.deployments.get(deployment.id)).last_error == "no prices"
    await house.deployments.report_error(deployment.id, None)
    assert (await house.deployments.get(deployment.id)).last_error is None


async def test_pages_come_newest_first_with_the_total(house: House):
    first = await house.deployed()
    second = await house.deployed(first.user_id, name="second", deployed_at=NOON + timedelta(hours=1))
    assert await house.deployments.page(first.user_id, 0, 1) == ([second], 2)
    assert await house.deployments.page(first.user_id, 1, 5) == ([first], 2)


@pytest.mark.postgres
async def test_only_an_own_algorithm_in_a_known_version_is_deployed(database):
    house = in_postgres(database)
    wanted = await house.wanted()
    other = await house.wanted()
    for wrong in (replace(wanted, algorithm_id=uuid4()), replace(wanted, algorithm_id=other.algorithm_id)):
        with pytest.raises(NotFound, match="algorithm"):
            await house.deployments.create(wrong)
    with pytest.raises(NotFound, match="version 2"):
        await house.deployments.create(replace(wanted, algorithm_version=2))
    assert (await house.deployments.page(wanted.user_id, 0, 9))[1] == 0


async def create(house: House, wanted: Deployment, balance_aud: Decimal) -> Deployment:
    """A live deployment, within what its account holds."""
    allotted = await house.deployments.allotted_aud(wanted.user_id, wanted.venue)
    return await house.deployments.create(wanted, within=Funds(balance_aud, allotted))


async def test_live_deployments_of_one_account_cannot_be_allotted_more_than_it_has(house: House):
    user_id = await house.user()
    live = {"mode": Mode.LIVE, "cash_aud": Decimal("600.00")}
    balance = Decimal("1000.00")

    async def created(**changes):
        return await create(house, await house.wanted(user_id, **live | changes), balance)

    first = await created()
    with pytest.raises(Conflict, match=r"A\$1,000\.00 in cash.*A\$600\.00 of it.*A\$400\.00 that are free"):
        await created(name="second")
    await house.deployed(user_id, name="paper has its own", cash_aud=Decimal("9000.00"))
    await house.deployed(name="somebody else's", mode=Mode.LIVE, cash_aud=Decimal("9000.00"))
    second = await created(name="second", cash_aud=Decimal("400.00"))
    with pytest.raises(Conflict, match=r"A\$0\.00 that are free"):
        await created(name="third", cash_aud=Decimal("0.01"))
    await house.deployments.set_status(second.id, DeploymentStatus.PAUSED, "it keeps its cash")
    with pytest.raises(Conflict):
        await created(name="third", cash_aud=Decimal("0.01"))
    await house.deployments.set_status(first.id, DeploymentStatus.STOPPED, "it gives it back")
    assert (await created(name="third")).cash_aud == Decimal("600.00")


async def test_what_a_deployment_bought_for_is_no_longer_its_cash(house: House):
    user_id = await house.user()
    first = await house.deployed(user_id, mode=Mode.LIVE)
    await house.filled(first, fill())
    wanted = await house.wanted(user_id, name="second", mode=Mode.LIVE, cash_aud=Decimal("100.10"))
    with pytest.raises(Conflict, match=r"A\$899\.90 of it belongs"):
        await create(house, wanted, Decimal("999.99"))
    assert await create(house, wanted, Decimal("1000.00")) == wanted


async def test_of_two_that_want_the_same_cash_at_once_one_gets_it(house: House):
    user_id = await house.user()
    wanted = [await house.wanted(user_id, name=f"number {at}", mode=Mode.LIVE) for at in range(6)]
    answers = await asyncio.gather(
        *(create(house, each, Decimal("1500.00")) for each in wanted), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(refused) == 5
    assert all(isinstance(each, Conflict) for each in refused)


@pytest.mark.parametrize("side", Side)
async def test_cash_that_moved_while_the_account_was_read_is_allotted_to_nobody(house: House, side):
    user_id = await house.user()
    first = await house.deployed(user_id, mode=Mode.LIVE)
    await house.filled(first, fill())
    wanted = await house.wanted(user_id, name="second", mode=Mode.LIVE, cash_aud=Decimal("100.00"))
    allotted = await house.deployments.allotted_aud(user_id, "coinspot")
    read = Funds(Decimal("5000.00"), allotted)
    await house.filled(first, fill("f2", side), quoted_at=NOON + timedelta(minutes=5))
    with pytest.raises(Overtaken, match="traded while its cash was counted: ask again"):
        await house.deployments.create(wanted, within=read)
    assert (await house.deployments.page(user_id, 0, 9))[1] == 1
    assert await create(house, wanted, Decimal("5000.00")) == wanted


async def test_what_a_sale_under_way_may_have_brought_in_already_is_not_free(house: House):
    user_id = await house.user()
    first = await house.deployed(user_id, mode=Mode.LIVE)
    await house.filled(first, fill())
    wanted = await house.wanted(user_id, name="second", mode=Mode.LIVE, cash_aud=Decimal("100.00"))
    sale = await house.sent(first, side=Side.SELL, quoted_at=NOON + timedelta(minutes=5))
    with pytest.raises(Overtaken):
        await create(house, wanted, Decimal("5000.00"))
    await house.blotter.settle(sale.become(OrderStatus.REJECTED))
    await house.sent(first, quoted_at=NOON + timedelta(minutes=10))
    assert await create(house, wanted, Decimal("5000.00")) == wanted


async def test_the_same_deployment_again_is_not_asked_for_its_cash_again(house: House):
    wanted = await house.wanted(mode=Mode.LIVE)
    first = await create(house, wanted, Decimal("1000.00"))
    again = replace(wanted, name="other")
    assert await create(house, again, Decimal("1000.00")) == first
