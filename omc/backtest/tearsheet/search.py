"""A search over parameters in pictures: where the good ones are, and whether that is a place or a point."""

from collections.abc import Sequence

import numpy as np

from omc.backtest.tearsheet.axes import Axis, importance
from omc.backtest.tearsheet.plot import (
    BLUE,
    GRAY,
    ORANGE,
    PALETTE,
    PURPLE,
    RED,
    RISING,
    Figure,
    Trace,
    axis,
    figure,
    numbers,
)
from omc.feature.frame import FloatArray

_MOST_LINES = 300
_MOST_AXES = 8
_MOST_FOLLOWED = 5
_BEST_LINES = 60
# From the worst sixth to the best.
_SHADES = ("#d5dbe4", "#bccbe6", "#94b3ea", "#5f8fe3", "#2f6bc9", "#c2410c")


def heat_chart(axes: Sequence[Axis], scores: FloatArray, objective: str) -> Figure | None:
    """The mean score of the points at each pair of values of the two most important parameters; of one, a bar each."""
    known = ~np.isnan(scores)
    if not axes or not known.any():
        return None
    if len(axes) == 1:
        return _bars(axes[0], scores, objective)
    across, up = axes[0], axes[1]
    shape = (len(up.labels), len(across.labels))
    cells = up.bins[known] * shape[1] + across.bins[known]
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    sums = np.bincount(cells, scores[known], shape[0] * shape[1]).reshape(shape)
    with np.errstate(invalid="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    heat = {
        "type": "heatmap",
        "x": list(across.labels),
        "y": list(up.labels),
        "z": [[None if np.isnan(cell) else float(cell) for cell in row] for row in means],
        "customdata": counts.tolist(),
        "colorscale": RISING,
        "colorbar": {"title": {"text": objective, "side": "right"}, "thickness": 12, "outlinewidth": 0},
        "hovertemplate": f"{across.name} %{{x}}, {up.name} %{{y}}: %{{z:.4g}} "
        "(mean of %{customdata:,} points)<extra></extra>",
        "xgap": 1,
        "ygap": 1,
    }
    if means.size <= 200:
        heat |= {"text": [["" if np.isnan(cell) else f"{cell:.2f}" for cell in row] for row in means]}
        heat |= {"texttemplate": "%{text}"}
    titles = [f"{each.name} (explains {importance(each, scores):.0%})" for each in (across, up)]
    return figure(
        [heat],
        min(720, 170 + 30 * shape[0]),
        margin={"l": 64, "r": 16, "t": 16, "b": 40},
        xaxis=axis(titles[0], type="category", showgrid=False, fixedrange=True),
        yaxis=axis(titles[1], type="category", showgrid=False, fixedrange=True),
    )


def _bars(only: Axis, scores: FloatArray, objective: str) -> Figure:
    known = ~np.isnan(scores)
    counts = np.bincount(only.bins[known], minlength=len(only.labels))
    means = np.bincount(only.bins[known], scores[known], len(only.labels)) / np.maximum(counts, 1)
    shown = [float(mean) if count else None for mean, count in zip(means, counts, strict=True)]
    bar = {"type": "bar", "x": list(only.labels), "y": shown, "marker": {"color": BLUE}}
    return figure(
        [bar],
        320,
        xaxis=axis(only.name, type="category", fixedrange=True),
        yaxis=axis(f"mean {objective}", fixedrange=True),
    )


