"""The kill switch keeps its first moment, holds where it was tripped, and forgets it only when it is reset."""

from dataclasses import replace
from datetime import timedelta

import pytest

from omc.errors import AddingHalted, Halted, NotFound
from omc.risk.kill_switch import Halt, HaltLevel, HaltScope
from omc.trading.fill import Side
from tests.omc.adapters.postgres.house import NOON, House, in_postgres, intent


async def test_tripping_again_keeps_the_first_halt(house: House):
    user_id = await house.user()
    assert await house.kill_switch.halted(user_id) is None
    first = await house.kill_switch.trip(user_id, "first")
    assert await house.kill_switch.trip(user_id, "second") == first
    assert await house.kill_switch.trip(user_id, "third", level=HaltLevel.ADDING) == first
    assert await house.kill_switch.halted(user_id) == first
    assert first.reason == "first"


async def test_a_halt_that_stops_more_takes_the_place_of_one_that_stops_less(house: House):
    user_id = await house.user()
    less = await house.kill_switch.trip(user_id, "a bad day", level=HaltLevel.ADDING)
    assert await house.kill_switch.halted(user_id) == less
    assert await house.kill_switch.halted(user_id, adding=False) is None
    more = await house.kill_switch.trip(user_id, "enough")
    assert (more.level, more.reason) == (HaltLevel.ALL, "enough")
    assert await house.kill_switch.halted(user_id, adding=False) == more


async def test_a_halt_keeps_the_time_at_which_it_held_before_it_could_be_stored(house: House):
    user_id = await house.user()
    earlier = NOON - timedelta(minutes=3)
    halt = await house.kill_switch.trip(user_id, "by hand", since=earlier)
    assert halt.since == earlier
    assert halt in await house.kill_switch.on()


async def test_a_reset_lets_one_account_trade_again(house: House):
    mine, theirs = await house.user(), await house.user()
    halt = await house.kill_switch.trip(mine, "both")
    await house.kill_switch.trip(theirs, "both")
    assert await house.kill_switch.reset(mine) == halt
    assert await house.kill_switch.reset(mine) is None
    assert await house.kill_switch.halted(mine) is None
    assert await house.kill_switch.halted(theirs) is not None


async def test_a_reset_up_to_a_moment_leaves_what_was_tripped_later(house: House):
    mine = await house.user()
    halt = await house.kill_switch.trip(mine, "late", since=NOON)
    assert await house.kill_switch.reset(mine, until=NOON - timedelta(seconds=1)) is None
    assert await house.kill_switch.halted(mine) == halt
    assert await house.kill_switch.reset(mine, until=NOON) == halt


async def test_a_halt_that_is_stored_late_holds_unless_it_was_reset_meanwhile(house: House):
    mine = await house.user()
    halt = Halt(mine, NOON, "late")
    assert await house.kill_switch.catch_up(halt) == halt
    assert await house.kill_switch.catch_up(halt) == halt
    await house.kill_switch.reset(mine)
    assert await house.kill_switch.catch_up(halt) is None
    assert await house.kill_switch.halted(mine) is None
    again = replace(halt, since=NOON - timedelta(hours=1))
    assert await house.kill_switch.catch_up(again) == again


async def test_one_that_stops_more_than_what_was_reset_is_another_halt(house: House):
    mine = await house.user()
    await house.kill_switch.trip(mine, "a bad day", level=HaltLevel.ADDING, since=NOON)
    await house.kill_switch.reset(mine)
    more = Halt(mine, NOON, "enough")
    assert await house.kill_switch.catch_up(more) == more


async def test_the_platforms_and_a_deployments_resets_are_their_own(fresh_house: House):
    one = await fresh_house.deployed()
    halts = [Halt(None, NOON, "a"), Halt(one.user_id, NOON, "b"), Halt(one.user_id, NOON, "c", deployment_id=one.id)]
    for halt in halts:
        await fresh_house.kill_switch.catch_up(halt)
    for halt in halts:
        await fresh_house.kill_switch.reset(halt.user_id, deployment_id=halt.deployment_id)
        assert await fresh_house.kill_switch.catch_up(halt) is None
        assert halt not in await fresh_house.kill_switch.on()


