"""Fitted algorithms learn from what was known, when it is due, and decide the same from their memory as from years."""

import subprocess
import sys

import numpy as np
import pytest

from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.feature.label import gain, label_rows
from omc.feature.schedule import period_starts
from omc.market.synthetic import synthetic_tape
from omc.strategy.gradient_boosting import GradientBoosting
from omc.strategy.logistic import Logistic
from omc.strategy.model import Fitted, Scorer

SMALL = {"lookback_bars": 32, "horizon_bars": 6, "train_bars": 120, "refit_bars": 24, "entry_probability": 0.6}
KINDS = [lambda: Logistic(fee_bps=0.0, **SMALL), lambda: GradientBoosting(fee_bps=0.0, trees=8, **SMALL)]


def free_of_spread(frame: Frame) -> Frame:
    return Frame(frame.times, frame.coins, frame.last, frame.last, frame.last)


TAPE = free_of_spread(synthetic_tape(3, 3, ("BTC", "ETH")).frame)


def with_holes(frame: Frame) -> Frame:
    """Quotes missing here and there, and whole bars."""
    generator = np.random.default_rng(1)
    last = frame.last.copy()
    last[generator.random(last.shape) < 0.002] = np.nan
    kept = generator.random(len(frame)) > 0.03
    return Frame(frame.times[kept], frame.coins, last[kept], last[kept], last[kept])


@pytest.mark.parametrize("kind", KINDS, ids=["logistic", "gradient_boosting"])
@pytest.mark.parametrize("frame", [TAPE, with_holes(TAPE)], ids=["whole", "with holes"])
def test_it_decides_from_its_memory_what_it_decides_from_everything(kind, frame):
    weights = kind().predict(frame)
    memory, floor = kind().memory_bars, kind()
    assert 0 < (weights > 0).mean() < 1
    for row in range(memory - 1, len(frame), 11):
        remembered = floor.predict(frame.rows(row + 1 - memory, row + 1))
        assert remembered[-1].tobytes() == weights[row].tobytes()


class Watching(Fitted):
    """Keeps what it was given to learn from, and finds everything worth buying."""

    algorithm_type = "watching"
    description = "watches"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.learned: list[tuple[FloatArray, FloatArray, FloatArray]] = []

    def learn(self, found: FloatArray, gained: FloatArray, weights: FloatArray) -> Scorer:
        self.learned.append((found, gained, weights))
        return lambda rows: np.ones(len(rows))


class Jumpy(Watching):
    """Buys what has just risen by more than a tenth."""

    def learn(self, found: FloatArray, gained: FloatArray, weights: FloatArray) -> Scorer:
        return lambda rows: np.where(rows[:, 0] > 0.1, 9.0, 0.0)


def test_it_remembers_no_more_than_it_needs():
    """An entry in the last row of a period, held for as long as it may be, needs all that its model learned from."""
    jump = 20 * 24 - 1
    assert period_starts(TAPE.times, 24)[jump] == jump - 23
    prices = TAPE.last[:, :1] * np.where(np.arange(len(TAPE)) < jump, 1.0, 2.0)[:, None]
    frame, algorithm = Frame(TAPE.times, ("BTC",), prices, prices, prices), Jumpy(**SMALL)
    weights = algorithm.predict(frame)
    assert np.flatnonzero(weights).tolist() == list(range(jump, jump + 6))
    first = jump + 6 - algorithm.memory_bars
    assert algorithm.predict(frame.rows(first, jump + 6))[-1] == 1
    assert algorithm.predict(frame.rows(first + 1, jump + 6))[-1] == 0


def test_it_learns_from_the_newest_rows_whose_gain_was_known_and_from_no_other():
    algorithm = Watching(fee_bps=7.0, **SMALL)
    algorithm.predict(TAPE)
    starts = [int(start) for start in np.unique(period_starts(TAPE.times, 24)) if start >= 32 + 120 + label_rows(6)]
    assert len(algorithm.learned) == len(starts)
    gains = gain(TAPE, 6, 7.0)
    returns = Indicators(TAPE.last).returns(1)
    for start, (found, gained, weights) in zip(starts, algorithm.learned, strict=True):
        # What the last of these rows buys is sold in the row before the period begins.
        last = start - label_rows(6) - 1
        own = slice(last - 119, last + 1)
        known = gain(TAPE.rows(0, start), 6, 7.0)[own]
        assert known.tobytes() == gains[own].tobytes()
        assert np.isfinite(known).all()
        assert (found[:, 0] == returns[own].reshape(-1)).all()
        assert (gained == (known.reshape(-1) > 0)).all()
        assert weights == pytest.approx(np.abs(known.reshape(-1)) / np.abs(known).mean())


def test_on_the_floor_it_is_fitted_when_that_is_due_and_not_at_every_bar():
    algorithm = Watching(**SMALL)
    memory = algorithm.memory_bars
    for row in range(memory, memory + 96):
        algorithm.predict(TAPE.rows(row + 1 - memory, row + 1))
    assert 4 <= len(algorithm.learned) <= 6


def test_points_that_differ_in_what_they_do_with_the_odds_share_the_models():
    indicators, learned = Indicators(TAPE.last), []
    for probability in (0.5, 0.6, 0.7):
        algorithm = Watching(**{**SMALL, "entry_probability": probability, "stop_loss": 0.1})
        algorithm.decide(TAPE, indicators)
        learned.append(len(algorithm.learned))
    assert learned[0] > 0
    assert learned[1:] == [0, 0]


def test_other_parameters_after_a_fit_mean_another_fit():
    algorithm = Logistic(fee_bps=0.0, **SMALL)
    before = algorithm.predict(TAPE)
    algorithm.set_params(penalty=10_000.0)
    after = algorithm.predict(TAPE)
    assert before.tobytes() != after.tobytes()
    assert after.tobytes() == Logistic(fee_bps=0.0, penalty=10_000.0, **SMALL).predict(TAPE).tobytes()


def test_where_everything_lost_or_too_little_was_quoted_nothing_is_wanted():
    dear = Frame(TAPE.times, TAPE.coins, TAPE.bid, TAPE.ask * 2, TAPE.last)
    assert (Logistic(**SMALL).predict(dear) == 0).all()
    bid = TAPE.bid.copy()
    bid[::2] = np.nan
    assert (Logistic(**SMALL).predict(Frame(TAPE.times, TAPE.coins, bid, TAPE.ask, TAPE.last)) == 0).all()


def test_who_fits_no_model_imports_no_library_for_it():
    code = (
        "import sys, numpy as np\n"
        "from omc.feature.frame import Frame\n"
        "from omc.strategy.registry import make, templates\n"
        "templates()\n"
        "last = np.ones((9, 2))\n"
        "times = np.datetime64('2025-01-01', 'us') + np.arange(9) * np.timedelta64(300, 's')\n"
        "for name in ('moving_average_crossover', 'gradient_boosting', 'logistic'):\n"
        "    make(name, {}).predict(Frame(times, ('A', 'B'), last, last, last))\n"
        "assert not {'sklearn', 'xgboost', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
