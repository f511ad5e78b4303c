"""Figures as a person reads them."""

from collections.abc import Mapping
from decimal import Decimal

from omc.backtest.metrics import METRICS

NONE = "–"
_PARTS = frozenset(
    {
        "total_return",
        "annual_return",
        "cagr",
        "volatility",
        "downside_risk",
        "max_drawdown",
        "win_rate",
        "exposure",
        "ulcer_index",
        "value_at_risk",
        "expected_shortfall",
        "expectancy",
        "kelly",
        "benchmark_return",
        "benchmark_max_drawdown",
        "alpha",
    }
)
_NAMES = {"cagr": "CAGR", "sqn": "SQN"}


def dollars(amount: Decimal | float) -> str:
    """To the cent."""
    return f"{'-' if amount < 0 else ''}A${abs(amount):,.2f}"


def name_of(metric: str) -> str:
    """A metric's name in words."""
    words = metric.removesuffix("_aud").replace("_", " ")
    return _NAMES.get(metric, words[:1].upper() + words[1:])


def figure_of(metric: str, value: float | None) -> str:
    """A metric's value in its unit."""
    if value is None:
        return NONE
    if metric in _PARTS:
        return f"{value:.2%}"
    if metric.endswith("_aud"):
        return dollars(value)
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,.4g}"


def readable(metrics: Mapping[str, float | None]) -> dict[str, str]:
    """All of them, those that every sweep has first: storage keeps no order."""
    known = [name for name in METRICS if name in metrics]
    return {name_of(name): figure_of(name, metrics[name]) for name in (*known, *sorted(metrics.keys() - METRICS))}


def parameters_of(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(parameters.items()))


def tries_of(count: int) -> str:
    return "1 try" if count == 1 else f"{count:,} tries"
