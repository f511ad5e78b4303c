"""The parameters of a sweep as axes: numbers or words, in places that can be drawn, gathered into bins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray

_MOST_VALUES = 24
_BINS = 12


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter of N points: `values` as tried; `places` (N,) from 0 to 1 along the axis, magnitudes evenly when
    they differ much; `bins` (N,) and what each bin holds, in order."""

    name: str
    values: Sequence[Any]
    places: FloatArray
    bins: NDArray[np.int64]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, name: str, values: Sequence[Any]) -> Self:
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return cls._of_numbers(name, values)
        words = sorted({str(value) for value in values})
        at = np.array([words.index(str(value)) for value in values], np.int64)
        return cls(name, values, at / max(len(words) - 1, 1), at, tuple(words))

    @classmethod
    def _of_numbers(cls, name: str, values: Sequence[float]) -> Self:
        given = np.array(values, np.float64)
        scaled = np.log(given) if given.min() > 0 and given.max() / given.min() > 30 else given
        span = scaled.max() - scaled.min()
        places = (scaled - scaled.min()) / span if span > 0 else np.full(len(given), 0.5)
        different = np.unique(given)
        if len(different) <= _MOST_VALUES:
            return cls(name, values, places, np.searchsorted(different, given), tuple(f"{it:g}" for it in different))
        edges = np.unique(np.quantile(given, np.linspace(0, 1, _BINS + 1)))
        bins = np.clip(np.searchsorted(edges, given, "right") - 1, 0, len(edges) - 2)
        labels = tuple(f"{_rounded(low)} – {_rounded(high)}" for low, high in pairwise(edges.tolist()))
        return cls(name, values, places, bins, labels)

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at the foot and at the head of the axis."""
        low, high = int(np.argmin(self.places)), int(np.argmax(self.places))
        return _short(self.values[low]), _short(self.values[high])


def importance(axis: Axis, scores: FloatArray) -> float:
    """The part of the variance of `scores`, (N,), that the bins of one parameter explain, from 0 to 1, less what as
    many bins would explain by chance (epsilon squared: Kelley 1935). 0 where nothing can be said."""
    known = ~np.isnan(scores)
    given, bins = scores[known], axis.bins[known]
    counts = np.bincount(bins, minlength=len(axis.labels))
    groups = int((counts > 0).sum())
    total = float(((given - given.mean()) ** 2).sum()) if len(given) else 0.0
    if not total > 0 or len(given) <= groups or groups < 2:
        return 0.0
    means = np.bincount(bins, given, len(axis.labels)) / np.maximum(counts, 1)
    between = float((counts * (means - given.mean()) ** 2).sum())
    return max(0.0, 1 - (total - between) / total * (len(given) - 1) / (len(given) - groups))


def axes_of(parameters: Sequence[Mapping[str, Any]], names: Sequence[str], scores: FloatArray) -> list[Axis]:
    """The searched parameters that differ between points, the most important first."""
    made = [Axis.of(name, [point.get(name) for point in parameters]) for name in sorted(names)]
    differing = [axis for axis in made if len(axis.labels) > 1]
    return sorted(differing, key=lambda axis: -importance(axis, scores))


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value:.3g}"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
