"""The weights of an algorithm whose parameters were changed while it traded: every bar by those that held then."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from omc.backtest.run import BacktestSpec
from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.feature.indicator import Indicators
from omc.strategy.maker import Make


@dataclass(frozen=True, slots=True)
class Tuned:
    """Other parameters, for the decisions of all bars after `last_bar`. How it closes positions stays the same."""

    last_bar: datetime
    parameters: Mapping[str, Any]


def weights(spec: BacktestSpec, frame: Frame, first: int, tuned: Sequence[Tuned], make: Make) -> FloatArray:
    """(T, C): what is wanted on the rows of `frame` from `first` on, by the parameters of `spec` and from then on by
    those of each of `tuned`, oldest first. As a trader that sits down to others, each sees as many bars as it
    remembers, and none that it does not."""
    parts = [np.empty((0, len(frame.coins)))]
    for start, end, parameters in _stretches(spec, frame, first, tuned):
        with closing(make(spec.algorithm_type, parameters)) as algorithm:
            seen = frame.rows(max(0, start + 1 - algorithm.memory_bars), end)
            parts.append(algorithm.decide(seen, Indicators(seen.last))[start - end :])
    return np.concatenate(parts)


def _stretches(
    spec: BacktestSpec, frame: Frame, first: int, tuned: Sequence[Tuned]
) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """The rows that each parameters decide on, where there are any: from, and up to without."""
    after = [int(np.searchsorted(frame.times, as_datetime64(each.last_bar), "right")) for each in tuned]
    bounds = [first, *(max(first, row) for row in after), len(frame)]
    for (start, end), parameters in zip(
        pairwise(bounds), [spec.parameters, *(each.parameters for each in tuned)], strict=True
    ):
        if start < end:
            yield start, end, parameters
