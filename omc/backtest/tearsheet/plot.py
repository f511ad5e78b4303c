"""A chart as plotly's JSON: traces and a layout in plain values, drawn by the page that holds them."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omc.feature.frame import TimeArray

Figure = dict[str, Any]
Trace = dict[str, Any]

BLUE, ORANGE, GREEN, RED, PURPLE, GRAY = "#1f6feb", "#d1571e", "#2e8b57", "#c0392b", "#7a4fb5", "#8a94a3"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, "#b8860b", "#0f8b8d", "#c2185b", "#5d6d7e")
DIVERGING = [[0.0, "#b2362b"], [0.25, "#ec9a86"], [0.5, "#f7f7f5"], [0.75, "#8fc7a0"], [1.0, "#1d7a46"]]
RISING = [[0.0, "#f2f5fb"], [0.25, "#b9cdf0"], [0.5, "#6f9ae2"], [0.75, "#2f6bc9"], [1.0, "#12356b"]]
_GRID, _INK = "#e9edf3", "#1c2330"


def numbers(values: ArrayLike) -> dict[str, str]:
    """Any numbers as plotly reads them without loss: NaN is a gap."""
    return {"dtype": "f8", "bdata": base64.b64encode(np.ascontiguousarray(values, "<f8").tobytes()).decode()}


def instants(times: TimeArray) -> dict[str, str]:
    """(T,) times for an axis of dates."""
    return numbers(times.astype("datetime64[us]").astype(np.int64) / 1_000)


def figure(traces: Sequence[Trace], height: int, **layout: Any) -> Figure:
    """`traces` drawn `height` pixels high in the house's look; `layout` has the last word."""
    return {"data": list(traces), "layout": {**_LAYOUT, "height": height, **layout}}


def axis(title: str = "", **options: Any) -> dict[str, Any]:
    look = {"gridcolor": _GRID, "zerolinecolor": "#c9d1dc", "linecolor": "#c9d1dc", "automargin": True}
    return {**look, **({"title": {"text": title, "standoff": 8}} if title else {}), **options}


def switch(
    labels: Mapping[str, Sequence[Any]], *, method: str = "relayout", x: float = 1.0, pad_right: int = 150
) -> dict[str, Any]:
    """Buttons in a row above the chart, each with the arguments of plotly's `method`; the first is pressed. They end
    `pad_right` pixels before `x`, because plotly's own are there."""
    return {
        "type": "buttons",
        "direction": "right",
        "buttons": [{"label": label, "method": method, "args": list(args)} for label, args in labels.items()],
        "x": x,
        "xanchor": "right",
        "y": 1.0,
        "yanchor": "bottom",
        "pad": {"b": 6, "t": 0, "r": pad_right},
        "showactive": True,
        "bgcolor": "#f5f7fa",
        "bordercolor": "#d5dbe4",
        "font": {"size": 11},
    }


def menu(labels: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """A list to choose from above the chart; the first is chosen."""
    return {
        **switch(labels, method="update", x=0.0, pad_right=0),
        "type": "dropdown",
        "direction": "down",
        "xanchor": "left",
    }


_LAYOUT: dict[str, Any] = {
    "font": {"family": "system-ui, sans-serif", "size": 12, "color": _INK},
    "paper_bgcolor": "#fff",
    "plot_bgcolor": "#fff",
    "margin": {"l": 64, "r": 16, "t": 36, "b": 40},
    "hovermode": "closest",
    "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
    "colorway": list(PALETTE),
    "xaxis": axis(),
    "yaxis": axis(),
}
