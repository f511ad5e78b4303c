"""The tear sheet of one past: a backtest's, or the floor's beside its backtest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from omc.backtest.deflated import Deflated
from omc.backtest.tearsheet.costs import cost_chart
from omc.backtest.tearsheet.equity import Curve, equity_chart
from omc.backtest.tearsheet.figures import NONE, tries_of
from omc.backtest.tearsheet.page import Section, Verdict, facts, page, sentence, table, tiles
from omc.backtest.tearsheet.plot import Figure
from omc.backtest.tearsheet.returns import monthly_chart, rolling_chart
from omc.backtest.tearsheet.trades import candle_chart, trade_table
from omc.feature.resample import Candles
from omc.trading.fill import Fill


@dataclass(frozen=True, slots=True)
class Past:
    """`curves` by name, what the page is about first; `reasons` say why each of `trades` was made, or are left out;
    `prices` are the candles to mark them on; bars are `bar_s` seconds long. `costs_aud` are what was paid, by kind.
    `intervals` are (what, low, middle, high) in words. What is empty has no section."""

    curves: Mapping[str, Curve] = field(default_factory=dict)
    trades: Sequence[Fill] = ()
    reasons: Sequence[str] = ()
    prices: Mapping[str, Candles] = field(default_factory=dict)
    bar_s: float = float("nan")
    costs_aud: Mapping[str, float] = field(default_factory=dict)
    headline: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str | float | int] = field(default_factory=dict)
    deflated: Deflated | None = None
    intervals: Sequence[tuple[str, str, str, str]] = ()


def tearsheet(title: str, past: Past, *, about: str = "", verdict: Verdict | None = None) -> str:
    """The whole page."""
    lived = {name: curve for name, curve in past.curves.items() if len(curve.times)}
    sections = [
        _headline(past),
        *(_charts(past, lived) if lived else [Section("Equity and drawdown", "<p>No bar has been traded.</p>")]),
        Section("Chance", _chance(past), note="In nine of ten draws the figure lies between low and high."),
        Section("Metrics", facts(past.metrics)),
        Section("About", facts(past.facts)),
        Section(f"Trades ({len(past.trades):,})", trade_table(past.trades, past.reasons)),
    ]
    return page(title, sections, about=about, verdict=verdict)


def _headline(past: Past) -> Section:
    shown = dict(past.headline)
    if past.deflated:
        known = not np.isnan(past.deflated.probability)
        shown[f"Deflated Sharpe, {tries_of(past.deflated.tries)}"] = (
            f"{past.deflated.probability:.1%}" if known else NONE
        )
    return Section("At a glance", tiles(shown) + sentence(past.deflated.sentence() if past.deflated else ""))


def _charts(past: Past, lived: Mapping[str, Curve]) -> list[Section]:
    main = next(iter(lived.values()))
    candles = candle_chart(past.prices, past.trades, past.reasons)
    rolling = rolling_chart(main.times, main.aud, past.bar_s)
    net = float(main.aud[-1] - main.aud[0])
    return [
        Section("Equity and drawdown", charts=[("equity over time", equity_chart(lived, past.trades))]),
        Section("Trades on candles", charts=_some("trades by coin", candles)),
        Section("Monthly returns", charts=_some("returns by month", monthly_chart(main.times, main.aud))),
        Section("Rolling Sharpe ratio", charts=[rolling] if rolling else [], note=rolling[0] if rolling else ""),
        Section(
            "What trading cost",
            charts=[("costs by kind", cost_chart(net, past.costs_aud))] if past.costs_aud else [],
            note="Spread is against the middle between bid and ask, slippage against the quote that was aimed at.",
        ),
    ]


def _some(words: str, chart: Figure | None) -> list[tuple[str, Figure]]:
    return [] if chart is None else [(words, chart)]


def _chance(past: Past) -> str:
    if not past.intervals:
        return ""
    columns = ("What the same trades could have come to", "low", "middle", "high")
    return table("interval", columns, list(past.intervals), (False, True, True, True))
