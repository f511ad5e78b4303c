"""A completed sweep and everything that it tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omc.backtest.sweep import Sweep
from omc.backtest.tried import Tried
from omc.backtest.walk_forward import Selection, select
from omc.feature.frame import FloatArray
from omc.strategy.parameter import same_parameters


@dataclass(frozen=True, slots=True)
class Search:
    sweep: Sweep
    tried: Sequence[Tried]

    def holds(self, parameters: Mapping[str, Any]) -> bool:
        """Whether one of its points, not failed, has exactly these parameters, defaults included."""
        fixed = self.sweep.spec.parameters
        return any(
            same_parameters({**fixed, **point}, parameters) and index not in part.failures
            for part in self.tried
            for index, point in zip(part.indices.tolist(), part.parameters, strict=True)
        )

    def row_of(self, parameters: Mapping[str, Any]) -> int | None:
        """Of the first point with exactly these parameters; rows count as in `by_fold`."""
        return next((row for row, point in enumerate(self.parameters()) if same_parameters(point, parameters)), None)

    def parameters(self) -> list[dict[str, Any]]:
        """Of each point, whole; rows count as in `by_fold`."""
        fixed = self.sweep.spec.parameters
        points = (
            (index, point) for part in self.tried for index, point in zip(part.indices, part.parameters, strict=True)
        )
        return [{**fixed, **point} for _, point in sorted(points, key=itemgetter(0))]

    def blocks(self) -> FloatArray:
        """(N, B, 3) moments of the points that were tried to the end, and did not fail."""
        whole = [part for part in self.tried if part.folds_seen == self.sweep.folds]
        kept = [part.blocks[[index not in part.failures for index in part.indices.tolist()]] for part in whole]
        return np.concatenate(kept) if kept else np.empty((0, 0, 3))

    def by_fold(self) -> tuple[NDArray[np.int64], FloatArray]:
        """(N,) indices, rising, and (N, folds, 3) moments; NaN in folds that a point was not tried on."""
        indices = np.concatenate([np.empty(0, np.int64), *(part.indices for part in self.tried)])
        moments = np.full((len(indices), self.sweep.folds, 3), np.nan)
        at = 0
        for part in self.tried:
            seen = part.folds_seen
            if seen and part.blocks.shape[1]:
                moments[at : at + len(part), :seen] = part.blocks.reshape(len(part), seen, -1, 3).sum(axis=2)
            at += len(part)
        order = np.argsort(indices)
        return indices[order], moments[order]

    def walked(self) -> Selection | None:
        """Trading, fold by fold, what was best before it: rows count `by_fold`. A search that learns was told of all
        folds but the last, so only that one is out of sample. None where nothing is."""
        folds = self.sweep.folds
        if not folds:
            return None
        return select(self.by_fold()[1], self.sweep.scheme, first=folds - 1 if self.sweep.method == "optuna" else 1)
