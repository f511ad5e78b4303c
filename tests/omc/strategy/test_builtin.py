"""Built-in algorithms decide from their own memory, to the bit, and say no clearly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.strategy.builtin import Builtin
from omc.strategy.mean_reversion import MeanReversion
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.registry import make, templates

NAN = float("nan")


def frame_of(last: FloatArray) -> Frame:
    times = np.datetime64("2025-01-01", "us") + np.arange(len(last)) * np.timedelta64(300, "s")
    return Frame(times, tuple(f"C{c}" for c in range(last.shape[1])), last, last, last)


def one_coin(*prices: float) -> Frame:
    return frame_of(np.array(prices).reshape(-1, 1))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    rows, coins = draw(st.integers(1, 60)), draw(st.integers(1, 3))
    seed, holes = draw(st.integers(0, 10**6)), draw(st.sampled_from([0.0, 0.02, 0.2]))
    generator = np.random.default_rng(seed)
    last = np.round(100 + generator.normal(size=(rows, coins)).cumsum(axis=0), draw(st.sampled_from([0, 2, 8])))
    last[generator.random((rows, coins)) < holes] = np.nan
    return frame_of(last)


@st.composite
def algorithms(draw: st.DrawFn) -> Builtin:
    if draw(st.booleans()):
        fast = draw(st.integers(1, 8))
        slow = draw(st.integers(fast + 1, 16))
        return MovingAverageCrossover(fast, slow, draw(st.sampled_from([0.0, 0.003])), draw(st.sampled_from([1, 0.5])))
    return MeanReversion(
        window_bars=draw(st.integers(2, 10)),
        entry_z=draw(st.sampled_from([0.8, 1, 1.5])),
        exit_z=draw(st.sampled_from([-1.0, 0.0, 0.5])),
        hold_bars=draw(st.integers(1, 10)),
    )


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
    assert algorithm.predict(frame_of(last))[:cut].tobytes() == decided.tobytes()


@settings(deadline=None)
@given(frame=frames(), algorithm=algorithms())
def test_weights_are_fractions_that_add_up_to_no_more_than_the_exposure(frame, algorithm):
    weights = algorithm.predict(frame)
    assert weights.shape == frame.last.shape
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) <= algorithm.exposure + 1e-9).all()
    assert (weights[np.isnan(frame.bid)] == 0).all()


def test_the_crossover_holds_while_the_fast_mean_is_above_the_slow_one():
    weights = MovingAverageCrossover(1, 3, exposure=0.5).predict(one_coin(10, 10, 10, 11, 12, 8, 8, NAN, 9, 9, 9, 10))
    assert weights[:, 0].tolist() == [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0.5]


def test_the_entry_threshold_asks_for_more():
    prices = one_coin(10, 10, 10.1, 12)
    assert MovingAverageCrossover(1, 2, entry_threshold=0.05).predict(prices)[:, 0].tolist() == [0, 0, 0, 1]


def test_mean_reversion_sells_after_its_hold_or_when_the_price_is_back():
    crash = [10, 11] * 4 + [5]
    held = MeanReversion(window_bars=8, entry_z=2, exit_z=-5, hold_bars=3)
    assert held.predict(one_coin(*crash, 5, 5, 5, 5))[:, 0].tolist() == [0] * 8 + [1, 1, 1, 0, 0]
    back = MeanReversion(window_bars=8, entry_z=2, exit_z=0, hold_bars=30)
    assert back.predict(one_coin(*crash, 6, 12, 5.5, 5.5))[:, 0].tolist() == [0] * 8 + [1, 1, 0, 0, 0]


def test_each_coin_gets_its_part():
    last = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])
    assert MovingAverageCrossover(1, 2).predict(frame_of(last)).tolist() == [[0, 0], [0.5, 0], [0.5, 0]]


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
    assert twin.fit(one_coin(1, 2)) is twin


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
        ("momentum", {}, "no algorithm type 'momentum'; there are moving_average_crossover, mean_reversion"),
        ("custom", {}, "until there is a sandbox"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(algorithm_type, parameters, reason):
    with pytest.raises(InvalidInput, match=reason):
        make(algorithm_type, parameters)


def test_code_is_refused():
    with pytest.raises(InvalidInput, match="sandbox"):
        make("moving_average_crossover", {}, code="import os")


def test_a_refused_change_changes_nothing():
    algorithm = MovingAverageCrossover(3, 9)
    with pytest.raises(InvalidInput):
        algorithm.set_params(exposure=0.1, fast_bars=9)
    assert algorithm.get_params() == MovingAverageCrossover(3, 9).get_params()
