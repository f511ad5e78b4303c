"""Return series in percent, and the figures that other libraries give for them: against `omc.backtest.metrics`."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from omc.backtest import distribution, metrics

Outcome = tuple[str, str | None]
NAN = float("nan")
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray, float], float]] = {
    "cum_returns_final": lambda equity, _, __: metrics.total_return(equity),
    "total_return": lambda equity, _, __: metrics.total_return(equity),
    "max_drawdown": lambda equity, _, __: metrics.max_drawdown(equity),
    "annual_return": lambda equity, _, periods: metrics.cagr(equity, periods),
    "cagr": lambda equity, _, periods: metrics.cagr(equity, periods),
    "annual_volatility": lambda _, gained, periods: metrics.volatility(gained, periods),
    "volatility": lambda _, gained, periods: metrics.volatility(gained, periods),
    "calmar": lambda equity, _, periods: metrics.calmar(equity, periods),
    "sharpe": lambda _, gained, periods: metrics.sharpe(gained, periods),
    "sortino": lambda _, gained, periods: metrics.sortino(gained, periods),
    "downside_risk": lambda _, gained, periods: metrics.downside_risk(gained, periods),
    "omega": lambda _, gained, __: metrics.omega(gained),
    "value_at_risk": lambda _, gained, __: distribution.value_at_risk(gained),
    "conditional_value_at_risk": lambda _, gained, __: distribution.expected_shortfall(gained),
    "expected_shortfall": lambda _, gained, __: distribution.expected_shortfall(gained),
    "skewness": lambda _, gained, __: distribution.skewness(gained),
    "kurtosis": lambda _, gained, __: distribution.kurtosis(gained),
}
_PRECISE = 1e-9


def run(content: dict[str, Any]) -> list[Outcome]:
    """One outcome for each figure of each series."""
    outcomes = []
    for book in ("computed", "published"):
        for series, figures in content.get(book, {}).items():
            percent = content["series_pct"].get(series)
            for name, expected in figures.items():
                case = f"{series} {name}" + (" (published)" if book == "published" else "")
                if percent is None:
                    outcomes.append((case, "there is no such series"))
                else:
                    # What was published may be rounded to a few digits.
                    outcomes.append((case, _failure(percent, name, expected, rounded=book == "published")))
    return outcomes


def _failure(percent: list[float | None], name: str, expected: Any, *, rounded: bool) -> str | None:
    plain, periods = _named(name)
    if plain not in MEASURES:
        return f"no measure of ours is called {name}"
    gained = np.array([NAN if each is None else each / 100 for each in percent])
    equity = np.concatenate([[1.0], np.cumprod(1 + np.nan_to_num(gained))])
    found, wanted = MEASURES[plain](equity, gained, periods), _number(expected)
    if np.isnan(found) or np.isnan(wanted):
        # What is infinite elsewhere does not exist here.
        return None if np.isnan(found) and np.isnan(wanted) else f"expected {expected}, got {found}"
    slack = 10.0 ** -_decimals(expected) if rounded else 0.0
    return (
        None
        if abs(found - wanted) <= max(_PRECISE * abs(wanted), 1e-12, slack)
        else f"expected {expected}, got {found}"
    )


def _named(name: str) -> tuple[str, float]:
    """A measure's plain name, and the periods of a year: `quantstats_sharpe_252` is sharpe with 252."""
    plain = name.removeprefix("quantstats_").removeprefix("empyrical_").removesuffix("_indep")
    found = re.search(r"_(\d+)$", plain)
    periods = float(found.group(1)) if found else 252.0
    plain = plain[: found.start()] if found else plain
    return plain.removesuffix("_ratio"), periods


def _number(expected: Any) -> float:
    value = NAN if expected is None else float(expected)
    return value if np.isfinite(value) else NAN


def _decimals(expected: Any) -> int:
    text = json.dumps(expected)
    return len(text.split(".")[1]) if "." in text and "e" not in text else 0
