"""A position leaves where its stops, targets and age say, at prices that its bar had."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omc.trading.exit_fills import gain_at, leaves_at_open, leaves_inside
from omc.trading.exits import Exits, Reason

NAN = float("nan")
LONG, SHORT = 1.0, -1.0


def at_open(
    exits: Exits, price: float, *, age: int = 1, trail: float = NAN, stop: float = NAN, take: float = NAN
) -> object:
    found, reason = leaves_at_open(exits.rules[0], LONG, 100.0, age, trail, stop, take, price)
    return None if np.isnan(found) else (found, Reason(reason))


def inside(
    exits: Exits,
    first: float,
    high: float,
    low: float,
    *,
    sign: float = LONG,
    age: int = 1,
    trail: float = NAN,
    stop: float = NAN,
    take: float = NAN,
) -> tuple[object, float]:
    levels, ages, gains = exits.rules
    found, reason, trail = leaves_inside(
        levels, *gain_at(ages, gains, age), sign, 100.0, age, trail, stop, take, first, high, low
    )
    return None if np.isnan(found) else (found, Reason(reason)), trail


def test_a_stop_that_the_bar_opened_beyond_fills_at_the_open() -> None:
    exits = Exits(stop_loss=0.1)
    assert at_open(exits, 90.01) is None
    assert at_open(exits, 90.0) == (90.0, Reason.STOP_LOSS)
    assert at_open(exits, 70.0) == (70.0, Reason.STOP_LOSS)
    assert at_open(exits, 95.0, trail=96.0) == (95.0, Reason.TRAILING_STOP)
    assert at_open(exits, 89.0, trail=85.0) == (89.0, Reason.STOP_LOSS)


def test_judging_candles_as_a_whole_looks_at_no_stop_at_the_open() -> None:
    exits = Exits(stop_loss=0.1, gaps_at_open=False)
    assert at_open(exits, 70.0) is None
    assert inside(exits, 70.0, 80.0, 60.0)[0] == (70.0, Reason.STOP_LOSS)
    assert inside(exits, 70.0, 95.0, 60.0)[0] == (90.0, Reason.STOP_LOSS)


def test_time_runs_out_at_an_open_before_anything_else() -> None:
    exits = Exits(stop_loss=0.1, time_stop_bars=3)
    assert at_open(exits, 50.0, age=2) == (50.0, Reason.STOP_LOSS)
    assert at_open(exits, 50.0, age=3) == (50.0, Reason.TIME_STOP)
    assert at_open(exits, 100.0, age=4) == (100.0, Reason.TIME_STOP)


def test_a_resting_target_fills_at_a_better_open_and_inside_only_when_passed() -> None:
    assert at_open(Exits(), 110.0, take=110.0) == (110.0, Reason.TAKE_PROFIT)
    assert at_open(Exits(), 112.0, take=110.0) == (112.0, Reason.TAKE_PROFIT)
    assert inside(Exits(), 100.0, 110.0, 99.0, take=110.0)[0] is None
    assert inside(Exits(), 100.0, 110.5, 99.0, take=110.0)[0] == (110.0, Reason.TAKE_PROFIT)


def test_a_stop_comes_before_a_take_profit_and_that_before_a_trailing_stop() -> None:
    both = Exits(stop_loss=0.05, take_profit=((0, 0.05),))
    assert inside(both, 100.0, 110.0, 90.0)[0] == (95.0, Reason.STOP_LOSS)
    assert inside(both, 100.0, 110.0, 90.0, trail=98.0)[0] == (105.0, Reason.TAKE_PROFIT)
    assert inside(both, 100.0, 104.0, 90.0, trail=98.0)[0] == (98.0, Reason.TRAILING_STOP)


def test_a_gain_is_taken_when_it_is_strictly_greater() -> None:
    exits = Exits(take_profit=((0, 0.05),))
    assert inside(exits, 100.0, 105.0, 99.0)[0] is None
    assert inside(exits, 100.0, 105.01, 99.0)[0] == (105.0, Reason.TAKE_PROFIT)


def test_a_gain_that_is_enough_from_this_open_on_is_taken_at_the_open() -> None:
    exits = Exits(take_profit=((0, 0.5), (2, 0.01)))
    assert inside(exits, 104.0, 106.0, 99.0, age=1)[0] is None
    assert inside(exits, 104.0, 106.0, 99.0, age=2)[0] == (104.0, Reason.TAKE_PROFIT)
    assert inside(exits, 104.0, 106.0, 99.0, age=3)[0] == (101.0, Reason.TAKE_PROFIT)
    assert inside(exits, 104.0, 106.0, 103.0, age=3)[0] == (103.0, Reason.TAKE_PROFIT)
    between = Exits(take_profit=((0, 0.5), (1.5, 0.01)))
    assert inside(between, 104.0, 106.0, 99.0, age=1)[0] is None
    assert inside(between, 104.0, 106.0, 99.0, age=2)[0] == (101.0, Reason.TAKE_PROFIT)


def test_any_price_at_all_is_enough_when_everything_may_be_lost() -> None:
    exits = Exits(take_profit=((0, 0.5), (2, -1.0)))
    assert inside(exits, 60.0, 61.0, 50.0, age=2)[0] == (60.0, Reason.TAKE_PROFIT)
    assert inside(exits, 60.0, 61.0, 50.0, age=3)[0] == (50.0, Reason.TAKE_PROFIT)


def test_the_high_raises_a_trailing_stop_before_the_low_is_tested_again() -> None:
    exits = Exits(trailing=0.1)
    assert inside(exits, 100.0, 120.0, 109.0) == (None, 108.0)
    assert inside(exits, 100.0, 120.0, 108.0) == ((108.0, Reason.TRAILING_STOP), 108.0)
    assert inside(exits, 100.0, 120.0, 95.0, trail=96.0) == ((96.0, Reason.TRAILING_STOP), 96.0)
    assert inside(exits, 100.0, 101.0, 97.0, trail=96.0) == (None, 96.0)


def test_a_trailing_stop_tightens_beyond_its_offset_and_may_begin_there() -> None:
    exits = Exits(trailing=0.1, trailing_tight=0.02, trailing_offset=0.05)
    assert inside(exits, 100.0, 105.0, 104.0) == (None, 94.5)
    assert inside(exits, 105.5, 106.0, 104.5) == (None, 103.88)
    later = Exits(trailing_tight=0.02, trailing_offset=0.05)
    assert np.isnan(inside(later, 100.0, 105.0, 50.0)[1])
    assert inside(later, 105.5, 106.0, 104.5) == (None, 103.88)


def test_in_its_first_bar_a_position_rises_just_enough_to_arm_the_stop_and_falls() -> None:
    assert inside(Exits(trailing=0.02), 100.0, 120.0, 80.0, age=0)[0] == (98.0, Reason.TRAILING_STOP)
    assert inside(Exits(trailing=0.02), 100.0, 120.0, 99.0, age=0)[0] == (99.0, Reason.TRAILING_STOP)
    offset = Exits(trailing_tight=0.02, trailing_offset=0.05)
    assert inside(offset, 100.0, 120.0, 80.0, age=0)[0] == (103.0, Reason.TRAILING_STOP)


def test_a_stop_that_was_set_counts_when_it_is_the_nearer() -> None:
    assert inside(Exits(stop_loss=0.1), 100.0, 101.0, 94.0, stop=95.0)[0] == (95.0, Reason.STOP_LOSS)
    assert inside(Exits(stop_loss=0.1), 100.0, 101.0, 94.0, stop=80.0)[0] is None


prices = st.integers(5_000, 20_000).map(lambda cents: cents / 100)
parts = st.one_of(st.just(NAN), st.sampled_from([0.01, 0.05, 0.2]))
rules = st.builds(
    Exits,
    stop_loss=parts,
    trailing=parts,
    trailing_tight=parts,
    trailing_offset=st.sampled_from([0.0, 0.02]),
    take_profit=st.sampled_from([(), ((0, 0.02),), ((0, 0.1), (2, -0.05))]),
    gaps_at_open=st.booleans(),
)


@given(
    rules, prices, prices, prices, st.integers(0, 4), st.one_of(st.just(NAN), prices), st.sampled_from([LONG, SHORT])
)
def test_a_position_leaves_at_a_price_that_the_bar_had(
    exits: Exits, a: float, b: float, c: float, age: int, trail: float, sign: float
) -> None:
    low, first, high = sorted([a, b, c])
    found, after = inside(exits, first, high, low, age=age, trail=trail, sign=sign)
    if found is not None:
        assert low <= found[0] <= high  # type: ignore[index]
        assert found[0] == round(found[0] * 1e8) / 1e8  # type: ignore[index]
    if not np.isnan(trail):
        assert sign * after >= sign * trail


def test_nothing_at_all_closes_nothing() -> None:
    assert at_open(Exits(), 0.01, age=10_000) is None
    assert inside(Exits(), 100.0, 1e6, 0.01)[0] is None
