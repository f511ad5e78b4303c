"""What everything was worth: equity with its trades, and below it how far under the highest so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from omc.backtest.curves import thinned
from omc.backtest.tearsheet.plot import (
    GRAY,
    GREEN,
    PALETTE,
    RED,
    Figure,
    Trace,
    axis,
    figure,
    instants,
    numbers,
    switch,
)
from omc.feature.frame import FloatArray, TimeArray, as_datetime64
from omc.trading.fill import Fill, Side

MOST_POINTS = 2_000
_MOST_MARKED = 2_000
BENCHMARK = "buy and hold"


@dataclass(frozen=True, slots=True)
class Curve:
    """(T,) times in UTC, and what everything was worth at each in AUD."""

    times: TimeArray
    aud: FloatArray


def drawdown(aud: FloatArray) -> FloatArray:
    """(T,) fractions below the highest so far: 0, or negative; NaN where nothing is known."""
    high = np.fmax.accumulate(aud) if len(aud) else aud
    below: FloatArray = np.where(high > 0, aud / np.where(high > 0, high, 1.0) - 1.0, np.nan)
    return below


def equity_chart(curves: Mapping[str, Curve], trades: Sequence[Fill]) -> Figure:
    """Each of `curves` and its drawdown; `trades` are marked on the first. A switch makes the scale logarithmic."""
    traces: list[Trace] = []
    for at, (name, curve) in enumerate(curves.items()):
        color = GRAY if name == BENCHMARK else PALETTE[at % len(PALETTE)]
        # Curves that agree lie on each other: the later ones are thin and dashed, so that both are seen.
        dash = "solid" if at == 0 or name == BENCHMARK else "dash"
        line = {"color": color, "width": 1.8 if at == 0 else 1.2, "dash": dash}
        traces.append(_line(curve, curve.aud, name=name, line=line, legendgroup=name, hovertemplate="A$%{y:,.2f}"))
        below = drawdown(curve.aud)
        filled = {"fill": "tozeroy", "fillcolor": "rgba(31,111,235,0.18)"} if at == 0 else {}
        under = {"yaxis": "y2", "showlegend": False, "hovertemplate": "%{y:.2%}", **filled}
        traces.append(_line(curve, below, name=name, line={**line, "width": 1}, legendgroup=name, **under))
    traces += _marks(next(iter(curves.values())), trades[:_MOST_MARKED])
    return figure(
        traces,
        560,
        hovermode="x unified",
        xaxis=axis("UTC", type="date", anchor="y2"),
        yaxis=axis("equity, A$", domain=[0.34, 1.0], tickformat=",~r"),
        yaxis2=axis("drawdown", domain=[0.0, 0.27], tickformat=".0%"),
        updatemenus=[switch({"linear": [{"yaxis.type": "linear"}], "log": [{"yaxis.type": "log"}]})],
    )


def _line(curve: Curve, values: FloatArray, **look: object) -> Trace:
    shown = thinned(values, MOST_POINTS)
    points = {"x": instants(curve.times[shown]), "y": numbers(values[shown])}
    return {"type": "scatter", "mode": "lines", **points, **look}


def _marks(curve: Curve, trades: Sequence[Fill]) -> list[Trace]:
    """Triangles on `curve`: up for a purchase, down for a sale."""
    marks: list[Trace] = []
    for side, symbol, color in ((Side.BUY, "triangle-up", GREEN), (Side.SELL, "triangle-down", RED)):
        times = np.array([as_datetime64(each.executed_at) for each in trades if each.side is side], "datetime64[us]")
        if not len(times):
            continue
        at = np.clip(np.searchsorted(curve.times, times), 0, len(curve.times) - 1)
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": side.value,
                "x": instants(times),
                "y": numbers(curve.aud[at]),
                "marker": {"symbol": symbol, "size": 6, "color": color, "opacity": 0.6},
                "hoverinfo": "skip",
                # Most look at the curve first.
                "visible": True if len(trades) <= 200 else "legendonly",
            }
        )
    return marks
