"""How good a simulated past was: one pure function a measure, and all of them together.

`equity` is (T,) float64 in AUD, the first value being what it started with; `returns` are the T - 1 fractions gained
from one bar to the next, in which NaN is a bar that is not counted. Fractions, not percents. A year has 365 days of
trading. What does not exist is NaN, never infinity: a flat curve has no ratio, a curve that never fell no Calmar.
Formulas as in empyrical-reloaded; Sharpe 1994, Sortino and van der Meer 1991, Young 1991 (Calmar), Keating and Shadwick
2002 (omega). Measures of trades are in `trips`, of falls in `drawdown`, of the spread of returns in
`distribution`, beside a benchmark in `relative`.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite, sqrt

import numba
import numpy as np
from numpy.typing import NDArray

from omc.backtest import drawdown, trips
from omc.backtest.benchmark import buy_and_hold
from omc.backtest.cost import Costs
from omc.backtest.distribution import NOTHING, counted, expected_shortfall, kurtosis, skewness, value_at_risk
from omc.backtest.drawdown import max_drawdown as max_drawdown
from omc.backtest.kernel import Simulation
from omc.backtest.one_pass import CurveSums, curve_sums
from omc.backtest.relative import alpha, beta
from omc.feature.frame import FloatArray, Frame

YEAR_S = 365 * 24 * 3600
NAN = float("nan")

METRICS = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "profit_factor",
    "win_rate",
    "turnover",
    "fees_aud",
    "exposure",
    "trades",
    "skewness",
    "kurtosis",
    "bars",
)
"""What `figures` tells, by name; more is better of each but volatility, turnover, fees_aud, exposure, trades, kurtosis
and bars."""


def figures(simulation: Simulation, costs: Costs, bar_s: float) -> dict[str, float | None]:
    """METRICS of a simulation whose bars are `bar_s` seconds long, in their order; None for what does not exist."""
    return figures_and_moments(simulation, costs, bar_s, bounds(len(simulation.equity), 1))[0]


def figures_and_moments(
    simulation: Simulation, costs: Costs, bar_s: float, edges: NDArray[np.int64]
) -> tuple[dict[str, float | None], FloatArray]:
    """`figures` and `moments`, of one pass over the curve. ValueError when the blocks do not hold every row."""
    equity, cash, trades = simulation.equity, simulation.cash, simulation.trades
    if edges[0] != 0 or edges[-1] != len(equity):
        raise ValueError(f"blocks hold rows {edges[0]} to {edges[-1]} of a curve of {len(equity)}")
    bars_per_year = YEAR_S / bar_s
    sums = curve_sums(equity, cash, edges)
    traded, paid = trips.trade_sums(trades, costs.fee_bps)
    made = trips.round_trips(trades, len(simulation.holdings))
    won, earned, lost = trips.trip_sums(made)
    of_curve = _of_curve(equity, cash, bars_per_year) if sums is None else _of_sums(equity, sums, bars_per_year)
    mean_equity = (sums.equity if sums else equity.sum()) / max(len(equity), 1)
    known = {
        **of_curve,
        "profit_factor": earned / lost if lost > 0 else NAN,
        "win_rate": won / len(made) if len(made) else NAN,
        "turnover": traded / mean_equity if mean_equity > 0 else NAN,
        "fees_aud": paid,
        "trades": float(len(trades)),
        "bars": float(len(equity)),
    }
    shown = _shown({name: known[name] for name in METRICS})
    return shown, moments(equity, edges) if sums is None else sums.moments


def summary(simulation: Simulation, window: Frame, costs: Costs, bar_s: float) -> dict[str, float | None]:
    """`figures` and everything else that a backtest on `window` is reported with; None for what does not exist.

    The benchmark buys the same coins with the same cash, in equal parts, and holds them.
    """
    equity, trades = simulation.equity, simulation.trades
    gained, bars_per_year = returns(equity), YEAR_S / bar_s
    made = trips.round_trips(trades, len(simulation.holdings))
    held = buy_and_hold(window, float(equity[0]), costs.fee_bps.tolist())
    market, fall = returns(held), drawdown.deepest(equity)
    return figures(simulation, costs, bar_s) | _shown(
        {
            "annual_return": annual_return(gained, bars_per_year),
            "downside_risk": downside_risk(gained, bars_per_year),
            "omega": omega(gained),
            "drawdown_bars": float(fall.length_bars) if fall else NAN,
            "recovery_bars": fall.recovery_bars if fall else NAN,
            "longest_drawdown_bars": float(drawdown.longest(equity)),
            "ulcer_index": drawdown.ulcer_index(equity),
            "value_at_risk": value_at_risk(gained),
            "expected_shortfall": expected_shortfall(gained),
            "round_trips": float(len(made)),
            "expectancy": trips.expectancy(made),
            "payoff": trips.payoff(made),
            "sqn": trips.sqn(made),
            "kelly": trips.kelly(made),
            "average_holding_bars": trips.average_holding(made),
            "spread_aud": trips.spread(trades, window),
            "slippage_aud": trips.slippage(trades, window),
            "benchmark_return": total_return(held),
            "benchmark_sharpe": sharpe(market, bars_per_year),
            "benchmark_max_drawdown": max_drawdown(held),
            "alpha": alpha(gained, market, bars_per_year),
            "beta": beta(gained, market),
        }
    )


def bounds(rows: int, parts: int) -> NDArray[np.int64]:
    """(parts + 1,) edges of that many blocks of `rows`, as equal as whole rows allow."""
    return np.arange(parts + 1, dtype=np.int64) * rows // parts


def moments(equity: FloatArray, edges: NDArray[np.int64]) -> FloatArray:
    """(B, 3): count, sum and sum of squares of the returns made in each of B blocks; block b holds rows edges[b] to
    edges[b + 1], and a return belongs to the row that it was made in."""
    sums = curve_sums(equity, equity, edges)
    if sums is not None:
        return sums.moments
    made = np.concatenate([[np.nan], returns(equity)])
    blocks = [made[start:end] for start, end in pairwise(edges)]
    return np.array([[(~np.isnan(each)).sum(), np.nansum(each), np.nansum(each**2)] for each in blocks], float)


def _shown(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if isfinite(value) else None for name, value in values.items()}


def _of_curve(equity: FloatArray, cash: FloatArray, bars_per_year: float) -> dict[str, float]:
    """What the curve says, measure by measure."""
    gained = returns(equity)
    return {
        "total_return": total_return(equity),
        "cagr": cagr(equity, bars_per_year),
        "volatility": volatility(gained, bars_per_year),
        "sharpe": sharpe(gained, bars_per_year),
        "sortino": sortino(gained, bars_per_year),
        "calmar": calmar(equity, bars_per_year),
        "max_drawdown": max_drawdown(equity),
        "exposure": exposure(equity, cash),
        "skewness": skewness(gained),
        "kurtosis": kurtosis(gained),
    }


def _of_sums(equity: FloatArray, sums: CurveSums, bars_per_year: float) -> dict[str, float]:
    """The same, from the sums of one pass."""
    n, (s1, s2, s3, s4), year = sums.count, sums.powers, sqrt(bars_per_year)
    off = s1 / n if n else NAN
    mean, growth = sums.shift + off, cagr(equity, bars_per_year)
    second = s2 - s1 * off
    varies = n > 1 and second > 0
    deviation = sqrt(second / (n - 1)) if varies else 0.0 if n > 1 else NAN
    downside = sqrt(sums.losses / n) if n else NAN
    third = s3 - 3 * off * s2 + 2 * off * off * s1
    fourth = s4 - 4 * off * s3 + 6 * off * off * s2 - 3 * off**3 * s1
    ratio = deviation > NOTHING
    return {
        "total_return": total_return(equity),
        "cagr": growth,
        "volatility": deviation * year,
        "sharpe": mean / deviation * year if ratio else NAN,
        "sortino": mean / downside * year if downside > NOTHING else NAN,
        "calmar": growth / -sums.deepest if sums.deepest < 0 else NAN,
        "max_drawdown": sums.deepest,
        "exposure": 1 - sums.idle / len(equity),
        "skewness": (third / n) / (second / n) ** 1.5 if ratio else NAN,
        "kurtosis": n * fourth / second**2 if ratio else NAN,
    }


@numba.njit(cache=True, nogil=True)
def returns(equity: FloatArray) -> FloatArray:
    """(T - 1,) fractions gained; NaN after a bar at which nothing was left."""
    gained = np.full(max(equity.shape[0] - 1, 0), np.nan)
    for t in range(gained.shape[0]):
        if equity[t] > 0.0:
            gained[t] = (equity[t + 1] - equity[t]) / equity[t]
    return gained


def total_return(equity: FloatArray) -> float:
    """The fraction gained from the first bar to the last; NaN without two bars."""
    return float(equity[-1] / equity[0] - 1) if len(equity) > 1 and equity[0] > 0 else NAN


def cagr(equity: FloatArray, bars_per_year: float) -> float:
    """The fraction that, gained every year, makes the total return; NaN without two bars, or beyond a float64."""
    if len(equity) < 2 or not equity[0] > 0 or equity[-1] < 0:
        return NAN
    with np.errstate(over="ignore"):
        growth = np.float64(equity[-1] / equity[0]) ** (bars_per_year / (len(equity) - 1)) - 1
    return float(growth) if np.isfinite(growth) else NAN


def annual_return(returns: FloatArray, bars_per_year: float) -> float:
    """The mean return times the bars of a year: the numerator of Sharpe. (empyrical's annual_return is `cagr`.) NaN
    without a return."""
    known = counted(returns)
    return float(known.mean() * bars_per_year) if len(known) else NAN


@numba.njit(cache=True, nogil=True)
def _mean_and_deviation(returns: FloatArray) -> tuple[float, float]:
    """Mean and sample deviation (ddof 1), NaN left out; the deviation is NaN with fewer than two."""
    count, total = 0, 0.0
    for gained in returns:
        if not np.isnan(gained):
            count += 1
            total += gained
    if count < 2:
        return (total if count else np.nan), np.nan
    mean, squares = total / count, 0.0
    for gained in returns:
        if not np.isnan(gained):
            squares += (gained - mean) ** 2
    return mean, np.sqrt(squares / (count - 1))


def volatility(returns: FloatArray, bars_per_year: float) -> float:
    """Annualized sample deviation of the returns; NaN with fewer than two."""
    return float(_mean_and_deviation(returns)[1] * np.sqrt(bars_per_year))


def sharpe(returns: FloatArray, bars_per_year: float) -> float:
    """Annualized mean over sample deviation, against a risk-free rate of zero; NaN with fewer than two returns, or when
    they never vary."""
    mean, deviation = _mean_and_deviation(returns)
    return float(mean / deviation * np.sqrt(bars_per_year)) if deviation > NOTHING else NAN


def sortino(returns: FloatArray, bars_per_year: float) -> float:
    """Annualized mean over downside deviation below zero; NaN without a loss."""
    downside = downside_risk(returns, 1.0)
    mean = _mean_and_deviation(returns)[0]
    return float(mean / downside * np.sqrt(bars_per_year)) if downside > NOTHING else NAN


def downside_risk(returns: FloatArray, bars_per_year: float) -> float:
    """Annualized root mean square of the losses, gains counted as zero; NaN without a return."""
    known = counted(returns)
    return float(np.sqrt((np.minimum(known, 0.0) ** 2).mean() * bars_per_year)) if len(known) else NAN


def omega(returns: FloatArray) -> float:
    """The sum of gains over the sum of losses; NaN without a loss."""
    known = counted(returns)
    lost = -known[known < 0].sum()
    return float(known[known > 0].sum() / lost) if lost > 0 else NAN


def calmar(equity: FloatArray, bars_per_year: float) -> float:
    """CAGR over the depth of the deepest fall; NaN for a curve that never fell."""
    depth = -max_drawdown(equity)
    return cagr(equity, bars_per_year) / depth if depth > 0 else NAN


def exposure(equity: FloatArray, cash: FloatArray) -> float:
    """The mean part of equity that was held in coins; NaN without a bar, or with nothing left."""
    return float(1 - (cash / equity).mean()) if len(equity) and (equity > 0).all() else NAN