async def test_a_halted_deployment_stands_alone(house: House):
    one = await house.deployed()
    other = await house.deployed(user_id=one.user_id, name="second")
    halt = await house.kill_switch.trip(one.user_id, "its own", deployment_id=one.id)
    assert halt.scope is HaltScope.DEPLOYMENT
    assert await house.kill_switch.halted(one.user_id, one.id) == halt
    assert await house.kill_switch.halted(one.user_id, other.id) is None
    assert await house.kill_switch.halted(one.user_id) is None
    assert await house.kill_switch.reset(one.user_id) is None
    assert await house.kill_switch.halted(one.user_id, one.id) == halt
    await house.kill_switch.reset(one.user_id, deployment_id=one.id)
    assert await house.kill_switch.halted(one.user_id, one.id) is None


async def test_the_platforms_halt_is_everybodys(fresh_house: House):
    one, other = await fresh_house.deployed(), await fresh_house.deployed()
    mine = await fresh_house.kill_switch.trip(one.user_id, "mine", level=HaltLevel.ADDING)
    halt = await fresh_house.kill_switch.trip(None, "maintenance")
    assert halt.scope is HaltScope.PLATFORM
    assert await fresh_house.kill_switch.halted(one.user_id, one.id) == halt
    assert await fresh_house.kill_switch.halted(other.user_id, other.id, adding=False) == halt
    await fresh_house.kill_switch.reset(None, by="operator", reason="over")
    assert await fresh_house.kill_switch.halted(other.user_id, other.id) is None
    assert await fresh_house.kill_switch.on() == [mine]


@pytest.mark.parametrize(
    ("level", "side", "fault"),
    [
        (HaltLevel.ALL, Side.BUY, Halted),
        (HaltLevel.ALL, Side.SELL, Halted),
        (HaltLevel.ADDING, Side.BUY, AddingHalted),
        (HaltLevel.ADDING, Side.SELL, None),
    ],
)
@pytest.mark.parametrize("scope", list(HaltScope))
async def test_what_a_halt_stops_is_not_written_ahead(fresh_house: House, level, side, fault, scope):
    house = fresh_house
    deployment = await house.deployed()
    user_id = None if scope is HaltScope.PLATFORM else deployment.user_id
    deployment_id = deployment.id if scope is HaltScope.DEPLOYMENT else None
    await house.kill_switch.trip(user_id, "enough", deployment_id=deployment_id, level=level)
    trader, risk = await house.leases.take(f"trader {deployment.id}", "a"), await house.leases.take("risk:0", "a")
    order = await house.blotter.begin(intent(deployment, side=side))
    if fault is None:
        assert (await house.blotter.submitting(order, trader, risk)).status == "submitted"
        return
    with pytest.raises(Halted) as no:
        await house.blotter.submitting(order, trader, risk)
    assert type(no.value) is fault
    assert "enough" in str(no.value)


@pytest.mark.postgres
async def test_halts_and_resets_are_journaled_once(database):
    house = in_postgres(database)
    user_id = await house.user()
    await house.kill_switch.trip(user_id, "too hot")
    await house.kill_switch.trip(user_id, "still too hot")
    await house.kill_switch.reset(user_id, by="ada@example.com", reason="it is cool again")
    await house.kill_switch.reset(user_id)
    entries, _ = await house.blotter.journal(user_id, None, (), 0, 9)
    assert [entry.kind for entry in entries] == ["reset", "halt"]
    assert entries[1].data["reason"] == "too hot"
    assert (entries[0].data["by"], entries[0].data["why"]) == ("ada@example.com", "it is cool again")


@pytest.mark.postgres
async def test_the_platforms_halt_is_in_everybodys_journal(fresh_database):
    house = in_postgres(fresh_database)
    deployments = [await house.deployed(), await house.deployed()]
    await house.kill_switch.trip(None, "maintenance")
    for each in deployments:
        (entry,), _ = await house.blotter.journal(each.user_id, None, ("halt",), 0, 9)
        assert entry.data["scope"] == "platform"


@pytest.mark.postgres
async def test_what_does_not_exist_cannot_be_halted(database):
    house = in_postgres(database)
    wanted = await house.wanted()
    with pytest.raises(NotFound):
        await house.kill_switch.trip(wanted.id, "nobody")
    with pytest.raises(NotFound):
        await house.kill_switch.trip(wanted.user_id, "no such deployment", deployment_id=wanted.id)