def lines_chart(axes: Sequence[Axis], scores: FloatArray, objective: str) -> Figure | None:
    """Parallel coordinates: each point a line through its parameters to its score, the best drawn last. Of many points
    the best, and an even choice by rank of the rest."""
    known = np.flatnonzero(~np.isnan(scores))
    if not axes or len(known) < 2:
        return None
    ranked = known[np.argsort(scores[known], kind="stable")]
    if len(ranked) > _MOST_LINES:
        rest = np.linspace(0, len(ranked) - _BEST_LINES - 1, _MOST_LINES - _BEST_LINES).round().astype(np.int64)
        ranked = np.concatenate([ranked[np.unique(rest)], ranked[-_BEST_LINES:]])
    drawn = [*axes[:_MOST_AXES], Axis.of(objective, scores[ranked].tolist())]
    places = np.column_stack([each.places[ranked] for each in drawn[:-1]] + [drawn[-1].places])
    traces: list[Trace] = []
    for shade, some in zip(_SHADES, np.array_split(np.arange(len(ranked)), len(_SHADES)), strict=True):
        if not len(some):
            continue
        # A gap after each line keeps a shade in one trace.
        height = np.column_stack([places[some], np.full(len(some), np.nan)]).ravel()
        words = [
            text
            for row in some
            for text in [*[_told(drawn, int(ranked[row]), float(scores[ranked[row]]))] * len(drawn), ""]
        ]
        best = shade == _SHADES[-1]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": numbers(np.tile(np.append(np.arange(len(drawn)), len(drawn) - 1), len(some)).astype(float)),
                "y": numbers(height),
                "text": words,
                "hovertemplate": "%{text}<extra></extra>",
                "line": {"color": shade, "width": 1.6 if best else 1},
                "opacity": 0.9 if best else 0.7,
                "showlegend": False,
            }
        )
    return figure(
        traces,
        400,
        margin={"l": 48, "r": 48, "t": 40, "b": 48},
        xaxis=axis(
            tickvals=list(range(len(drawn))),
            ticktext=[each.name for each in drawn],
            range=[-0.15, len(drawn) - 0.85],
            gridcolor="#8a94a3",
            zeroline=False,
            fixedrange=True,
        ),
        yaxis=axis(visible=False, range=[-0.08, 1.08], fixedrange=True),
        annotations=[
            {"x": at, "y": y, "text": text, "showarrow": False, "font": {"size": 11}, "bgcolor": "#fff"}
            for at, each in enumerate(drawn)
            for y, text in zip((-0.06, 1.06), each.ends, strict=True)
        ],
    )


def _told(drawn: Sequence[Axis], point: int, score: float) -> str:
    named = [f"{each.name} {each.values[point]}" for each in drawn[:-1]]
    return "<br>".join([f"{drawn[-1].name} {score:.4g}", *named])


def folds_chart(fold_scores: FloatArray, ranked: Sequence[int], objective: str) -> Figure | None:
    """Scores by fold: the spread of all points, (N, K), and the way of the few that rank first. None without folds."""
    folds = fold_scores.shape[1]
    if not folds or np.isnan(fold_scores).all():
        return None
    names = [f"fold {k + 1}" for k in range(folds)]
    kept = [column[~np.isnan(column)] for column in fold_scores.T]
    shares = np.array(
        [np.quantile(each, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(each) else [np.nan] * 5 for each in kept]
    )
    low, first, middle, third, high = shares.T
    box = {
        "type": "box",
        "name": "all points (5 % to 95 %)",
        "x": names,
        "lowerfence": numbers(low),
        "q1": numbers(first),
        "median": numbers(middle),
        "q3": numbers(third),
        "upperfence": numbers(high),
        "fillcolor": "#e4ebf7",
        "line": {"color": GRAY, "width": 1.2},
    }
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"no. {place + 1}",
            "x": names,
            "y": numbers(fold_scores[row]),
            "line": {"color": PALETTE[place % len(PALETTE)], "width": 1.6},
        }
        for place, row in enumerate(ranked[:_MOST_FOLLOWED])
    ]
    return figure([box, *lines], 380, xaxis=axis(type="category"), yaxis=axis(objective))


def scores_chart(scores: FloatArray, objective: str, *, chance: float = float("nan")) -> Figure | None:
    """How many points had which score, and where the best one is; `chance` is what the best of as many tries without
    any skill would have, NaN when that is not said."""
    known = scores[~np.isnan(scores)]
    if len(known) < 2:
        return None
    counts, edges = np.histogram(known, bins=min(60, max(8, int(np.sqrt(len(known))))))
    bars = {
        "type": "bar",
        "x": numbers((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": float(edges[1] - edges[0]),
        "marker": {"color": BLUE, "line": {"color": "#fff", "width": 1}},
        "hovertemplate": f"{objective} about %{{x:.3g}}: %{{y:,}} points<extra></extra>",
    }
    lines = {"best": (float(known.max()), ORANGE), "middle": (float(np.median(known)), PURPLE)}
    if not np.isnan(chance):
        lines["chance alone"] = (chance, RED)
    shapes = [
        {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": color, "width": 1.5}}
        for at, color in lines.values()
    ]
    left = (edges[0] + edges[-1]) / 2
    words = [
        {
            "x": at,
            "yref": "paper",
            "y": 1.0 + 0.07 * step,
            "xanchor": "left" if at < left else "right",
            "yanchor": "bottom",
            "showarrow": False,
            "text": f"{name} {at:.3g}",
            "font": {"color": color, "size": 11},
        }
        for step, (name, (at, color)) in enumerate(lines.items())
    ]
    return figure(
        [bars],
        320,
        margin={"l": 64, "r": 16, "t": 64, "b": 40},
        bargap=0,
        xaxis=axis(objective, fixedrange=True),
        yaxis=axis("points", fixedrange=True),
        shapes=shapes,
        annotations=words,
        showlegend=False,
    )
