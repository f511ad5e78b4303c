"""Limits hold from the next look on; standings are kept as they were; holdings and sales are those of whom one asks."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres.database import Database
from omc.adapters.postgres.risk import PostgresRiskStore
from omc.errors import InvalidInput, NotFound, Overtaken
from omc.portfolio.account import Account
from omc.risk.limits import AccountLimits, Bounds, Limits
from omc.risk.standing import Sale, Standing
from omc.risk.store import BreachTold, MemoryRiskStore, Place, RiskStore
from omc.risk.verdict import Breach
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres, intent

STANDING = Standing(
    date(2025, 3, 1), Decimal("1000.5"), Decimal("1200.25"), Decimal(1000), frozenset({"drawdown"}), tripped=True
)


@pytest.fixture
def risk(house: House) -> RiskStore:
    return store_of(house)


def store_of(house: House) -> RiskStore:
    if house.database is not None:
        return PostgresRiskStore(house.database)
    assert isinstance(house.deployments, MemoryDeploymentStore)
    return MemoryRiskStore(house.deployments, house.blotter)  # type: ignore[arg-type]


async def traded(house: House, deployment: Deployment, *prices: tuple[Side, str, str], backwards: bool = False) -> None:
    """One order of 0.001 BTC each: its side, what it moved in all, and the fee inside. `backwards` are they listed."""
    trader = await house.leases.take(f"trader {deployment.id}", "a")
    desk = await house.leases.take(f"desk {deployment.id}", "a")
    for number, (side, total, fee) in enumerate(prices):
        at = NOON + timedelta(minutes=number)
        wanted = intent(deployment, side=side, quoted_at=at)
        order = await house.blotter.submitting(await house.blotter.begin(wanted), trader, desk)
        listed = NOON - timedelta(minutes=number) if backwards else at
        filled = fill(f"f{number}", side, total_aud=Decimal(total), fee_aud=Decimal(fee), executed_at=listed)
        await house.blotter.settle(replace(order.become(OrderStatus.FILLED), fills=(filled,)))


async def test_an_account_has_no_limits_until_some_are_set(house: House, risk: RiskStore):
    user_id = await house.user()
    assert await risk.limits(user_id) == AccountLimits()
    wanted = AccountLimits(Bounds(drawdown=Decimal("0.2"), orders_a_minute=Decimal(30)), "Australia/Sydney")
    await risk.set_limits(user_id, wanted)
    assert await risk.limits(user_id) == wanted
    less = AccountLimits(Bounds(daily_loss_aud=Decimal("99.5")))
    await risk.set_limits(user_id, less)
    assert await risk.limits(user_id) == less
    assert await risk.limits(await house.user()) == AccountLimits()
    lines, _ = await house.blotter.journal(user_id, None, ("limits",), 0, 9)
    assert [line.data for line in lines] == [
        {"daily_loss_aud": "99.5", "time_zone": "UTC"},
        {"drawdown": "0.2", "orders_a_minute": "30", "time_zone": "Australia/Sydney"},
    ]


async def test_a_deployments_limits_are_changed_and_kept_whole(house: House):
    deployment = await house.deployed()
    wider = Limits(Decimal(200), Decimal(700), Decimal(80), cool_down_s=Decimal(60))
    assert (await house.deployments.set_limits(deployment.id, wider)).limits == wider
    assert (await house.deployments.get(deployment.id)).limits == wider


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Australia/sydney\0"])
def test_a_day_begins_in_a_zone_that_there_is(zone: str):
    with pytest.raises(InvalidInput, match="no time zone"):
        AccountLimits(time_zone=zone)


async def test_standings_are_kept_until_they_are_forgotten(house: House, risk: RiskStore):
    live = await house.deployed(mode=Mode.LIVE)
    other = await house.deployed(user_id=live.user_id, name="second", mode=Mode.LIVE)
    places = [*Place.all_of(live)[:2], Place.all_of(other)[0]]
    assert await risk.standings(places) == {}
    await risk.remember(dict.fromkeys(places, STANDING))
    later = replace(STANDING, day=date(2025, 3, 2), told=frozenset())
    await risk.remember({places[0]: later})
    assert await risk.standings(places) == {places[0]: later, places[1]: STANDING, places[2]: STANDING}
    await risk.forget(live.user_id, live.id)
    assert set(await risk.standings(places)) == {*places[1:]}
    await risk.forget(live.user_id, None)
    assert await risk.standings(places) == {}


async def test_what_tripped_nothing_is_not_forgotten(house: House, risk: RiskStore):
    one = await house.deployed()
    counting = replace(STANDING, tripped=False)
    places = Place.all_of(one)[:2]
    await risk.remember(dict.fromkeys(places, counting))
    await risk.forget(one.user_id, one.id)
    await risk.forget(one.user_id, None)
    assert await risk.standings(places) == dict.fromkeys(places, counting)


async def test_with_a_deployments_loss_on_paper_goes_that_of_its_account_on_paper(house: House, risk: RiskStore):
    on_paper = await house.deployed()
    live = await house.deployed(user_id=on_paper.user_id, name="second", mode=Mode.LIVE)
    stranger = await house.deployed()
    places = [*Place.all_of(on_paper)[:2], *Place.all_of(live)[:2], *Place.all_of(stranger)[:2]]
    await risk.remember(dict.fromkeys(places, STANDING))
    await risk.forget(on_paper.user_id, live.id)
    assert set(await risk.standings(places)) == {*places} - {places[2]}
    await risk.forget(on_paper.user_id, on_paper.id)
    assert set(await risk.standings(places)) == {*places[3:]}


async def test_limits_that_were_changed_meanwhile_are_not_lost(house: House, risk: RiskStore):
    user_id = await house.user()
    none, one = AccountLimits(), AccountLimits(Bounds(drawdown=Decimal("0.20")))
    await risk.set_limits(user_id, one, before=none)
    both = AccountLimits(Bounds(drawdown=Decimal("0.20"), daily_loss_aud=Decimal("5.50")), "Australia/Sydney")
    with pytest.raises(Overtaken):
        await risk.set_limits(user_id, both, before=none)
    with pytest.raises(Overtaken):
        await risk.set_limits(user_id, both, before=replace(one, time_zone="Australia/Perth"))
    assert await risk.limits(user_id) == one
    assert await risk.set_limits(user_id, both, before=await risk.limits(user_id)) == both
    assert await risk.limits(user_id) == both
    assert len((await house.blotter.journal(user_id, None, ("limits",), 0, 9))[0]) == 2


async def test_a_deployments_limits_that_were_changed_meanwhile_are_not_lost(house: House):
    deployment = await house.deployed()
    first = replace(deployment.limits, drawdown=Decimal("0.20"))
    await house.deployments.set_limits(deployment.id, first, before=deployment.limits)
    with pytest.raises(Overtaken):
        await house.deployments.set_limits(deployment.id, deployment.limits, before=deployment.limits)
    assert (await house.deployments.get(deployment.id)).limits == first
    with pytest.raises(NotFound):
        await house.deployments.set_limits(uuid4(), first, before=first)


@pytest.mark.postgres
async def test_holdings_are_of_one_moment(database: Database, monkeypatch: pytest.MonkeyPatch):
    """A purchase that settles while they are read is no money out of nowhere: its cash counts, or its coins."""
    house = in_postgres(database)
    one = await house.deployed(cash_aud=Decimal("1000.00"))
    other = await house.deployed(user_id=one.user_id, name="second", cash_aud=Decimal("1000.00"))
    risk, execute, met = PostgresRiskStore(database), AsyncConnection.execute, list[str]()

    async def meets(self: AsyncConnection, statement: Any, *values: Any, **said: Any) -> Any:
        answer = await execute(self, statement, *values, **said)
        if "deployment_accounts" in str(statement) and not met:
            met.append(str(statement))
            await traded(house, other, (Side.BUY, "100.10", "0.10"))
        return answer

    monkeypatch.setattr(AsyncConnection, "execute", meets)
    held = await risk.holdings(Place(Mode.PAPER, one.user_id))
    assert met
    assert held.equity_aud({"BTC": Decimal(100_000)}) == 2_000
    after = await risk.holdings(Place(Mode.PAPER, one.user_id))
    assert after.equity_aud({"BTC": Decimal(100_000)}) == Decimal("1999.90")


async def test_the_platforms_standing_is_forgotten_alone(fresh_house: House):
    risk, deployment = store_of(fresh_house), await fresh_house.deployed()
    places = Place.all_of(deployment)
    await risk.remember(dict.fromkeys(places, STANDING))
    await risk.forget(None, None)
    assert set(await risk.standings(places)) == set(places[:2])


async def test_a_breach_is_journaled_where_it_happened(house: House, risk: RiskStore):
    deployment = await house.deployed()
    breach = Breach("deployment", "daily_loss_aud", Decimal("51.20"), Decimal(50))
    told = BreachTold(deployment.user_id, deployment.id, breach)
    await risk.remember({Place.all_of(deployment)[0]: STANDING}, [told])
    (line,), _ = await house.blotter.journal(deployment.user_id, deployment.id, ("breach",), 0, 9)
    assert line.data == {"level": "deployment", "limit": "daily_loss_aud", "figure": "51.20", "threshold": "50"}


async def test_holdings_are_those_of_one_mode(house: House, risk: RiskStore):
    one = await house.deployed()
    other = await house.deployed(user_id=one.user_id, name="second", cash_aud=Decimal("500.00"))
    live = await house.deployed(user_id=one.user_id, name="third", mode=Mode.LIVE)
    await traded(house, one, (Side.BUY, "100.10", "0.10"))
    await traded(house, other, (Side.BUY, "100.10", "0.10"), (Side.SELL, "49.95", "0.05"))
    await house.deployments.set_status(other.id, DeploymentStatus.STOPPED, "enough")
    held = await risk.holdings(Place(Mode.PAPER, one.user_id))
    assert (held.cash_aud, held.put_in_aud, held.capital_aud) == (Decimal("1349.75"), 1500, 1000)
    assert held.coins == {"BTC": (Decimal("0.001"), Decimal("100.00"))}
    assert held.equity_aud({"BTC": Decimal(200_000)}) == Decimal("1049.75")
    assert (await risk.holdings(Place(Mode.LIVE, one.user_id))).equity_aud({}) == live.cash_aud
    assert await risk.holdings(Place.all_of(one)[0]) == held_by(await house.blotter.account(one.id))


def held_by(account: Account) -> object:
    from actors.limits.exposures import holdings_of

    return holdings_of(account)


async def test_sales_tell_what_each_order_earned_after_fees(house: House, risk: RiskStore):
    one = await house.deployed()
    other = await house.deployed(user_id=one.user_id, name="second")
    round_trip = ((Side.BUY, "100.10", "0.10"), (Side.SELL, "49.95", "0.05"))
    await traded(house, one, *round_trip, (Side.BUY, "100.10", "0.10"), (Side.SELL, "199.80", "0.20"))
    await traded(house, other, *round_trip)
    mine = await risk.sales(Place.all_of(one)[0], 9)
    lost, won = (
        Sale(NOON + timedelta(minutes=1), Decimal("-50.05")),
        Sale(NOON + timedelta(minutes=3), Decimal("99.80")),
    )
    assert mine == [lost, won]
    assert await risk.sales(Place.all_of(one)[0], 1) == [won]
    assert await risk.sales(Place(Mode.PAPER, one.user_id), 9) == [lost, lost, won]
    assert await risk.sales(Place(Mode.LIVE, one.user_id), 9) == []


async def test_what_a_sale_earned_is_of_the_books_as_they_were_when_it_was_counted(house: House, risk: RiskStore):
    """A venue's clock may list a sale before the purchase that it sold from."""
    one = await house.deployed()
    await traded(house, one, (Side.BUY, "100.10", "0.10"), (Side.SELL, "49.95", "0.05"), backwards=True)
    earlier = NOON - timedelta(minutes=1)
    assert await risk.sales(Place.all_of(one)[0], 9) == [Sale(earlier, Decimal("-50.05"))]
    assert await house.blotter.realized_since(one.id, earlier) == Decimal("-50.15")
    assert await house.blotter.realized_since(one.id, NOON) == Decimal("-0.10")


async def test_an_operation_that_was_done_does_not_bring_older_limits_back(house: House, risk: RiskStore):
    user_id = await house.user()
    older, newer = (AccountLimits(Bounds.of({"gross_notional_aud": Decimal(each)})) for each in (100, 50))
    once = uuid4()
    assert await risk.set_limits(user_id, older, once=once) == older
    await risk.set_limits(user_id, newer)
    assert await risk.set_limits(user_id, older, once=once) == newer
    assert await risk.limits(user_id) == newer
