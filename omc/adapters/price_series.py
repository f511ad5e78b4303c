"""One recorded file as series of quotes, each stamped with the moment at which it was known.

Layouts are recognized by their columns: candles (open, high, low, close), quotes (bid, ask and perhaps last), and
snapshots of CoinSpot's page, where `buy` is what the house asks and `sell` what it bids. A coin column wins over the
file's name. A candle is known when it closes, one candle length after its time; its close then stands for the quote,
by the stated spread model. Candles longer than five minutes are refused: an hour's close, repeated twelve times, would
fill orders at prices that were long gone. Quotes may be as far apart as they like, because they were true when seen.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from omc.adapters.price_table import PriceTable, Wanted, read_table
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray
from omc.market.coin import ticker
from omc.market.spread import LARGEST_PRICE_AUD, quotes_around, spread_bps, to_grid

MICROS = 1_000_000
BAR_US = 300 * MICROS
_EARLIEST, _LATEST = np.datetime64("2009-01-03", "us"), np.datetime64("2100-01-01", "us")

_TIMES = ("ts_ms", "timestamp", "ts_utc", "time_aest", "ts", "date", "datetime", "time", "open_time")
_COINS = ("coin", "symbol", "code")
_CANDLE = ("open", "high", "low", "close")
_PAGE = (("sell_aud", "buy_aud"), ("sell", "buy"))
_SIDES = (("bid", "ask"), *_PAGE)

# What a pair is quoted in. Dollars of any make are one currency here: prices are taken at par anyway.
_DOLLARS = ("USDT", "USDC", "BUSD", "USD")
_QUOTED_IN = (*_DOLLARS, "AUD", "EUR")


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Quotes of one coin from one file, all (N,), times strictly rising."""

    coin: str
    quoted_in: str | None
    """The currency of the prices, where a name tells: USD, AUD, BTC, …"""
    modelled: bool
    """Whether bid and ask come from the spread model."""
    table: PriceTable
    rows: NDArray[np.int64]
    known_us: NDArray[np.int64]
    """Microseconds since 1970 at which each quote was known."""
    bid: FloatArray
    ask: FloatArray
    last: FloatArray


@dataclass(frozen=True, slots=True)
class _Layout:
    time: str
    coin: str | None
    prices: tuple[str, ...]
    """Open, high, low, close of candles; bid, ask and perhaps last of quotes."""

    @property
    def candles(self) -> bool:
        return self.prices == _CANDLE


def read_series(path: Path) -> list[PriceSeries]:
    """Every coin's series in `path`. InvalidInput names the file, the line and the reason."""
    table = read_table(path, lambda header: _wanted(_layout(header)))
    layout = _layout(list(table.columns))
    times = _times(table, layout)
    prices = {name: _prices(table, name) for name in layout.prices}
    return [
        _series(table, layout, rows, times, prices, pair=pair) for pair, rows in _pairs(table, layout, path, len(times))
    ]


def _layout(header: Sequence[str]) -> _Layout:
    time = next((name for name in _TIMES if name in header), None)
    coin = next((name for name in _COINS if name in header), None)
    if time is None:
        raise InvalidInput(f"no column of times among {', '.join(header)[:200]}; known are {', '.join(_TIMES)}")
    if set(_CANDLE) <= set(header):
        return _Layout(time, coin, _CANDLE)
    for sides in _SIDES:
        if set(sides) <= set(header):
            return _Layout(time, coin, (*sides, "last") if "last" in header else sides)
    missing = [name for name in _CANDLE if name not in header]
    if len(missing) < len(_CANDLE):
        raise InvalidInput(f"candles without {', '.join(missing)}")
    raise InvalidInput(f"neither candles (open, high, low, close) nor quotes (bid, ask): {', '.join(header)[:200]}")


def _wanted(layout: _Layout) -> Wanted:
    return Wanted(texts=[name for name in (layout.time, layout.coin) if name], numbers=layout.prices)


def _times(table: PriceTable, layout: _Layout) -> NDArray[np.int64]:
    """The column of times in microseconds; whole numbers are told apart by their size, naive times are UTC."""
    column = table.columns[layout.time]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.int64())
        except pa.ArrowInvalid:
            column = _parsed(table, column)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = pa.array(pd.to_datetime(column.to_pandas(), utc=True).astype("datetime64[us, UTC]"))
        micros = column.cast(pa.int64())
    else:
        micros = column
    if micros.null_count:
        table.refuse(_first(micros.is_null().to_numpy(zero_copy_only=False)), f"{layout.time} is missing")
    values = micros.to_numpy(zero_copy_only=False)
    if not np.issubdtype(values.dtype, np.integer):
        table.refuse(0, f"{layout.time} holds neither times nor whole numbers")
    if micros is column and not pa.types.is_timestamp(column.type):
        values = values.astype(np.int64)
        largest = int(np.abs(values).max(initial=0))
        power = next((power for limit, power in ((10**11, 6), (10**14, 3), (10**17, 0)) if largest < limit), -3)
        values = values * 10**power if power >= 0 else values // 1000
    outside = (values < _EARLIEST.astype(np.int64)) | (values >= _LATEST.astype(np.int64))
    if outside.any():
        row = _first(outside)
        table.refuse(row, f"{layout.time} is {_clock(values[row])}, outside the years 2009 to 2099")
    return values


