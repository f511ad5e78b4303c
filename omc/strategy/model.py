"""What fitted algorithms share: they learn as they go along, from what was known at the time.

A model is fitted anew at each multiple of `refit_bars` since 1970, on rows whose labels were known by then, and decides
until the next one. So the floor, which sees `memory_bars` rows, fits the very models that the backtest fitted, and
which model decides depends on nothing but the time.
"""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from math import log

import numpy as np

from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import Indicators
from omc.feature.label import gain, label_rows
from omc.feature.predictors import LEAST_LOOKBACK, predictors
from omc.feature.schedule import period_starts
from omc.strategy.builtin import Builtin
from omc.strategy.exit_parameters import stop, target
from omc.strategy.parameter import real, whole
from omc.strategy.signal import held, signals

Scorer = Callable[[FloatArray], FloatArray]
"""From (n, F) predictors to (n,) log-odds, each row's by itself."""
_MODELS_KEPT = 32


@dataclass(eq=False)
class Fitted(Builtin):
    """A model of whether a decision pays after costs, one for all coins.

    It learns from the `predictors` of the `train_bars` rows that were the last whose `gain` over `horizon_bars` was
    known before its period began; what it decides it never learned from. A row that gained is a yes, another a no, and
    each counts for as much as it gained or lost: so a probability above a half is an expected gain, not merely a likely
    one. Nothing is wanted where fewer than half of these rows can be used (a coin was not quoted, or everything was a
    yes or a no).

    A coin is wanted when, of the last `horizon_bars` rows, one had a probability above `entry_probability`, and since
    the newest such row none had one below 1 - `entry_probability` or none at all.
    """

    lookback_bars: int = whole(
        96, low=LEAST_LOOKBACK, high=5_000, about="bars that the model sees of the past", search=(32, 288)
    )
    horizon_bars: int = whole(
        48, low=1, high=5_000, about="bars whose gain the model foresees, and an entry lasts", search=(12, 288)
    )
    train_bars: int = whole(2_016, low=50, high=100_000, about="bars that a model is fitted on", search=(1_000, 8_000))
    refit_bars: int = whole(288, low=1, high=50_000, about="bars from one fit to the next")
    fee_bps: float = real(
        10.0, low=0.0, high=1_000.0, about="fee of each side that a gain must make good, in hundredths of a percent"
    )
    entry_probability: float = real(0.55, low=0.5, high=0.99, about="probability that buys", search=(0.5, 0.7))
    stop_loss: float = stop()
    take_profit: float = target()
    exposure: float = real(1.0, low=0.0, high=1.0, about="fraction of equity to hold when every coin is wanted")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fitted: OrderedDict[tuple[object, ...], Scorer | None] = OrderedDict()

    @property
    def memory_bars(self) -> int:
        return self.lookback_bars + self.train_bars + self.refit_bars + 2 * self.horizon_bars

    @abstractmethod
    def learn(self, found: FloatArray, gained: FloatArray, weights: FloatArray) -> Scorer:
        """Fit a model to (n, F) predictors, (n,) answers, each 0.0 or 1.0, and (n,) weights of 0 or more whose mean is
        1. The same arrays give the same scores to the bit, in any process."""

    def decide(self, frame: Frame, indicators: Indicators) -> FloatArray:
        odds = indicators.shared((self.algorithm_type, self._learning()), lambda: self._odds(frame, indicators))
        enough = log(self.entry_probability / (1.0 - self.entry_probability))
        leave = ~(odds >= -enough)  # no odds at all included
        return held(frame, signals(odds > enough, leave), self.horizon_bars, self.exposure / len(frame.coins))

    def _learning(self) -> tuple[object, ...]:
        """The parameters that odds depend on."""
        deciding = {"entry_probability", "stop_loss", "take_profit", "exposure"}
        return tuple(value for name, value in self.get_params().items() if name not in deciding)

    def _odds(self, frame: Frame, indicators: Indicators) -> FloatArray:
        """Log-odds of each row by the model of its period, (T, C); NaN where there is none."""
        found = predictors(frame, indicators, self.lookback_bars)
        gains = gain(frame, self.horizon_bars, self.fee_bps)
        starts = period_starts(frame.times, self.refit_bars)
        odds = np.full(frame.last.shape, np.nan)
        for start in np.unique(starts[starts >= 0]):
            # The label of the last row of these was known in the row before the period, and no later one was.
            trained = start - label_rows(self.horizon_bars)
            if trained - self.train_bars < self.lookback_bars:
                continue
            learned = slice(trained - self.train_bars, trained)
            score = self._model(frame.times[start], _rows(found, learned), gains[learned].reshape(-1))
            if score is None:
                continue
            period = slice(start, start + int(np.count_nonzero(starts == start)))
            rows = _rows(found, period)
            known = np.isfinite(rows).all(axis=1)
            scored = np.full(len(rows), np.nan)
            scored[known] = score(rows[known])
            odds[period] = scored.reshape(-1, len(frame.coins))
        return odds

    def _model(self, time: np.datetime64, found: FloatArray, gains: FloatArray) -> Scorer | None:
        """Fitted on usable rows; on the floor, which asks every bar, only when what it would learn is new."""
        usable = np.isfinite(found).all(axis=1) & np.isfinite(gains)
        found, gains = found[usable], gains[usable]
        content = blake2b(found.tobytes() + gains.tobytes(), digest_size=16).digest()
        key = (time, self._learning(), content)
        if key not in self._fitted:
            answers = (gains > 0.0).astype(np.float64)
            enough = 2 * len(gains) >= len(usable) and 0.0 < answers.mean() < 1.0
            sizes = np.abs(gains)
            self._fitted[key] = self.learn(found, answers, sizes / sizes.mean()) if enough else None
            while len(self._fitted) > _MODELS_KEPT:
                self._fitted.popitem(last=False)
        self._fitted.move_to_end(key)
        return self._fitted[key]


def _rows(found: tuple[FloatArray, ...], rows: slice) -> FloatArray:
    """(n, F): one row a bar and coin, coins side by side."""
    return np.stack([each[rows] for each in found], axis=-1).reshape(-1, len(found))
