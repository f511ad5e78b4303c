"""A backtest's tear sheet: one page of HTML that loads nothing and runs nothing."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from omc.backtest.run import BacktestRun
from serve_apps.wire import time_text

_WIDTH, _HEIGHT = 960, 240
_MOST_TRADES = 500
_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .8rem; border-bottom: 1px solid #d8dee4; text-align: right }
th:first-child, td:first-child { text-align: left }
svg { width: 100%; height: auto; background: #f6f8fa }
"""


def page_of(run: BacktestRun, results: Mapping[str, Any]) -> str:
    """The whole page. Everything that came from a person is escaped."""
    spec = run.spec
    facts = {
        "algorithm": f"{spec.algorithm_type}, version {run.algorithm_version}",
        "parameters": ", ".join(f"{name} {value}" for name, value in sorted(spec.parameters.items())),
        "coins": ", ".join(spec.coins),
        "window": f"{time_text(spec.start)} to {time_text(spec.end)}",
        "cash": f"A${spec.initial_cash_aud:,.2f}",
        "rebalance band": f"{spec.rebalance_band:.2%}",
    }
    equity = [float(each) for each in results["equity"]["aud"]]
    trades = results["trades"]
    shown = trades[:_MOST_TRADES]
    rest = f"<p>{len(trades) - len(shown)} more are not shown.</p>" if len(trades) > len(shown) else ""
    title = f"Backtest {run.id}"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{_table(('', ''), list(facts.items()))}"
        f"<h2>Measures</h2>{_table(('', ''), [(name, _figure(value)) for name, value in results['metrics'].items()])}"
        f"<h2>Equity, AUD</h2>{chart(equity)}"
        f"<h2>Below the highest equity so far</h2>{chart(drawdown(equity))}"
        f"<h2>Trades</h2>"
        f"{_table(('time', 'coin', 'side', 'quantity', 'price', 'total', 'fee'), shown)}{rest}</body></html>"
    )


def drawdown(equity: Sequence[float]) -> list[float]:
    """How far below its highest so far each value is, as a fraction: 0 or less."""
    depths, high = [], 0.0
    for value in equity:
        high = max(high, value)
        depths.append(value / high - 1 if high > 0 else 0.0)
    return depths


def chart(values: Sequence[float]) -> str:
    """A line through `values` from the lowest at the bottom to the highest at the top, which are written beside it."""
    if len(values) < 2:
        return "<p>Too short to draw.</p>"
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    points = " ".join(
        f"{at * _WIDTH / (len(values) - 1):.1f},{_HEIGHT - 10 - (value - low) / spread * (_HEIGHT - 20):.1f}"
        for at, value in enumerate(values)
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='from {low:g} to {high:g}'>"
        f"<polyline fill='none' stroke='#0969da' stroke-width='1.5' points='{points}'/>"
        f"<text x='4' y='14' font-size='12'>{high:,.4g}</text>"
        f"<text x='4' y='{_HEIGHT - 4}' font-size='12'>{low:,.4g}</text></svg>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4f}"
