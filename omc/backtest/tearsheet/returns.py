"""Returns as they came: month by month, and the Sharpe ratio of the last while."""

import numpy as np

from omc.backtest.curves import thinned
from omc.backtest.metrics import YEAR_S
from omc.backtest.tearsheet.equity import MOST_POINTS
from omc.backtest.tearsheet.plot import BLUE, DIVERGING, Figure, axis, figure, instants, numbers
from omc.feature.frame import FloatArray, TimeArray

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def monthly_returns(times: TimeArray, aud: FloatArray) -> tuple[list[int], FloatArray]:
    """Years (Y,), and (Y, 13) fractions gained in each month and, last, in the whole year; NaN for a month without a
    bar. A month begins with what the one before it ended with."""
    month = times.astype("datetime64[M]").astype(np.int64)
    ends = np.append(np.flatnonzero(np.diff(month)), len(times) - 1)
    worth = np.concatenate([aud[:1], aud[ends]])
    gained = worth[1:] / worth[:-1] - 1
    years, months = month[ends] // 12 + 1970, month[ends] % 12
    rows = sorted({int(year) for year in years})
    grid = np.full((len(rows), 13), np.nan)
    for year, at, fraction in zip(years, months, gained, strict=True):
        row = rows.index(int(year))
        grid[row, at] = fraction
        whole = grid[row, 12]
        grid[row, 12] = (1 + (0.0 if np.isnan(whole) else whole)) * (1 + fraction) - 1
    return rows, grid


def monthly_chart(times: TimeArray, aud: FloatArray) -> Figure | None:
    """A heat map, a row a year; None without two bars."""
    if len(times) < 2:
        return None
    years, grid = monthly_returns(times, aud)
    most = max(float(np.nanmax(np.abs(grid[:, :12]))), 0.01)
    cells = [["" if np.isnan(cell) else f"{cell:.1%}" for cell in row] for row in grid]
    heat = {
        "type": "heatmap",
        "x": [*_MONTHS, "Year"],
        "y": [str(year) for year in years],
        "z": [[None if np.isnan(cell) else float(cell) for cell in row] for row in grid],
        "zmin": -most,
        "zmax": most,
        "colorscale": DIVERGING,
        "text": cells,
        "texttemplate": "%{text}",
        "hovertemplate": "%{x} %{y}: %{z:.2%}<extra></extra>",
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    return figure(
        [heat],
        90 + 34 * len(years),
        margin={"l": 64, "r": 16, "t": 30, "b": 8},
        xaxis=axis(type="category", side="top", showgrid=False, fixedrange=True),
        yaxis=axis(type="category", autorange="reversed", showgrid=False, fixedrange=True),
    )


def rolling_sharpe(aud: FloatArray, bars: int, bars_per_year: float) -> FloatArray:
    """(T,) the annualized Sharpe ratio of the `bars` returns up to each bar; NaN before there are so many, and where
    they never vary."""
    ratio = np.full(len(aud), np.nan)
    if len(aud) <= bars or bars < 2:
        return ratio
    gained = np.diff(aud) / aud[:-1]
    # Sums of what is left after the mean are small, so that their differences keep their digits.
    level = gained.mean()
    first = np.concatenate([[0.0], np.cumsum(gained - level)])
    second = np.concatenate([[0.0], np.cumsum((gained - level) ** 2)])
    total, squares = first[bars:] - first[:-bars], second[bars:] - second[:-bars]
    variance = (squares - total**2 / bars) / (bars - 1)
    deviation = np.sqrt(np.where(variance > 1e-18, variance, np.nan))
    ratio[bars:] = (total / bars + level) / deviation * np.sqrt(bars_per_year)
    return ratio


def rolling_chart(times: TimeArray, aud: FloatArray, bar_s: float) -> tuple[str, Figure] | None:
    """Over the last 30 days, or over a quarter of a shorter window; with which of them in words. None for a window too
    short to say."""
    bars = min(round(30 * 86_400 / bar_s), len(aud) // 4) if bar_s > 0 else 0
    if bars < 10:
        return None
    ratio = rolling_sharpe(aud, bars, YEAR_S / bar_s)
    shown = bars + thinned(ratio[bars:], MOST_POINTS)
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": instants(times[shown]),
        "y": numbers(ratio[shown]),
        "line": {"color": BLUE, "width": 1.4},
        "hovertemplate": "%{x}: %{y:.2f}<extra></extra>",
    }
    days = bars * bar_s / 86_400
    return f"Of the last {days:.3g} days at each moment, annualized.", figure(
        [line], 260, xaxis=axis("UTC", type="date"), yaxis=axis("Sharpe ratio"), showlegend=False
    )
