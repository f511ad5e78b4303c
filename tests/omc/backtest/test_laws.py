"""What holds of every simulation, whatever is traded at whatever costs: nothing is made of nothing, nothing is lost."""

from math import isinf

import numpy as np
from hypothesis import given, settings

from omc.backtest.kernel import BUY
from omc.trading.exits import Reason
from tests.omc.backtest.generated import Case, cases
from tests.omc.backtest.test_kernel import of_kernel


@settings(deadline=None, max_examples=400)
@given(cases())
def test_cash_and_coins_are_what_trades_made_of_them(case: Case) -> None:
    made = of_kernel(case)
    moved, held = np.zeros(len(made.cash)), np.zeros(case.market.bid.shape)
    for trade in made.trades:
        moved[trade["row"]] -= trade["side"] * trade["total_aud"]
        held[trade["row"], trade["coin"]] += trade["side"] * trade["quantity"]
    held = np.cumsum(held, axis=0)
    np.testing.assert_allclose(made.cash, case.cash_cents / 100 + np.cumsum(moved), rtol=0, atol=1e-6)
    np.testing.assert_allclose(made.holdings, held[-1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(made.equity, made.cash + np.sum(held * marks(case), axis=1), rtol=1e-9, atol=1e-4)
    if not case.costs.short:
        assert (made.cash >= 0).all()
        assert (held > -1e-7).all()


@settings(deadline=None, max_examples=400)
@given(cases())
def test_nothing_is_traded_where_nothing_was_to_be_had(case: Case) -> None:
    market, costs = case.market, case.costs
    taken = np.zeros(market.bid.shape)
    for trade in of_kernel(case).trades:
        at = (trade["row"], trade["coin"])
        quantity, price, ends = trade["quantity"], trade["price_aud"], trade["reason"] == Reason.END
        assert ends or not np.isnan(market.bid[at])
        if ends:
            continue
        # Who is ruined closes everything, whatever the volume.
        taken[at] += quantity * (trade["reason"] != Reason.LIQUIDATION)
        assert is_multiple(quantity, costs.quantity_step)
        high, low = (market.bid if each is None else each for each in (market.high, market.low))
        spread = market.ask[at] - market.bid[at]
        slip = (costs.slippage.bps + costs.slippage.volume_bps) / 1e4
        step = costs.price_step + 1e-7
        if trade["side"] == BUY:
            assert low[at] + spread - step <= price <= (high[at] + spread) * (1 + slip) + step
        else:
            assert low[at] * (1 - slip) - step <= price <= high[at] + spread + step
    if not isinf(costs.volume_share):
        assert (taken <= costs.volume_share * np.nan_to_num(market.volume) + 1e-6).all()


def marks(case: Case) -> np.ndarray:
    """(T, C) the last close, or open, that was quoted; 0 before there was any."""
    market, last = case.market, np.zeros(case.market.bid.shape[1])
    rows = []
    for bid, close in zip(market.bid, market.close, strict=True):
        last = np.where(np.isnan(bid), last, bid)
        last = np.where(np.isnan(close), last, close)
        rows.append(last)
    return np.array(rows)


def is_multiple(value: float, step: float) -> bool:
    return round(value * 1e8) % round(step * 1e8) == 0
