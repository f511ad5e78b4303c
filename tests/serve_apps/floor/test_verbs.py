"""freqtrade's familiar questions, asked of a deployment that traded."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from omc.market.money import eight_places
from omc.portfolio.round_trips import round_trips
from serve_apps.floor.owned import fills_of

# Until where something is held.
FIRST, LAST = 20, 430


@pytest.fixture
async def traded(deploying, playing):
    made = await deploying()
    await playing(made["id"], FIRST, LAST)
    return made


async def trips_of(ports, made):
    deployment = await ports.deployments.get(UUID(made["id"]))
    return round_trips((deployment.id, fill) for fill in await fills_of(ports.blotter, deployment))


async def test_status_lists_what_is_held_as_the_positions_do(traded, caller, ports):
    rows = (await caller.get("/status")).json()["items"]
    positions = (await caller.get("/positions")).json()["items"]
    held = {each["coin"]: each for each in positions if Decimal(each["quantity"])}
    assert held
    assert {row["coin"]: row["quantity"] for row in rows} == {coin: each["quantity"] for coin, each in held.items()}
    for row in rows:
        position = held[row["coin"]]
        assert row["deployment_name"] == traded["deployment_name"]
        assert (row["average_price_aud"], row["current_price_aud"]) == (
            position["average_price_aud"],
            position["mark_aud"],
        )
        left = 1 - Decimal(ports.terms.fee_bps(row["coin"])) / 10_000
        worth = Decimal(row["quantity"]) * Decimal(row["current_price_aud"]) * left
        expected = Decimal(row["got_aud"]) + worth - Decimal(row["paid_aud"])
        assert abs(Decimal(row["profit_aud"]) - expected) < Decimal("0.00000002")
        assert row["age_s"] > 0
        assert row["stop_aud"] is None


async def test_a_stop_is_told_with_its_distance(traded, caller, ports):
    deployment = await ports.deployments.get(UUID(traded["id"]))
    ports.deployments.kept[deployment.id] = replace(
        deployment, algorithm_type="mean_reversion", parameters={"stop_loss": 0.5}
    )
    memory = await ports.blotter.recall(deployment.id)
    rows = (await caller.get("/status")).json()["items"]
    account = await ports.blotter.account(deployment.id)
    for row in rows:
        mark, stop = Decimal(row["current_price_aud"]), Decimal(row["stop_aud"])
        assert stop == eight_places(account.position(row["coin"]).opening_price_aud / 2)
        assert row["stop_distance"] == pytest.approx(float((mark - stop) / mark))
    trails = tuple(0.125 if held else None for held in memory.ages)
    await ports.blotter.remember(deployment.id, replace(memory, trails=trails))
    ports.deployments.kept[deployment.id] = deployment
    assert {row["stop_aud"] for row in (await caller.get("/status")).json()["items"]} == {"0.12500000"}


async def test_profit_adds_up_to_the_round_trips_and_to_the_equity(traded, caller, ports):
    profit = (await caller.get("/profit")).json()["data"]
    trips = await trips_of(ports, traded)
    closed = [trip for trip in trips if trip.closed_at is not None]
    assert len(closed) > 3
    assert (profit["trade_count"], profit["closed_trade_count"]) == (len(trips), len(closed))
    assert profit["winning_trades"] + profit["losing_trades"] == len(closed)
    assert profit["winrate"] == profit["winning_trades"] / len(closed)
    assert Decimal(profit["profit_closed_aud"]) == sum(trip.profit_aud() for trip in closed)
    summary = (await caller.get("/pnl/summary")).json()["data"]
    open_trades = (await caller.get("/status")).json()["items"]
    leaving = sum(
        Decimal(row["quantity"]) * Decimal(row["current_price_aud"]) * ports.terms.fee_bps(row["coin"]) / 10_000
        for row in open_trades
    )
    assert abs(Decimal(profit["profit_all_aud"]) - (Decimal(summary["net_pnl_aud"]) - leaving)) < Decimal("0.0000001")
    assert 0 <= profit["max_drawdown"] < 1
    assert profit["first_trade_at"] <= profit["latest_trade_at"]


async def test_performance_and_periods_tell_all_that_was_closed(traded, caller, ports):
    closed = (await caller.get("/profit")).json()["data"]["profit_closed_aud"]
    coins = (await caller.get("/performance")).json()["items"]
    assert sum(Decimal(row["profit_aud"]) for row in coins) == Decimal(closed)
    profits = [Decimal(row["profit_aud"]) for row in coins]
    assert profits == sorted(profits, reverse=True)
    for path, count in (("/daily", 7), ("/weekly", 2), ("/monthly", 1)):
        rows = (await caller.get(path, timescale=count)).json()["data"]
        assert len(rows) == count
        assert sum(Decimal(row["profit_aud"]) for row in rows) == Decimal(closed)
        assert rows[-1]["starting_balance_aud"] == "10000.00000000"
        assert [row["date"] for row in rows] == sorted((row["date"] for row in rows), reverse=True)


@pytest.mark.parametrize("timescale", [0, -1, 1001, "x"])
async def test_a_number_of_periods_that_cannot_be_is_refused(caller, refused, timescale):
    refused(await caller.get("/daily", timescale=timescale), 422, "VALIDATION_ERROR")


async def test_somebody_elses_trades_are_not_there(traded, other, refused):
    for path in ("/status", "/performance", "/pnl/disposals"):
        assert (await other.get(path)).json()["items"] == []
        refused(await other.get(path, deployment_id=traded["id"]), 404, "NOT_FOUND")
    assert (await other.get("/profit")).json()["data"]["trade_count"] == 0
    refused(await other.get("/daily", deployment_id=traded["id"]), 404, "NOT_FOUND")


async def test_only_trades_of_the_mode_that_is_asked_for_are_told(traded, caller):
    assert (await caller.get("/profit", mode="live")).json()["data"]["trade_count"] == 0
    assert (await caller.get("/profit", mode="paper")).json()["data"]["trade_count"] > 0
