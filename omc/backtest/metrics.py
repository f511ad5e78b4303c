"""How good a simulated past was: one pure function a measure.

`equity` is (T,) float64 in AUD, the first value being what it started with; `returns` are the T - 1 fractions gained
from one bar to the next, in which NaN is a bar that is not counted. Fractions, not percents. A year has 365 days of
trading. What does not exist is NaN, never infinity: a flat curve has no ratio, a curve that never fell no Calmar.
Formulas as in empyrical-reloaded; Sharpe 1994, Sortino and van der Meer 1991, Young 1991 (Calmar).
"""

from math import isfinite

import numba
import numpy as np
from numpy.typing import NDArray

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, Simulation
from omc.feature.frame import FloatArray
from omc.market.terms import BPS

YEAR_S = 365 * 24 * 3600
NAN = float("nan")
# Returns computed from a curve that grows by one fraction differ in their last bits; that is not deviation.
_NOTHING = 1e-14
_UNITS = 100_000_000

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
)
"""What `summary` tells, by name; more is better of each but volatility, turnover, fees_aud, exposure and trades."""


def summary(simulation: Simulation, costs: Costs, bar_s: float) -> dict[str, float | None]:
    """Every metric of a simulation whose bars are `bar_s` seconds long; None for one that does not exist."""
    equity, trades = simulation.equity, simulation.trades
    gained, bars_per_year = returns(equity), YEAR_S / bar_s
    trips = round_trips(trades, len(simulation.holdings))
    values = (
        total_return(equity),
        cagr(equity, bars_per_year),
        volatility(gained, bars_per_year),
        sharpe(gained, bars_per_year),
        sortino(gained, bars_per_year),
        calmar(equity, bars_per_year),
        max_drawdown(equity),
        profit_factor(trips),
        win_rate(trips),
        turnover(trades, equity),
        fees(trades, costs),
        exposure(equity, simulation.cash),
        float(len(trades)),
    )
    return {name: float(value) if isfinite(value) else None for name, value in zip(METRICS, values, strict=True)}


@numba.njit(cache=True, nogil=True)
def returns(equity: FloatArray) -> FloatArray:
    """(T - 1,) fractions gained; NaN after a bar at which nothing was left."""
    gained = np.full(max(equity.shape[0] - 1, 0), np.nan)
    for t in range(gained.shape[0]):
        if equity[t] > 0.0:
            gained[t] = equity[t + 1] / equity[t] - 1.0
    return gained


def total_return(equity: FloatArray) -> float:
    """The fraction gained from the first bar to the last; NaN without two bars."""
    return float(equity[-1] / equity[0] - 1) if len(equity) > 1 and equity[0] > 0 else NAN


def cagr(equity: FloatArray, bars_per_year: float) -> float:
    """The fraction that, gained every year, makes the total return; NaN without two bars, or beyond a float64."""
    if len(equity) < 2 or not equity[0] > 0:
        return NAN
    with np.errstate(over="ignore"):
        growth = np.float64(equity[-1] / equity[0]) ** (bars_per_year / (len(equity) - 1)) - 1
    return float(growth) if np.isfinite(growth) else NAN


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
    return float(mean / deviation * np.sqrt(bars_per_year)) if deviation > _NOTHING else NAN


@numba.njit(cache=True, nogil=True)
def _mean_and_downside(returns: FloatArray) -> tuple[float, float]:
    """Mean, and root mean square of the losses with gains counted as zero; NaN left out, NaN for none."""
    count, total, squares = 0, 0.0, 0.0
    for gained in returns:
        if not np.isnan(gained):
            count += 1
            total += gained
            squares += min(gained, 0.0) ** 2
    return (total / count, np.sqrt(squares / count)) if count else (np.nan, np.nan)


def sortino(returns: FloatArray, bars_per_year: float) -> float:
    """Annualized mean over downside deviation below zero; NaN without a loss."""
    mean, downside = _mean_and_downside(returns)
    return float(mean / downside * np.sqrt(bars_per_year)) if downside > _NOTHING else NAN


@numba.njit(cache=True, nogil=True)
def max_drawdown(equity: FloatArray) -> float:
    """The deepest fall below an earlier high, as a fraction of that high: 0, or negative; NaN without a bar."""
    deepest = 0.0 if equity.shape[0] else np.nan
    high = 0.0
    for value in equity:
        high = max(high, value)
        if high > 0.0:
            deepest = min(deepest, value / high - 1.0)
    return deepest


def calmar(equity: FloatArray, bars_per_year: float) -> float:
    """CAGR over the depth of the deepest fall; NaN for a curve that never fell."""
    depth = -max_drawdown(equity)
    return cagr(equity, bars_per_year) / depth if depth > 0 else NAN


@numba.njit(cache=True, nogil=True)
def round_trips(trades: NDArray[np.void], coins: int) -> FloatArray:
    """(K, 2) AUD paid and AUD got back, fees included, from each coin's first purchase until none was left.

    In order of their ends; what is still held at the end is no round trip.
    """
    units, paid, got = np.zeros(coins, np.int64), np.zeros(coins), np.zeros(coins)
    trips, made = np.empty((trades.shape[0], 2)), 0
    for i in range(trades.shape[0]):
        c = trades[i].coin
        quantity = np.int64(np.rint(trades[i].quantity * _UNITS))
        if trades[i].side == BUY:
            units[c] += quantity
            paid[c] += trades[i].total_aud
            continue
        units[c] -= quantity
        got[c] += trades[i].total_aud
        if units[c] == 0:
            trips[made, 0], trips[made, 1] = paid[c], got[c]
            made += 1
            paid[c], got[c] = 0.0, 0.0
    return trips[:made]


def win_rate(trips: FloatArray) -> float:
    """The part of round trips that earned something; NaN without any."""
    return float((trips[:, 1] > trips[:, 0]).mean()) if len(trips) else NAN


def profit_factor(trips: FloatArray) -> float:
    """AUD that the winning round trips earned, over AUD that the losing ones lost; NaN when none lost."""
    earned = trips[:, 1] - trips[:, 0]
    lost = -earned[earned < 0].sum()
    return float(earned[earned > 0].sum() / lost) if lost > 0 else NAN


def turnover(trades: NDArray[np.void], equity: FloatArray) -> float:
    """AUD moved by all trades, as a multiple of the mean equity; NaN without a bar."""
    return float(trades["total_aud"].sum() / equity.mean()) if len(equity) and equity.mean() > 0 else NAN


def fees(trades: NDArray[np.void], costs: Costs) -> float:
    """AUD of all fees: inside the total of a buy, off the value of a sale."""
    bps = costs.fee_bps[trades["coin"]]
    bought = trades["total_aud"] * bps / (BPS + bps)
    sold = trades["quantity"] * trades["price_aud"] * bps / BPS
    return float(np.where(trades["side"] == BUY, bought, sold).sum())


def exposure(equity: FloatArray, cash: FloatArray) -> float:
    """The mean part of equity that was held in coins; NaN without a bar, or with nothing left."""
    return float(1 - (cash / equity).mean()) if len(equity) and (equity > 0).all() else NAN
