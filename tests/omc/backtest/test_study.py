"""A study is one backtest written down as the floor would have written it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from omc.backtest.ground import Ground
from omc.backtest.run import BacktestSpec
from omc.backtest.study import check, needed_bars, study
from omc.errors import InvalidInput
from omc.feature.frame import Frame, as_datetime64
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.strategy.registry import make

START = datetime(2025, 1, 1, tzinfo=UTC)
BAR = timedelta(minutes=5)
ROWS = 3_000
TERMS = Terms()


def market(rows: int = ROWS, coins: tuple[str, ...] = ("BTC", "PEPE")) -> Frame:
    generator = np.random.default_rng(11)
    walk = generator.normal(0, 0.004, (rows, len(coins))).cumsum(axis=0)
    last = np.round(np.array([90_000.0, 0.02][: len(coins)]) * np.exp(walk), 8)
    times = np.arange(rows) * np.timedelta64(300, "s") + as_datetime64(START)
    return Frame(times, coins, np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


SPEC = BacktestSpec(
    algorithm_type="mean_reversion",
    parameters={"window_bars": 24, "stop_loss": 0.02},
    coins=("BTC", "PEPE"),
    start=START + 500 * BAR,
    end=START + (ROWS - 100) * BAR,
    initial_cash_aud=Decimal("10000"),
    rebalance_band=0.02,
)


def test_its_fills_book_to_the_kernels_cash_to_the_cent():
    done = study(SPEC, market(), TERMS)
    account = Account.opened_with(SPEC.initial_cash_aud)
    for fill in done.fills:
        account = account.apply(fill, fill.price_aud)
    assert len(done.fills) > 50
    assert {fill.coin for fill in done.fills} == {"BTC", "PEPE"}
    assert float(account.cash_aud) == done.simulation.cash[-1]
    held = [float(account.position(coin).quantity) for coin in SPEC.coins]
    assert held == done.simulation.holdings.tolist()
    assert float(account.fees_aud) == pytest.approx(done.metrics["fees_aud"], abs=1e-4)


def test_nothing_is_traded_before_the_second_row_of_the_window_or_after_its_end():
    done = study(SPEC, market(), TERMS)
    assert done.window.time(0) == SPEC.start
    assert done.window.time(len(done.window) - 1) == SPEC.end
    assert min(fill.executed_at for fill in done.fills) > SPEC.start
    assert max(fill.executed_at for fill in done.fills) <= SPEC.end


def test_rows_beyond_what_an_algorithm_remembers_change_nothing():
    frame = market()
    least = frame.rows(500 - needed_bars(SPEC), len(frame))
    assert study(SPEC, least, TERMS).fills == study(SPEC, frame, TERMS).fills


def test_the_order_of_stored_columns_does_not_matter():
    frame = market()
    assert study(SPEC, frame.select(("PEPE", "BTC")), TERMS).fills == study(SPEC, frame, TERMS).fills


def test_several_tries_share_their_ground_and_its_indicators():
    ground = Ground.of(SPEC, market(), TERMS)
    shared = ground.indicators()
    for window_bars in (12, 24, 12):
        algorithm = make("mean_reversion", {**SPEC.parameters, "window_bars": window_bars})
        together, alone = ground.simulate(algorithm, shared), ground.simulate(algorithm)
        assert together.trades.tobytes() == alone.trades.tobytes()
        assert together.equity.tobytes() == alone.equity.tobytes()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"start": SPEC.end, "end": SPEC.start}, "is not before end"),
        ({"start": SPEC.start.replace(tzinfo=None)}, "time zone"),
        ({"initial_cash_aud": Decimal(0)}, "initial cash must be above zero"),
        ({"initial_cash_aud": Decimal("NaN")}, "initial cash must be above zero"),
        ({"initial_cash_aud": Decimal("1.001")}, "whole cents"),
        ({"initial_cash_aud": Decimal("90000000.01")}, "at most A\\$90,000,000"),
        ({"rebalance_band": float("nan")}, "band"),
        ({"coins": ()}, "at least one coin"),
        ({"coins": ("BTC", "ETH", "BTC")}, "BTC is asked for twice"),
        ({"parameters": {"window": 3}}, "no parameter 'window'"),
        ({"algorithm_type": "custom"}, "sandbox"),
        ({"algorithm_type": "pairs", "parameters": {}, "coins": ("BTC",)}, "pairs needs exactly 2 coins, not 1"),
        ({"algorithm_type": "momentum_rotation", "parameters": {}, "coins": ("BTC",)}, "at least 2 coins, not 1"),
    ],
)
def test_a_spec_that_cannot_be_carried_out_is_refused_before_prices_are_read(change, reason):
    with pytest.raises(InvalidInput, match=reason):
        check(replace(SPEC, **change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"coins": ("BTC", "DOGE")}, "no prices of DOGE"),
        ({"start": START.replace(year=2026), "end": START.replace(year=2027)}, "no prices of BTC, PEPE between 2026"),
        ({"end": SPEC.start + timedelta(minutes=1)}, "only one bar"),
    ],
)
def test_a_window_without_prices_is_refused(change, reason):
    with pytest.raises(InvalidInput, match=reason):
        study(replace(SPEC, **change), market(), TERMS)
