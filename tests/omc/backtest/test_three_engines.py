"""Kernel, event engine and a reference written for nothing but to be read make the same trades, to eight decimals.

The kernel counts in compiled floats, the event engine asks the floor's own objects. Each knows its way to trade from
elsewhere; what they are fed is the same random bars, costs, exits and decisions.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings

from omc.backtest.kernel import BUY, simulate
from omc.backtest.replay import replay
from omc.feature.frame import as_datetime
from omc.market.money import from_grid
from omc.trading.exits import Reason
from omc.trading.fill import Side
from omc.trading.order import Order
from tests.omc.backtest.markets import Case, cases
from tests.omc.backtest.reference import Reference

_CENT = Decimal("0.01")


class Trade(NamedTuple):
    time: datetime
    coin: str
    side: Side
    quantity: Decimal
    price_aud: Decimal
    total_aud: Decimal
    reason: Reason


class Outcome(NamedTuple):
    trades: list[Trade]
    equity: list[float]
    cash: list[float]


def by_kernel(case: Case) -> Outcome:
    made = simulate(case.market, case.weights, case.costs, cash_aud=float(case.cash_aud), exits=case.exits)
    trades = [
        Trade(
            as_datetime(case.times[each["row"]]),
            case.coins[each["coin"]],
            Side.BUY if each["side"] == BUY else Side.SELL,
            from_grid(each["quantity"]),
            from_grid(each["price_aud"]),
            from_grid(each["total_aud"]).quantize(_CENT),
            Reason(each["reason"]),
        )
        for each in made.trades
    ]
    return Outcome(trades, made.equity.tolist(), made.cash.tolist())


def by_events(case: Case) -> Outcome:
    mandate = case.mandate
    made = replay(
        mandate,
        case.times,
        case.market,
        case.weights,
        cash_aud=case.cash_aud,
        slippage_bps=case.slippage_bps,
        latency_bars=case.latency_bars,
    )
    trades = [
        Trade(
            fill.executed_at,
            fill.coin,
            fill.side,
            fill.quantity,
            order.intent.quote_price_aud,
            fill.total_aud,
            why(order),
        )
        for order in made.orders
        for fill in order.fills
    ]
    assert all(order.fills for order in made.orders)
    return Outcome(trades, made.equity.tolist(), made.cash.tolist())


def by_reference(case: Case) -> Outcome:
    made = Reference(case.market, case.weights, case.costs, case.cash_aud, case.exits).play()
    trades = [
        Trade(
            as_datetime(case.times[each.row]),
            case.coins[each.coin],
            Side.BUY if each.side == BUY else Side.SELL,
            each.quantity,
            each.price,
            each.total,
            Reason[each.reason],
        )
        for each in made.trades
    ]
    return Outcome(trades, made.equity, [float(cash) for cash in made.cash_curve])


def why(order: Order) -> Reason:
    said = order.intent.reason.partition(" ")[0].upper()
    return Reason[said] if said in Reason.__members__ else Reason.SIGNAL


def assert_they_agree(case: Case) -> None:
    kernel, events, reference = by_kernel(case), by_events(case), by_reference(case)
    assert kernel.trades == events.trades == reference.trades
    assert kernel.cash == events.cash == reference.cash
    assert kernel.equity == events.equity
    np.testing.assert_allclose(kernel.equity, reference.equity, rtol=0, atol=1e-8)


@settings(deadline=None, max_examples=1_000)
@given(cases(kinds=("candles", "coarse")))
def test_the_three_make_the_same_trades_on_candles(case: Case) -> None:
    assert_they_agree(case)


@settings(deadline=None, max_examples=1_000)
@given(cases(kinds=("quotes",)))
def test_the_three_make_the_same_trades_on_quotes(case: Case) -> None:
    assert_they_agree(case)


@settings(deadline=None, max_examples=200)
@given(cases(most_rows=250))
def test_the_three_make_the_same_trades_on_longer_tapes(case: Case) -> None:
    assert_they_agree(case)


@pytest.mark.parametrize("reason", [each for each in Reason if each < Reason.END])
def test_what_they_are_fed_trades_for_every_reason(reason: Reason) -> None:
    def trades_so(case: Case) -> bool:
        return sum(each.reason is reason for each in by_kernel(case).trades) > 1

    assert find(cases(), trades_so, settings=settings(max_examples=2_000, deadline=None, phases=[Phase.generate]))
