"""Equity on one page: a backtest, or the floor beside its backtest, as HTML that needs nothing from anywhere.

Here exact money becomes a picture: curves are float64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from io import StringIO
from threading import Lock
from typing import Any, Self

import numpy as np

from omc.feature.frame import FloatArray, TimeArray, as_datetime64
from omc.trading.fill import Fill, Side

_MOST_POINTS = 2_000
_MOST_TRADES = 2_000
_MOST_DIFFERENCES = 50
_COLORS = ("#1f6feb", "#d1571e", "#2e8b57", "#7a4fb5")
# matplotlib's settings are the process's, so that one page is drawn at a time.
_DRAWING = Lock()
_LOOK: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "omc",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# Who made it and when is not said: the same figures are the same page.
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_XML_ONLY = (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"')
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1c2330; background: #fff; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem }}
h1 {{ font-size: 1.6rem; margin: 0 }} h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem }}
.about {{ margin: 0 0 1rem; color: #5b6675 }}
.verdict {{ font-size: 1.1rem; padding: .5rem .8rem; border-radius: 6px; background: #e3f4e6; margin: 0 0 1rem }}
.verdict.broken {{ background: #fbe3e1 }}
svg {{ width: 100%; height: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
td, th {{ padding: .2rem 1.5rem .2rem 0; text-align: left; white-space: nowrap; border-bottom: 1px solid #e3e7ee }}
td.number, th.number {{ text-align: right }}
.facts {{ columns: 2 20rem; column-gap: 3rem }}
.facts div {{ break-inside: avoid; display: flex; justify-content: space-between; gap: 1rem;
  border-bottom: 1px solid #e3e7ee; padding: .15rem 0 }}
.facts b {{ text-align: right }}
.trades {{ overflow: auto }}
@media screen {{ .trades {{ max-height: 40rem }} }}
</style></head><body>
<h1>{title}</h1>
<p class="about">{about}</p>
{verdict}
<h2>Equity and drawdown</h2>
{chart}
<h2>Figures</h2>
<div class="facts">{facts}</div>
<h2>Trades ({count:,})</h2>
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something holds, in a sentence; what speaks against it, one sentence each."""

    holds: bool
    sentence: str
    differences: tuple[str, ...] = ()


def tearsheet(
    title: str,
    curves: Mapping[str, Curve],
    trades: Sequence[Fill],
    facts: Mapping[str, str | float | int],
    *,
    about: str = "",
    verdict: Verdict | None = None,
) -> str:
    """Curves on one chart, their drawdown below, trades marked on the first and listed, and facts in words.

    Everything is escaped: nothing that a person named can be more than text.
    """
    return _PAGE.format(
        title=escape(title),
        about=escape(about),
        verdict=_judged(verdict) if verdict else "",
        facts="".join(
            f"<div><span>{escape(name)}</span><b>{escape(str(value))}</b></div>" for name, value in facts.items()
        ),
        chart=_chart({name: curve for name, curve in curves.items() if len(curve.times)}, trades),
        count=len(trades),
        trades=_table(trades),
    )


def dollars(amount: Decimal) -> str:
    """To the cent, as a reader wants it."""
    return f"{'-' if amount < 0 else ''}A${abs(amount):,.2f}"


def _judged(verdict: Verdict) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in verdict.differences[:_MOST_DIFFERENCES])
    more = len(verdict.differences) - _MOST_DIFFERENCES
    listed += f"<li>and {more} more</li>" if more > 0 else ""
    kind = "verdict" if verdict.holds else "verdict broken"
    return f'<p class="{kind}">{escape(verdict.sentence)}</p>' + (f"<ul>{listed}</ul>" if listed else "")


def _chart(curves: Mapping[str, Curve], trades: Sequence[Fill]) -> str:
    if not curves:
        return "<p>No bar has been traded.</p>"
    # It takes half a second to import, which a process that draws nothing shall not wait for.
    from matplotlib import rc_context
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    with _DRAWING, rc_context(_LOOK):
        figure = Figure(figsize=(11, 6), layout="constrained")
        equity, under = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for at, (name, curve) in enumerate(curves.items()):
            shown, color = curve.thinned(), _COLORS[at % len(_COLORS)]
            below = _drawdown(curve, shown)
            # Curves that agree lie on each other: the later ones are thin and dashed, so that both are seen.
            dashed: dict[str, Any] = {"linestyle": (0, (4, 4)) if at else "-", "color": color, "zorder": 2 + at / 10}
            equity.plot(shown.times, shown.aud, linewidth=1.1 if at else 2, label=name, **dashed)
            under.plot(shown.times, below, linewidth=1, **dashed)
            if not at:
                under.fill_between(shown.times, below, 0, color=color, alpha=0.25, linewidth=0)
        _mark(equity, next(iter(curves.values())), trades[:_MOST_TRADES])
        equity.set_ylabel("equity, A$")
        equity.yaxis.set_major_formatter("{x:,.6g}")
        under.set_ylabel("drawdown, %")
        under.set_xlabel("UTC", loc="left")
        equity.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6, frameon=False)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        under.xaxis.set_major_locator(locator)
        under.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        page = StringIO()
        figure.savefig(page, format="svg", metadata=_METADATA)
    drawn = page.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    # Inside HTML an SVG needs no namespaces; without them the page names no address at all.
    for each in _XML_ONLY:
        drawn = drawn.replace(each, "", 1)
    return drawn


def _drawdown(curve: Curve, shown: Curve) -> FloatArray:
    """Percent below the highest of the whole curve so far, at the shown times."""
    high = np.maximum.accumulate(curve.aud)
    at = np.searchsorted(curve.times, shown.times)
    below: FloatArray = (shown.aud / high[at] - 1) * 100
    return below


def _mark(axes: Any, curve: Curve, trades: Sequence[Fill]) -> None:
    """Triangles on `curve`: up for a purchase, down for a sale."""
    for side, marker, color in ((Side.BUY, "^", "#2e8b57"), (Side.SELL, "v", "#c0392b")):
        times = np.array([as_datetime64(each.executed_at) for each in trades if each.side is side], "datetime64[us]")
        if not len(times):
            continue
        at = np.clip(np.searchsorted(curve.times, times), 0, len(curve.times) - 1)
        axes.scatter(
            times, curve.aud[at], marker=marker, s=30, color=color, alpha=0.75, linewidths=0, label=side.value, zorder=3
        )


def _table(trades: Sequence[Fill]) -> str:
    if not trades:
        return "<p>None.</p>"
    rows = "".join(
        f"<tr><td>{each.executed_at:%Y-%m-%d %H:%M}</td><td>{escape(each.coin)}</td><td>{each.side}</td>"
        f'<td class="number">{each.quantity:,.8f}</td><td class="number">{each.price_aud:,.8f}</td>'
        f'<td class="number">{each.total_aud:,.2f}</td><td class="number">{each.fee_aud:,.2f}</td></tr>'
        for each in trades[:_MOST_TRADES]
    )
    head = "".join(f'<th class="number">{name}</th>' for name in ("Quantity", "Price, A$", "Total, A$", "Fee, A$"))
    more = f"<p>The first {_MOST_TRADES:,} are listed.</p>" if len(trades) > _MOST_TRADES else ""
    titles = f"<tr><th>Time (UTC)</th><th>Coin</th><th>Side</th>{head}</tr>"
    return f'{more}<div class="trades"><table>{titles}{rows}</table></div>'