def _parsed(table: PriceTable, column: pa.Array) -> pa.Array:
    times = pd.to_datetime(column.to_pandas(), utc=True, format="ISO8601", errors="coerce")
    wrong = times.isna().to_numpy()
    if wrong.any():
        row = _first(wrong)
        table.refuse(row, f"{str(column[row].as_py())[:40]!r} is not a time")
    return pa.array(times.astype("datetime64[us, UTC]"))


def _prices(table: PriceTable, name: str) -> FloatArray:
    """A column of prices on the eight-decimal grid."""
    column = table.columns[name].cast(pa.float64())
    values = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
    for wrong, reason in (
        (~np.isfinite(values), "not a number"),
        (values <= 0, "not positive"),
        (values < 0.5e-8, "below eight decimals"),
        (values > LARGEST_PRICE_AUD, f"above {LARGEST_PRICE_AUD:,.0f}"),
    ):
        if wrong.any():
            row = _first(wrong)
            table.refuse(row, f"{name} is {values[row]:.12g}: {reason}")
    return to_grid(values)


def _pairs(table: PriceTable, layout: _Layout, path: Path, rows: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """What each row is the price of, with its rows in the file's order."""
    if rows == 0:
        raise InvalidInput(f"{path}, line 1: a header and no prices")
    if layout.coin is None:
        yield path.name.split(".", 1)[0], np.arange(rows)
        return
    names = table.columns[layout.coin].cast(pa.string())
    if names.null_count:
        table.refuse(_first(names.is_null().to_numpy(zero_copy_only=False)), f"{layout.coin} is missing")
    codes, pairs = pd.factorize(names.to_pandas())
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(pairs) + 1))
    for code, pair in enumerate(pairs):
        yield str(pair), order[bounds[code] : bounds[code + 1]]


def _series(
    table: PriceTable,
    layout: _Layout,
    rows: NDArray[np.int64],
    times: NDArray[np.int64],
    prices: dict[str, FloatArray],
    *,
    pair: str,
) -> PriceSeries:
    try:
        coin, quoted_in = pair_of(pair, whole=layout.coin in ("coin", "code"))
    except InvalidInput as fault:
        table.refuse(int(rows[0]), str(fault))
    if layout.prices[:2] in _PAGE:
        quoted_in = "AUD"
    known = times[rows]
    steps = np.diff(known)
    if (steps <= 0).any():
        row = _first(steps <= 0) + 1
        what = "is given twice" if steps[row - 1] == 0 else f"comes after {_clock(known[row - 1])}"
        table.refuse(int(rows[row]), f"{coin}: {_clock(known[row])} {what}")
    columns = [prices[name][rows] for name in layout.prices]
    if layout.candles:
        _check_candles(table, rows, *columns)
        bid, ask = quotes_around(columns[3], spread_bps(coin))
        last = columns[3]
        known = known + _candle_length_us(table, coin, rows, steps)
    else:
        bid, ask = columns[0], columns[1]
        if (bid > ask).any():
            row = _first(bid > ask)
            table.refuse(int(rows[row]), f"{coin}: the bid {bid[row]:.12g} is above the ask {ask[row]:.12g}")
        last = columns[2] if len(columns) > 2 else to_grid((bid + ask) / 2)
    return PriceSeries(coin, quoted_in, layout.candles, table, rows, known, bid, ask, last)


def _check_candles(
    table: PriceTable, rows: NDArray[np.int64], opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
) -> None:
    for wrong, reason in (
        (high < low, "the high is below the low"),
        ((opened > high) | (opened < low), "the open lies outside low and high"),
        ((close > high) | (close < low), "the close lies outside low and high"),
    ):
        if wrong.any():
            table.refuse(int(rows[_first(wrong)]), reason)


def _candle_length_us(table: PriceTable, coin: str, rows: NDArray[np.int64], steps: NDArray[np.int64]) -> int:
    """The commonest distance between two rows, the longer when two are equally common; never what is least, because
    one stray row would make every close known too early. A single candle is taken to be five minutes long."""
    if not len(steps):
        return BAR_US
    lengths, counts = np.unique(steps, return_counts=True)
    length = int(lengths[counts == counts.max()].max())
    if length > BAR_US:
        minutes = f"{coin}: candles of {length / MICROS / 60:g} minutes"
        table.refuse(int(rows[1]), f"{minutes}; five are the longest that can be traded on")
    return length


def pair_of(text: str, *, whole: bool = False) -> tuple[str, str | None]:
    """The coin in `BTCUSDT_5m`, `ADA_BTC-5m`, `BTC-USD` or `btc/aud`, and what it is quoted in, where that is said.

    `whole` says that the text before any separator is the coin itself.
    """
    parts = [part for part in re.split(r"[^A-Z0-9]+", text.strip().upper()) if part]
    if not parts:
        raise InvalidInput(f"{text!r} names no coin")
    if len(parts) > 1 and parts[1] in (*_QUOTED_IN, "BTC"):
        return ticker(parts[0]), _currency(parts[1])
    if not whole:
        for quoted_in in _QUOTED_IN:
            coin = parts[0].removesuffix(quoted_in)
            if len(coin) > 1 and coin != parts[0]:
                return ticker(coin), _currency(quoted_in)
    return ticker(parts[0]), None


def _currency(name: str) -> str:
    return "USD" if name in _DOLLARS else name


def _first(wrong: NDArray[np.bool_]) -> int:
    return int(np.argmax(wrong))


def _clock(micros: int) -> str:
    try:
        return str(np.datetime64(int(micros), "us").astype("datetime64[s]")) + "Z"
    except (OverflowError, ValueError):
        return str(micros)
