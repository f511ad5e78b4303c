"""The report as one page that needs nothing but a browser: equity of floor and backtest, drawdown, trades."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from omc.cli.demo.report import Report
from omc.cli.options import settled

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 70, 20, 12, 26
_FLOOR, _BACKTEST = "#1769aa", "#e0812b"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0 } h2 { font-size: 1.15em; margin: 1.6em 0 .4em }
p.verdict { font-size: 1.1em; padding: .5em .8em; border-radius: 6px; background: #e3f4e6 }
p.verdict.broken { background: #fbe3e1 }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #5b6875 }
table { border-collapse: collapse } td, th { padding: .15em .9em .15em 0; text-align: right; white-space: nowrap }
th { font-weight: 600; border-bottom: 1px solid #ccd4db } td:first-child, th:first-child { text-align: left }
.facts { columns: 2; column-gap: 3em } .facts div { break-inside: avoid }
"""


def of(report: Report) -> str:
    figures, tape = report.figures, report.figures["tape"]
    floor, backtest = _points(report.floor_equity), _points(report.backtest_equity)
    parts = [
        "<h1>From prices to trades</h1>",
        f"<p>{escape(tape['source'])}: {', '.join(tape['coins'])}, {tape['bars']} bars "
        f"from {tape['start']} to {tape['end']}</p>",
        _verdict(report),
        "<h2>Equity in AUD</h2>",
        f'<p><b style="color:{_FLOOR}">floor</b> · <b style="color:{_BACKTEST}">backtest</b> (dashed)</p>',
        _chart([(floor, _FLOOR, ""), (backtest, _BACKTEST, "6 5")], 300, ",.0f"),
        "<h2>Drawdown of the floor in percent</h2>",
        _chart([(_drawdown(floor), _FLOOR, "")], 140, ".1f"),
        "<h2>Figures</h2>",
        _facts(figures),
        "<h2>Promotion</h2>",
        _table(("gate", "figure", "threshold", "passed"), figures["promotion"]),
        "<h2>Actors</h2>",
        _table(("name", "state"), figures["actors"]),
        f"<h2>Trades ({len(report.trades)})</h2>",
        _table(("executed_at", "side", "coin", "quantity", "price_aud", "total_aud", "fee_aud"), report.trades),
    ]
    head = f'<meta charset="utf-8"><title>Oh My Coins: demo</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _verdict(report: Report) -> str:
    parity, books = report.figures["parity"], report.figures["reconciliation"]["differences"]
    if report.holds:
        return (
            f'<p class="verdict">The floor made the {parity["floor_trades"]} trades that the backtest says, '
            "to the eighth decimal and the cent, and our books are the exchange's.</p>"
        )
    listed = "".join(f"<li>{escape(each)}</li>" for each in [*parity["differences"], *books][:50])
    what = "The floor and the backtest, or our books and the exchange's, differ:"
    return f'<p class="verdict broken">{what}</p><ul>{listed}</ul>'


def _facts(figures: Mapping[str, Any]) -> str:
    floor, sweep = figures["floor"], figures["sweep"]
    latency = floor["decision_to_order_ms"]
    rows = {
        "Equity at the end": f"{settled(floor['equity_aud'])} AUD",
        "Realized P&L": f"{settled(floor['realized_pnl_aud'])} AUD",
        "Unrealized P&L": f"{settled(floor['unrealized_pnl_aud'])} AUD",
        "Fees": f"{settled(floor['fees_aud'])} AUD",
        "Intents, denied, fills": f"{floor['intents']}, {floor['denied']}, {floor['fills']}",
        "From decision to order": f"{latency['p50']} ms (p50), {latency['p99']} ms (p99)",
        "Sweep": f"{sweep['points']} points in {sweep['seconds']} s",
        "Best point": ", ".join(f"{name} {value}" for name, value in sweep["best"]["parameters"].items()),
        "Boot": f"{figures['boot_s']} s",
        "Limits, not binding": ", ".join(f"{name} {value}" for name, value in floor["limits"].items()),
    }
    return f'<div class="facts">{"".join(f"<div>{escape(n)}: <b>{escape(v)}</b></div>" for n, v in rows.items())}</div>'


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_said(row[name]))}</td>" for name in columns) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _said(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case None:
            return "–"
        case _:
            return str(settled(value))


Points = list[tuple[float, float]]


def _points(curve: Mapping[str, list[str]]) -> Points:
    times = [datetime.fromisoformat(time).timestamp() for time in curve["times"]]
    return list(zip(times, map(float, curve["equity_aud"]), strict=True))


def _drawdown(points: Points) -> Points:
    """Percent below the highest value so far."""
    peak, found = 0.0, []
    for time, value in points:
        peak = max(peak, value)
        found.append((time, 100.0 * (value / peak - 1.0) if peak else 0.0))
    return found


def _chart(curves: Sequence[tuple[Points, str, str]], height: int, form: str) -> str:
    """Lines over time, with four marks on each axis."""
    everything = [point for points, _, _ in curves for point in points]
    if not everything:
        return "<p>No bar was traded.</p>"
    first, last = min(time for time, _ in everything), max(time for time, _ in everything)
    low, high = min(value for _, value in everything), max(value for _, value in everything)
    wide, tall = (last - first) or 1.0, (high - low) or 1.0

    def x(time: float) -> float:
        return _LEFT + (time - first) / wide * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / tall * (height - _TOP - _BOTTOM)

    drawn = []
    for step in range(5):
        value, time = low + tall * step / 4, first + wide * step / 4
        level, day = y(value), datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d")
        drawn.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{level:.1f}" y2="{level:.1f}" stroke="#e4e9ed"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{value:{form}}</text>')
        drawn.append(f'<text x="{x(time):.1f}" y="{height - 8}" text-anchor="middle">{day}</text>')
    for points, color, dash in curves:
        line = " ".join(f"{x(time):.1f},{y(value):.1f}" for time, value in points)
        drawn.append(
            f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.6" stroke-dasharray="{dash}"/>'
        )
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img">{"".join(drawn)}</svg>'
