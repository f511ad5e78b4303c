"""Trades: marked on the candles of their coin, and listed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from omc.backtest.tearsheet.page import table
from omc.backtest.tearsheet.plot import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    Figure,
    Trace,
    axis,
    figure,
    instants,
    menu,
    numbers,
)
from omc.feature.frame import Frame, as_datetime64
from omc.feature.resample import Candles, candles
from omc.trading.fill import Fill, Side

MOST_LISTED = 2_000
_MOST_CANDLES = 1_200
_MOST_COINS = 12
_MOST_MARKED = 2_000
_MINUTE = timedelta(minutes=1)
_STEPS = tuple(_MINUTE * n for n in (1, 5, 15, 30, 60, 120, 240, 480, 1_440, 4_320, 10_080, 43_200))
_SALES = {
    "signal": (RED, "triangle-down"),
    "stop_loss": ("#7b241c", "x"),
    "trailing_stop": (ORANGE, "x"),
    "take_profit": (BLUE, "star"),
    "time_stop": (PURPLE, "diamond"),
}


def resampled(window: Frame, most: int = _MOST_CANDLES) -> dict[str, Candles]:
    """The window's last prices by coin, in bars long enough that at most `most` of them tell of all of it."""
    if len(window) < 2:
        return {}
    span = timedelta(microseconds=int((window.times[-1] - window.times[0]) / np.timedelta64(1, "us")))
    least = timedelta(seconds=window.bar_s)
    fitting = [step for step in _STEPS if step >= least and span / step <= most - 1]
    step = fitting[0] if fitting else span / (most - 2)
    return {coin: candles(window.times, window.last[:, at], step) for at, coin in enumerate(window.coins)}


def candle_chart(prices: Mapping[str, Candles], trades: Sequence[Fill], reasons: Sequence[str] = ()) -> Figure | None:
    """The coins most traded, one at a time, with each purchase and each sale and why it was made (`reasons`, one for
    each of `trades`, or none). None without a candle."""
    named = reasons or ["signal"] * len(trades)
    counts = {coin: sum(fill.coin == coin for fill in trades) for coin, drawn in prices.items() if len(drawn)}
    coins = sorted(counts, key=lambda coin: -counts[coin])[:_MOST_COINS]
    if not coins:
        return None
    traces: list[Trace] = []
    owners: list[str] = []
    for coin in coins:
        own = [(fill, why) for fill, why in zip(trades, named, strict=True) if fill.coin == coin][:_MOST_MARKED]
        drawn = [_candles(coin, prices[coin]), *_marks(own)]
        traces += [{**trace, "visible": coin == coins[0]} for trace in drawn]
        owners += [coin] * len(drawn)
    choices = {
        f"{coin} ({counts[coin]:,} trades)": [{"visible": [owner == coin for owner in owners]}, {}] for coin in coins
    }
    return figure(
        traces,
        480,
        xaxis=axis("UTC", type="date", rangeslider={"visible": False}),
        yaxis=axis("A$", tickformat=",~r", fixedrange=False),
        legend={"orientation": "h", "x": 0.2, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        margin={"l": 64, "r": 16, "t": 48, "b": 40},
        updatemenus=[menu(choices)],
    )


def _candles(coin: str, drawn: Candles) -> Trace:
    return {
        "type": "candlestick",
        "name": coin,
        "x": instants(drawn.times),
        **{name: numbers(getattr(drawn, name)) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": "#7fb99a", "width": 1}},
        "decreasing": {"line": {"color": "#d99a92", "width": 1}},
        "showlegend": False,
    }


def _marks(trades: Sequence[tuple[Fill, str]]) -> list[Trace]:
    kinds = [("buy", GREEN, "triangle-up")] + [(why, *look) for why, look in _SALES.items()]
    others = {why for fill, why in trades if fill.side is Side.SELL} - set(_SALES)
    kinds += [(why, RED, "square") for why in sorted(others)]
    marks: list[Trace] = []
    for name, color, symbol in kinds:
        own = [(fill, why) for fill, why in trades if name == ("buy" if fill.side is Side.BUY else why)]
        if not own:
            continue
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "buy" if name == "buy" else f"sell: {name.replace('_', ' ')}",
                "x": instants(np.array([as_datetime64(fill.executed_at) for fill, _ in own], "datetime64[us]")),
                "y": numbers([float(fill.price_aud) for fill, _ in own]),
                "text": [
                    f"{fill.side} {fill.quantity:f} at A${fill.price_aud:,.8f}: {why.replace('_', ' ')}"
                    for fill, why in own
                ],
                "hovertemplate": "%{text}<br>%{x}<extra></extra>",
                "marker": {"symbol": symbol, "size": 9, "color": color, "line": {"color": "#fff", "width": 1}},
            }
        )
    return marks


def trade_table(trades: Sequence[Fill], reasons: Sequence[str] = ()) -> str:
    """The first of them, in the order of their execution."""
    if not trades:
        return "<p>None.</p>"
    columns = ["Time (UTC)", "Coin", "Side", "Quantity", "Price, A$", "Total, A$", "Fee, A$"]
    rows = [
        [
            f"{each.executed_at:%Y-%m-%d %H:%M}",
            each.coin,
            each.side.value,
            f"{each.quantity:,.8f}",
            f"{each.price_aud:,.8f}",
            f"{each.total_aud:,.2f}",
            f"{each.fee_aud:,.2f}",
        ]
        for each in trades[:MOST_LISTED]
    ]
    figures = [False] * 3 + [True] * 4
    if reasons:
        columns, figures = [*columns, "Why"], [*figures, False]
        rows = [[*row, why.replace("_", " ")] for row, why in zip(rows, reasons[:MOST_LISTED], strict=True)]
    more = f"<p>The first {MOST_LISTED:,} are listed.</p>" if len(trades) > MOST_LISTED else ""
    return more + table("fill", columns, rows, figures)
