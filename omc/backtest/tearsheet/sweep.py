"""The tear sheet of a sweep: where the good parameters are, and how much of it is chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omc.backtest.deflated import Deflated
from omc.backtest.tearsheet.axes import axes_of
from omc.backtest.tearsheet.figures import figure_of, name_of
from omc.backtest.tearsheet.page import Section, Verdict, facts, page, sentence, table, tiles
from omc.backtest.tearsheet.plot import Figure
from omc.backtest.tearsheet.search import folds_chart, heat_chart, lines_chart, scores_chart
from omc.feature.frame import FloatArray

_MOST_LISTED = 25
_SHOWN = ("sharpe", "total_return", "max_drawdown", "profit_factor", "trades")


@dataclass(frozen=True, slots=True)
class Search:
    """N points of a sweep: their parameters, of which those named in `searched` differ, their metrics by name, (N,) and
    NaN for none, and their scores by fold, (N, K). `headline` and `facts` are in words; `out_of_sample` is a line a
    fold: what was chosen before it, and what came of it."""

    objective: str
    searched: Sequence[str]
    indices: Sequence[int]
    parameters: Sequence[Mapping[str, Any]]
    metrics: Mapping[str, FloatArray]
    fold_scores: FloatArray
    headline: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str | float | int] = field(default_factory=dict)
    deflated: Deflated | None = None
    out_of_sample: Sequence[tuple[str, str, str, str]] = ()

    @property
    def scores(self) -> FloatArray:
        return self.metrics.get(self.objective, np.full(len(self.parameters), np.nan))

    def ranked(self) -> list[int]:
        """Rows with a score, best first, the lowest index among equals."""
        known = np.flatnonzero(~np.isnan(self.scores))
        order = np.lexsort((np.array(self.indices)[known], -self.scores[known]))
        return [int(row) for row in known[order]]


def sweep_sheet(title: str, search: Search, *, about: str = "", verdict: Verdict | None = None) -> str:
    """The whole page."""
    ranked, scores = search.ranked(), search.scores
    axes = axes_of(search.parameters, search.searched, scores) if ranked else []
    objective = search.objective.replace("_", " ")
    chance = search.deflated.threshold if search.deflated and search.objective == "sharpe" else float("nan")
    charts: list[tuple[str, str, Figure | None]] = [
        (
            "Where the good ones are",
            "The mean over all points at each pair of values of the two parameters that explain most of it. A broad "
            "high place is worth more than a single high point.",
            heat_chart(axes, scores, objective),
        ),
        (
            "Every parameter at once",
            "A line a point, from its parameters to its score; the best sixth in orange.",
            lines_chart(axes, scores, objective),
        ),
        (
            "Fold by fold",
            "What is good everywhere was not lucky once.",
            folds_chart(search.fold_scores, ranked, objective),
        ),
        ("How scores are spread", "", scores_chart(scores, objective, chance=chance)),
    ]
    luck = sentence(search.deflated.sentence() if search.deflated else "")
    sections = [
        Section("At a glance", tiles(search.headline) + luck),
        *(Section(name, charts=[(name, chart)], note=note) for name, note, chart in charts if chart is not None),
        Section("Out of sample", _out_of_sample(search)),
        Section(f"Best points ({min(len(ranked), _MOST_LISTED)} of {len(search.parameters):,})", _best(search, ranked)),
        Section("About", facts(search.facts)),
    ]
    return page(title, sections, about=about, verdict=verdict)


def _out_of_sample(search: Search) -> str:
    if not search.out_of_sample:
        return ""
    columns = ("Fold", "Chosen before it", "In sample", "Out of sample")
    return table("chosen", columns, search.out_of_sample, (False, False, True, True))


def _best(search: Search, ranked: Sequence[int]) -> str:
    if not ranked:
        return "<p>No point has a score.</p>"
    shown = list(dict.fromkeys([search.objective, *(name for name in _SHOWN if name in search.metrics)]))
    columns = ["Rank", "Point", *map(name_of, shown), *search.searched]
    rows = [
        [
            str(place + 1),
            str(search.indices[row]),
            *(_cell(name, float(search.metrics[name][row])) for name in shown),
            *(f"{search.parameters[row].get(name)}" for name in search.searched),
        ]
        for place, row in enumerate(ranked[:_MOST_LISTED])
    ]
    return table("point", columns, rows, [True] * len(columns))


def _cell(name: str, value: float) -> str:
    return figure_of(name, None if np.isnan(value) else value)
