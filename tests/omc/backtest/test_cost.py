"""Costs are the venue's, and whatever else a backtest is made to pay."""

from math import inf

import numpy as np
import pytest

from omc.backtest.cost import Costs, Slippage
from omc.backtest.kernel import Simulation, simulate
from omc.backtest.limits import Limits
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.errors import InvalidInput
from omc.market.terms import Terms
from omc.trading.exits import Exits

NAN = float("nan")


def costs(**more: object) -> Costs:
    return Costs(np.array([0]), **{"min_order_aud": 0.0, "band": 0.0, **more})  # type: ignore[arg-type]


def bought(costs: Costs, volume: float | None = None, *, rows: int = 3) -> Simulation:
    prices = np.full((rows, 1), 100.0)
    market = Market(prices, prices, prices, volume=None if volume is None else np.full((rows, 1), volume))
    wanted = np.full((rows, 1), NAN)
    wanted[0] = 1.0
    return simulate(market, Orders(wanted), costs, cash_aud=10_000.0, exits=Exits())


def test_costs_follow_the_venues_terms() -> None:
    found = Costs.of(Terms(), ("BTC", "PEPE"), 0.02)
    assert found.fee_bps.tolist() == [10, 100]
    assert (found.min_order_aud, found.band) == (1.0, 0.02)
    assert found.plain
    assert found.frictions is None


def test_an_order_slips_by_its_basis_points_and_by_its_part_of_the_volume() -> None:
    assert bought(costs(slippage=Slippage(bps=10))).trades["price_aud"].tolist() == [100.1]
    part = bought(costs(slippage=Slippage(bps=10, volume_bps=100)), volume=1_000.0).trades[0]
    assert part["price_aud"] == pytest.approx(100.1 + 100 * 0.01 * 99.9 / 1_000, abs=1e-5)


def test_an_order_takes_its_share_of_each_bars_volume_until_it_is_done() -> None:
    made = bought(costs(volume_share=0.1), volume=400.0, rows=6).trades
    assert made["row"].tolist() == [1, 2, 3]
    assert made["quantity"].tolist() == [40.0, 40.0, 20.0]


def test_coins_are_traded_in_steps_and_slipped_prices_lie_on_theirs() -> None:
    made = bought(costs(slippage=Slippage(bps=1), quantity_step=1.0, price_step=0.5)).trades[0]
    assert (made["quantity"], made["price_aud"]) == (99.0, 100.5)


def test_a_decision_comes_late_by_the_latency() -> None:
    assert bought(costs(latency_bars=0)).trades["row"].tolist() == [1]
    assert bought(costs(latency_bars=1)).trades["row"].tolist() == [2]
    assert not len(bought(costs(latency_bars=2)).trades)


def test_targets_go_as_far_as_the_limits() -> None:
    assert bought(costs(limits=Limits(max_weight=0.25))).holdings.tolist() == [25.0]
    assert bought(costs(limits=Limits(max_notional_aud=1_000.0))).holdings.tolist() == [10.0]
    assert bought(costs(limits=Limits(max_gross=0.5))).holdings.tolist() == [50.0]


def test_no_more_coins_are_held_than_the_limits_allow() -> None:
    prices = np.full((3, 3), 10.0)
    three = Costs(np.zeros(3, np.int64), 0.0, 0.0, limits=Limits(max_positions=2))
    done = simulate(Market(prices, prices, prices), np.full((3, 3), 0.3), three, cash_aud=100.0, exits=Exits())
    assert done.holdings.tolist() == [3.0, 3.0, 0.0]


def test_what_is_not_held_is_sold_only_where_the_venue_does() -> None:
    prices = np.array([[100.0], [100.0], [80.0], [80.0]])
    market, wanted = Market(prices, prices, prices), np.array([[-1.0], [-1.0], [0.0], [0.0]])
    done = simulate(market, wanted, costs(short=True), cash_aud=1_000.0, exits=Exits())
    assert done.equity.tolist() == [1_000.0, 1_000.0, 1_200.0, 1_200.0]
    with pytest.raises(InvalidInput, match="sells nothing that is not held"):
        simulate(market, wanted, costs(), cash_aud=1_000.0, exits=Exits())


def test_costs_by_volume_need_a_market_with_volume() -> None:
    with pytest.raises(InvalidInput, match="volume"):
        bought(costs(volume_share=0.1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_order_aud": -1.0},
        {"band": NAN},
        {"volume_share": 0.0},
        {"quantity_step": 1e-9},
        {"price_step": inf},
        {"latency_bars": -1},
    ],
)
def test_costs_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        costs(**wrong)


@pytest.mark.parametrize("bps", [-1.0, 10_000.0, NAN])
def test_slippage_lies_from_nothing_to_all(bps: float) -> None:
    with pytest.raises(InvalidInput, match="slippage"):
        Slippage(bps)
    with pytest.raises(InvalidInput, match="slippage"):
        Slippage(volume_bps=bps)


@pytest.mark.parametrize(
    "wrong", [{"max_weight": 0.0}, {"max_gross": 1.1}, {"max_notional_aud": 0.0}, {"max_positions": 0}]
)
def test_limits_that_allow_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Limits(**wrong)  # type: ignore[arg-type]
