"""The event engine: the floor's own objects over a tape, with quiet bars passed over or not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings

from omc.backtest.market import Market
from omc.backtest.replay import Replay, replay
from omc.errors import InvalidInput
from omc.market.terms import Terms
from omc.risk.limits import Limits
from omc.trading.exits import Exits
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from tests.omc.backtest.markets import NAN, Case, cases

START = datetime(2025, 1, 1, tzinfo=UTC)


def replayed(case: Case, *, skip: bool = True) -> Replay:
    return replay(
        case.mandate,
        case.times,
        case.market,
        case.weights,
        cash_aud=case.cash_aud,
        slippage_bps=case.slippage_bps,
        latency_bars=case.latency_bars,
        skip=skip,
    )


@settings(deadline=None, max_examples=300)
@given(cases(most_rows=60))
def test_passing_over_quiet_bars_changes_nothing(case: Case) -> None:
    short, whole = replayed(case), replayed(case, skip=False)
    assert short.orders == whole.orders
    assert (short.account, short.memory) == (whole.account, whole.memory)
    np.testing.assert_array_equal(short.equity, whole.equity)
    np.testing.assert_array_equal(short.cash, whole.cash)


def one_coin(*bars: tuple[float, float, float, float], **changes: object) -> Case:
    """Candles of one coin, held from the first bar's close on."""
    opens, high, low, close = (np.array(column).reshape(-1, 1) for column in zip(*bars, strict=True))
    case = Case(
        market=Market.candles(opens, high, low, close),
        weights=np.ones((len(bars), 1)),
        exits=Exits(),
        terms=Terms(market_fee_bps=0),
        band=0.0,
        cash_aud=Decimal(1_000),
    )
    return replace(case, **changes)  # type: ignore[arg-type]


def test_a_stop_inside_a_candle_fills_at_its_level_and_one_gapped_through_at_the_open() -> None:
    inside = replayed(one_coin((100,) * 4, (100, 101, 99, 100), (100, 100, 80, 85), exits=Exits(stop_loss=0.1)))
    gapped = replayed(one_coin((100,) * 4, (100, 101, 99, 100), (85, 86, 80, 85), exits=Exits(stop_loss=0.1)))
    assert [order.intent.quote_price_aud for order in inside.orders] == [100, 90]
    assert [order.intent.quote_price_aud for order in gapped.orders] == [100, 85]
    assert inside.equity.tolist() == [1_000, 1_000, 900]
    assert gapped.account.cash_aud == 850


def test_the_books_are_marked_at_each_close() -> None:
    held = one_coin((100,) * 4, (100, 110, 90, 105), (107, 120, 100, 120), (118, 118, 110, 110))
    for skip in (True, False):
        assert replayed(held, skip=skip).equity.tolist() == [1_000, 1_050, 1_200, 1_100]


def test_limits_deny_what_they_deny_on_the_floor() -> None:
    case = one_coin(*[(100.0,) * 4] * 6, weights=np.array([[0.5], [1], [1], [0], [0], [0]]))
    limits = Limits(Decimal(10_000), Decimal(600), Decimal(10_000))
    denied = replay(case.mandate, case.times, case.market, case.weights, cash_aud=case.cash_aud, limits=limits)
    assert [(order.intent.side, order.status) for order in denied.orders] == [
        (Side.BUY, OrderStatus.FILLED),
        (Side.BUY, OrderStatus.DENIED),
        (Side.BUY, OrderStatus.DENIED),
        (Side.SELL, OrderStatus.FILLED),
    ]
    assert "position_too_large" in (denied.orders[1].message or "")


def test_a_coin_that_is_not_quoted_for_a_bar_loses_nothing() -> None:
    """It has gained what no board shows at the moment, as on the floor."""
    bid = np.array([[10.0, 5.0]] * 2 + [[100.0, 5.0]] * 2 + [[NAN, 5.0]] * 2)
    weights = np.array([[0.5, 0.0]] * 3 + [[0.5, 0.05]] * 3)
    case = one_coin((1.0,) * 4, market=Market(bid, bid, bid), weights=weights)
    limits = Limits(Decimal(10_000), Decimal(10_000), Decimal(100), drawdown=Decimal("0.1"))
    done = replay(case.mandate, case.times, case.market, case.weights, cash_aud=case.cash_aud, limits=limits)
    assert [order.status for order in done.orders] == [OrderStatus.FILLED] * len(done.orders)
    assert any(order.intent.quoted_at == START + timedelta(minutes=20) for order in done.orders)


def test_what_was_lost_in_a_day_denies_purchases_until_the_next() -> None:
    rows = 2 * 288
    bid = np.full((rows, 1), 100.0)
    bid[3:, 0] = 50.0
    weights = np.tile([[1.0], [1.0], [0.0]], (rows // 3, 1))
    case = one_coin((100.0,) * 4, market=Market(bid, bid, bid), weights=weights)
    limits = Limits(Decimal(10_000), Decimal(10_000), Decimal(100))
    ended = replay(case.mandate, case.times, case.market, weights, cash_aud=case.cash_aud, limits=limits)
    denied = [order.intent.quoted_at.date() for order in ended.orders if order.status is OrderStatus.DENIED]
    assert set(denied) == {START.date()}
    assert sum(order.intent.quoted_at.date() > START.date() for order in ended.orders if order.fills) > 50


@pytest.mark.parametrize("weight", [NAN, -0.1, 1.1])
@pytest.mark.parametrize("skip", [True, False])
def test_weights_that_would_halt_the_trader_are_refused(weight: float, skip: bool) -> None:
    case = one_coin(*[(100.0,) * 4] * 4, weights=np.array([[0.5], [0.5], [weight], [0.5]]))
    with pytest.raises(InvalidInput, match=r"row 2: unusable_weights: at 2025-01-01T00:10:00\+00:00: a weight"):
        replayed(case, skip=skip)


def test_shapes_that_differ_are_refused() -> None:
    case = one_coin((100,) * 4, (100,) * 4)
    with pytest.raises(InvalidInput, match="shape"):
        replayed(replace(case, weights=np.ones((3, 1))))


def test_a_profit_taken_at_the_open_slips_and_one_taken_inside_the_bar_does_not() -> None:
    flat, exits = (100.0,) * 4, Exits(take_profit=((0, 0.1),))
    waited = replayed(one_coin(flat, flat, (100, 130, 90, 120), exits=exits, slippage_bps=100.0))
    seen = replayed(one_coin(flat, flat, (130.0,) * 4, exits=exits, slippage_bps=100.0))
    assert [float(order.intent.quote_price_aud) for order in waited.orders] == [101, 111.1]
    assert [float(order.intent.quote_price_aud) for order in seen.orders] == [101, 128.7]
