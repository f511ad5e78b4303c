"""Built-in algorithms decide from their own memory, to the bit, and say no clearly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.market.synthetic import synthetic_tape
from omc.strategy.builtin import Builtin
from omc.strategy.channel_breakout import ChannelBreakout
from omc.strategy.dollar_cost_averaging import DollarCostAveraging
from omc.strategy.grid import Grid
from omc.strategy.macd import Macd
from omc.strategy.mean_reversion import MeanReversion
from omc.strategy.momentum_rotation import MomentumRotation
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.pairs import Pairs
from omc.strategy.registry import make, templates
from omc.strategy.relative_strength import RelativeStrength
from omc.strategy.volatility_target import VolatilityTarget
from omc.trading.exits import Exits

NAN = float("nan")


def frame_of(last: FloatArray) -> Frame:
    times = np.datetime64("2025-01-01", "us") + np.arange(len(last)) * np.timedelta64(300, "s")
    return Frame(times, tuple(f"C{c}" for c in range(last.shape[1])), last, last, last)


@st.composite
def frames(draw: st.DrawFn, coins: int = 2) -> Frame:
    rows, skipped = draw(st.integers(1, 90)), draw(st.sampled_from([0.0, 0.1]))
    seed, holes = draw(st.integers(0, 10**6)), draw(st.sampled_from([0.0, 0.02, 0.2]))
    generator = np.random.default_rng(seed)
    last = np.round(100 + generator.normal(size=(rows, coins)).cumsum(axis=0), draw(st.sampled_from([0, 2, 8])))
    last[generator.random((rows, coins)) < holes] = np.nan
    made = frame_of(last)
    kept = generator.random(rows) >= skipped
    kept[-1] = True
    return Frame(made.times[kept], made.coins, *(each[kept] for each in (made.bid, made.ask, made.last)))


WINDOW, HOLD, Z = st.integers(2, 10), st.integers(1, 10), st.sampled_from([0.8, 1, 1.5])
ALGORITHMS = {
    MovingAverageCrossover: {
        "fast_bars": st.integers(1, 8),
        "slow_bars": st.integers(9, 16),
        "entry_threshold": st.sampled_from([0.0, 0.003]),
    },
    Macd: {"fast_bars": st.just(1), "slow_bars": st.integers(2, 4), "signal_bars": st.integers(1, 3)},
    ChannelBreakout: {"entry_bars": WINDOW, "exit_bars": WINDOW, "hold_bars": HOLD},
    MomentumRotation: {
        "lookback_bars": WINDOW,
        "top": st.integers(1, 3),
        "rebalance_bars": HOLD,
        "least_return": st.sampled_from([-1.0, 0.0]),
        "volatility_bars": st.integers(0, 12),
    },
    MeanReversion: {
        "window_bars": WINDOW,
        "entry_z": Z,
        "exit_z": st.sampled_from([-1.0, 0.0, 0.5]),
        "hold_bars": HOLD,
    },
    RelativeStrength: {
        "window_bars": st.integers(2, 4),
        "buy_below": st.sampled_from([30, 45.0]),
        "sell_above": st.sampled_from([50, 60.0]),
        "hold_bars": HOLD,
    },
    Pairs: {"window_bars": WINDOW, "entry_z": Z, "exit_z": st.sampled_from([0.0, 0.5]), "hold_bars": HOLD},
    Grid: {"window_bars": WINDOW, "levels": st.integers(2, 7), "least_width": st.sampled_from([0.0, 0.02])},
    VolatilityTarget: {"window_bars": WINDOW, "target_volatility": st.sampled_from([0.5, 5.0])},
    DollarCostAveraging: {"cycle_bars": st.integers(9, 40), "purchases": st.integers(1, 9)},
}


@st.composite
def algorithms(draw: st.DrawFn) -> Builtin:
    kind = draw(st.sampled_from(list(ALGORITHMS)))
    chosen = {name: draw(values) for name, values in ALGORITHMS[kind].items()}
    return kind.of(**chosen, exposure=draw(st.sampled_from([1, 0.5])))


@settings(deadline=None, max_examples=300)
@given(frame=frames(), algorithm=algorithms())
def test_a_decision_needs_only_the_rows_that_it_says_it_remembers(frame, algorithm):
    weights = algorithm.predict(frame)
    for t in range(len(frame)):
        remembered = algorithm.predict(frame.rows(max(0, t - algorithm.memory_bars + 1), t + 1))
        assert remembered[-1].tobytes() == weights[t].tobytes()


@settings(deadline=None)
@given(frame=frames(), other=frames(), algorithm=algorithms(), data=st.data())
def test_cutting_or_scrambling_the_future_changes_no_decision(frame, other, algorithm, data):
    cut = data.draw(st.integers(1, len(frame)))
    decided = algorithm.predict(frame)[:cut]
    assert algorithm.predict(frame.rows(0, cut)).tobytes() == decided.tobytes()
    last = frame.last.copy()
    last[cut:] = np.resize(other.last * 7, last[cut:].shape)
    scrambled = Frame(frame.times, frame.coins, last, last, last)
    assert algorithm.predict(scrambled)[:cut].tobytes() == decided.tobytes()


@settings(deadline=None)
@given(frame=frames(), algorithm=algorithms())
def test_weights_are_fractions_that_add_up_to_no_more_than_the_exposure(frame, algorithm):
    weights = algorithm.predict(frame)
    assert weights.shape == frame.last.shape
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) <= algorithm.exposure + 1e-9).all()
    assert (weights[np.isnan(frame.bid)] == 0).all()


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
def test_a_template_makes_its_algorithm_and_says_what_its_parameters_mean(template):
    algorithm = make(template.algorithm_type, template.parameters)
    assert algorithm.get_params() == template.parameters
    assert template.about.keys() == template.parameters.keys()
    assert template.space.keys() <= template.parameters.keys()
    for name, space in template.space.items():
        make(template.algorithm_type, {name: template.parameters[name]})
        parameter = algorithm.parameters()[name]
        assert parameter.low <= space["low"] < space["high"] <= parameter.high


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
def test_scikit_learn_takes_it_for_one_of_its_own(template):
    algorithm = make(template.algorithm_type, {"exposure": 0.25})
    twin = clone(algorithm)
    assert twin is not algorithm
    assert twin.get_params() == algorithm.get_params()
    assert twin.set_params(exposure=0.5) is twin
    assert (twin.exposure, algorithm.exposure) == (0.5, 0.25)
    assert twin.fit(frame_of(np.ones((2, 2)))) is twin


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
def test_a_template_trades_on_a_made_market(template):
    algorithm = make(template.algorithm_type, template.parameters)
    coins = ("BTC", "ETH", "SOL")[: algorithm.most_coins]
    weights = algorithm.predict(synthetic_tape(5, 30, coins).frame)
    assert (weights > 0).mean() > 0.002
    assert (np.diff(weights, axis=0) != 0).any(axis=1).sum() > 10


def test_an_algorithm_of_too_few_coins_or_too_many_is_refused():
    with pytest.raises(InvalidInput, match="pairs needs exactly 2 coins, not 3"):
        Pairs.check_coins(("A", "B", "C"))
    with pytest.raises(InvalidInput, match="momentum_rotation needs at least 2 coins, not 1"):
        MomentumRotation().predict(frame_of(np.ones((5, 1))))
    Grid.check_coins(("A",))


def test_exits_are_what_the_parameters_say_and_none_where_they_never_sell():
    assert MovingAverageCrossover().exits == Exits()
    stopped = RelativeStrength(stop_loss=0.03, take_profit=0.2).exits
    assert (stopped.stop_loss, stopped.take_profit) == (0.03, ((0, 0.2),))
    assert ChannelBreakout(trailing=0.04).exits.trailing == 0.04
    assert not ChannelBreakout().exits.any


@pytest.mark.parametrize(
    ("algorithm_type", "parameters", "reason"),
    [
        ("moving_average_crossover", {"fats_bars": 3}, "no parameter 'fats_bars'; it has fast_bars, slow_bars"),
        ("moving_average_crossover", {"fast_bars": "3"}, "fast_bars must be a whole number, not '3'"),
        ("moving_average_crossover", {"fast_bars": 3.5}, "fast_bars must be a whole number"),
        ("moving_average_crossover", {"fast_bars": True}, "fast_bars must be a whole number"),
        ("moving_average_crossover", {"fast_bars": 0}, "fast_bars must lie from 1 to 50000, not 0"),
        ("moving_average_crossover", {"fast_bars": 72}, "fast_bars 72 must be less than slow_bars 72"),
        ("moving_average_crossover", {"exposure": 1.1}, "exposure must lie from 0 to 1"),
        ("moving_average_crossover", {"exposure": None}, "exposure must be a number, not None"),
        ("mean_reversion", {"stop_loss": NAN}, "stop_loss must lie from"),
        ("mean_reversion", {"exit_z": 2.0}, "exit_z 2.0 must be less than entry_z 2.0"),
        ("macd", {"fast_bars": 200}, "fast_bars 200 must be less than slow_bars 156"),
        ("rsi", {"buy_below": 70}, "buy_below 70 must not exceed sell_above 60"),
        ("pairs", {"exit_z": 2}, "exit_z 2 must be less than entry_z 2"),
        ("pairs", {"exit_z": -1}, "exit_z must lie from 0 to 20"),
        ("dollar_cost_averaging", {"cycle_bars": 20}, "30 purchases do not fit into a cycle of 20 bars"),
        ("channel_breakout", {"trailing": 0}, "trailing must lie from 0.0001 to 1"),
        ("momentum_rotation", {"top": 0}, "top must lie from 1 to 100"),
        ("grid", {"levels": 1}, "levels must lie from 2 to 100"),
        ("volatility_target", {"target_volatility": 0}, "target_volatility must lie from 0.001"),
        ("logistic", {"lookback_bars": 8}, "lookback_bars must lie from 32"),
        ("gradient_boosting", {"trees": 0}, "trees must lie from 1 to 1000"),
        ("momentum", {}, "no algorithm type 'momentum'; there are moving_average_crossover, macd, "),
        ("custom", {}, "no sandbox"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(algorithm_type, parameters, reason):
    with pytest.raises(InvalidInput, match=reason):
        make(algorithm_type, parameters)


def test_code_is_refused():
    with pytest.raises(InvalidInput, match="sandbox"):
        make("custom", {})


def test_a_refused_change_changes_nothing():
    algorithm = MovingAverageCrossover(3, 9)
    with pytest.raises(InvalidInput):
        algorithm.set_params(exposure=0.1, fast_bars=9)
    assert algorithm.get_params() == MovingAverageCrossover(3, 9).get_params()
