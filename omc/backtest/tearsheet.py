"""A backtest, or a floor beside its backtest, on one page: a single HTML file that needs nothing from anywhere.

Here exact money becomes a picture: curves are float64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Self

import numpy as np
from matplotlib import rc_context
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from omc.backtest.study import Study
from omc.feature.frame import FloatArray, TimeArray
from omc.trading.fill import Fill, Side

_MOST_POINTS = 2_000
_MOST_TRADES = 2_000
_COLORS = ("#1f6feb", "#d1571e", "#2e8b57", "#7a4fb5")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1c2330; background: #fff; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem }}
h1 {{ font-size: 1.6rem; margin: 0 0 1rem }} h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem }}
svg {{ width: 100%; height: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
td, th {{ padding: .2rem 1rem .2rem 0; text-align: left; border-bottom: 1px solid #e3e7ee }}
td.number, th.number {{ text-align: right }}
.facts {{ columns: 20rem; }} .facts div {{ break-inside: avoid; display: flex; justify-content: space-between;
  border-bottom: 1px solid #e3e7ee; padding: .15rem 0 }}
.trades {{ max-height: 40rem; overflow: auto }}
</style></head><body>
<h1>{title}</h1>
<div class="facts">{facts}</div>
<h2>Equity and drawdown</h2>
{chart}
<h2>Trades</h2>
{trades}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """(T,) times in UTC, and what everything was worth at each in AUD."""

    times: TimeArray
    aud: FloatArray

    def thinned(self) -> Self:
        """At most 2,000 of its points, the first and the last among them."""
        if len(self.times) <= _MOST_POINTS:
            return self
        kept = np.unique(np.linspace(0, len(self.times) - 1, _MOST_POINTS).round().astype(int))
        return type(self)(self.times[kept], self.aud[kept])


def tearsheet(done: Study, title: str) -> str:
    """One backtest as HTML."""
    facts = {
        name.replace("_", " "): "none" if value is None else f"{value:,.4g}" for name, value in done.metrics.items()
    }
    asked = {
        "algorithm": done.spec.algorithm_type,
        **{name: f"{value:g}" for name, value in done.spec.parameters.items()},
        "coins": ", ".join(done.spec.coins),
        "from": f"{done.window.time(0):%Y-%m-%d %H:%M} UTC",
        "to": f"{done.window.time(len(done.window) - 1):%Y-%m-%d %H:%M} UTC",
    }
    curve = Curve(done.window.times, done.simulation.equity)
    return report_html(title, {"backtest": curve}, done.fills, {**asked, **facts})


def report_html(
    title: str, curves: Mapping[str, Curve], trades: Sequence[Fill], facts: Mapping[str, str | float | int]
) -> str:
    """Curves on one chart, the drawdown of each below it, trades marked on the first and listed, and facts in words."""
    return _PAGE.format(
        title=escape(title),
        facts="".join(
            f"<div><span>{escape(name)}</span><b>{escape(str(value))}</b></div>" for name, value in facts.items()
        ),
        chart=_chart(curves, trades),
        trades=_table(trades),
    )


def _chart(curves: Mapping[str, Curve], trades: Sequence[Fill]) -> str:
    with rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "omc", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}
    ):
        figure = Figure(figsize=(11, 6), layout="constrained")
        equity, under = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for at, (name, curve) in enumerate(curves.items()):
            shown, color = curve.thinned(), _COLORS[at % len(_COLORS)]
            # Curves that agree lie on each other: the later ones are dashed, so that both are seen.
            equity.plot(shown.times, shown.aud, color=color, linewidth=1.2, label=name, linestyle="--" if at else "-")
            under.fill_between(shown.times, _drawdown(curve, shown), 0, color=color, alpha=0.3, linewidth=0)
        if curves and trades:
            _mark(equity, next(iter(curves.values())), trades)
        equity.set_ylabel("A$")
        under.set_ylabel("drawdown, %")
        if curves:
            equity.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6, frameon=False)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        under.xaxis.set_major_locator(locator)
        under.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        page = StringIO()
        figure.savefig(page, format="svg", metadata={"Date": None})
    drawn = page.getvalue()
    return drawn[drawn.index("<svg") :]


def _drawdown(curve: Curve, shown: Curve) -> FloatArray:
    """Percent below the highest of the whole curve so far, at the shown times."""
    high = np.maximum.accumulate(curve.aud)
    at = np.searchsorted(curve.times, shown.times)
    below: FloatArray = (shown.aud / high[at] - 1) * 100
    return below


def _mark(axes, curve: Curve, trades: Sequence[Fill]) -> None:  # type: ignore[no-untyped-def]
    """Triangles on `curve`: up for a purchase, down for a sale."""
    for side, marker, color in ((Side.BUY, "^", "#2e8b57"), (Side.SELL, "v", "#c0392b")):
        times = np.array(
            [np.datetime64(each.executed_at.replace(tzinfo=None), "us") for each in trades if each.side is side],
            "datetime64[us]",
        )
        if not len(times) or not len(curve.times):
            continue
        at = np.clip(np.searchsorted(curve.times, times), 0, len(curve.times) - 1)
        axes.scatter(
            times, curve.aud[at], marker=marker, s=14, color=color, alpha=0.6, linewidths=0, label=side.value, zorder=3
        )


def _table(trades: Sequence[Fill]) -> str:
    if not trades:
        return "<p>None.</p>"
    rows = "".join(
        f"<tr><td>{each.executed_at:%Y-%m-%d %H:%M}</td><td>{escape(each.coin)}</td><td>{each.side}</td>"
        f'<td class="number">{each.quantity:f}</td><td class="number">{each.price_aud:,f}</td>'
        f'<td class="number">{each.total_aud:,.2f}</td><td class="number">{each.fee_aud:,.2f}</td></tr>'
        for each in trades[:_MOST_TRADES]
    )
    head = "".join(f'<th class="number">{name}</th>' for name in ("Quantity", "Price, A$", "Total, A$", "Fee, A$"))
    more = f"<p>The first {_MOST_TRADES} of {len(trades)}.</p>" if len(trades) > _MOST_TRADES else ""
    titles = f"<tr><th>Time (UTC)</th><th>Coin</th><th>Side</th>{head}</tr>"
    return f'{more}<div class="trades"><table>{titles}{rows}</table></div>'
