"""The tear sheet of a sweep, put together from what it tried."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import numpy as np

from omc.backtest.metrics import METRICS
from omc.backtest.tearsheet.figures import NONE, dollars, figure_of, name_of, parameters_of, tries_of
from omc.backtest.tearsheet.sweep import Search as Shown
from omc.backtest.tearsheet.sweep import sweep_sheet
from omc.feature.frame import FloatArray
from omc.promotion.search import Search
from omc.promotion.sweep_verdict import SweepVerdict

_MINUTE = "%Y-%m-%d %H:%M"


def page_of(search: Search, verdict: SweepVerdict) -> str:
    """The whole page."""
    sweep, tried = search.sweep, [part for part in search.tried if len(part)]
    spec = sweep.spec
    shown = Shown(
        objective=sweep.objective,
        searched=sorted(sweep.space),
        indices=[int(index) for part in tried for index in part.indices],
        parameters=[given for part in tried for given in part.parameters],
        # Points that were given up were measured on fewer folds than those that they would stand beside.
        metrics={name: _joined([_comparable(search, part, part.column(name)) for part in tried]) for name in METRICS},
        fold_scores=_padded([part.fold_scores for part in tried], sweep.folds),
        headline=_headline(search, verdict),
        facts={
            "Searched": ", ".join(f"{name} {_range(given)}" for name, given in sorted(sweep.space.items())),
            "Otherwise": parameters_of({name: it for name, it in spec.parameters.items() if name not in sweep.space}),
            "Method": f"{sweep.method}, seed {sweep.seed}",
            "Folds": f"{sweep.folds}, {sweep.scheme}" if sweep.folds else "none: the whole window at once",
            "Cash to begin with": dollars(spec.initial_cash_aud),
            "Rebalance band": f"{spec.rebalance_band:.2%}",
            "Status": sweep.status.value,
        },
        deflated=verdict.deflated,
        out_of_sample=[
            (str(each.fold), _chosen(search, each.parameters), _ratio(each.in_sample), _ratio(each.out_of_sample))
            for each in verdict.choices
        ],
    )
    about = (
        f"{spec.algorithm_type}, version {sweep.algorithm_version}, on {', '.join(spec.coins)} "
        f"from {spec.start:{_MINUTE}} to {spec.end:{_MINUTE}} UTC"
    )
    return sweep_sheet(f"Sweep {sweep.id}", shown, about=about)


def _headline(search: Search, verdict: SweepVerdict) -> dict[str, str]:
    sweep, left = search.sweep, verdict.deflated
    best = None if sweep.best is None else sweep.best["metrics"].get(sweep.objective)
    return {
        f"Points of {sweep.points:,}": f"{sweep.done:,}",
        "Failed, pruned": f"{sweep.failed:,}, {sweep.pruned:,}",
        f"Best {name_of(sweep.objective)}": figure_of(sweep.objective, best),
        f"Deflated Sharpe, {tries_of(verdict.tries)}": NONE if left is None else _percent(left.probability),
        "Out-of-sample Sharpe": _ratio(verdict.out_of_sample_sharpe),
        "Probability of overfitting": _percent(verdict.overfitting),
    }


def _chosen(search: Search, parameters: Mapping[str, Any]) -> str:
    return parameters_of({name: value for name, value in parameters.items() if name in search.sweep.space})


def _comparable(search: Search, part: Any, column: FloatArray) -> FloatArray:
    return column if part.folds_seen == search.sweep.folds else np.full(len(part), np.nan)


def _joined(columns: list[FloatArray]) -> FloatArray:
    return np.concatenate(columns) if columns else np.empty(0)


def _padded(scores: list[FloatArray], folds: int) -> FloatArray:
    """(N, folds), NaN in folds that were not tried."""
    wide = [np.pad(each, ((0, 0), (0, folds - each.shape[1])), constant_values=np.nan) for each in scores]
    return np.concatenate(wide) if wide else np.empty((0, folds))


def _range(given: Any) -> str:
    if isinstance(given, Mapping):
        return f"{given['low']:g} to {given['high']:g}"
    return f"of {len(given)} values" if len(given) > 8 else " | ".join(str(each) for each in given)


def _ratio(value: float) -> str:
    return NONE if isnan(value) else f"{value:.2f}"


def _percent(value: float) -> str:
    return NONE if isnan(value) else f"{value:.1%}"
