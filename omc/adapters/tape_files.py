"""Recorded files joined into a tape: every coin on one five-minute grid.

Prices are taken at par as Australian dollars, whatever they were quoted in, and the tape's source says so. A quote
belongs to the first bar boundary at or after the moment it was known, and the last one in a bar stands for it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from omc.adapters.price_series import BAR_US, PriceSeries, read_series
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.market.tape import Tape

KEPT_BARS = 12
"""How many bars a coin that is missing keeps its last quote: an hour."""


@dataclass(frozen=True, slots=True)
class _Bars:
    """One coin on the grid: bar numbers since 1970, strictly rising, and (N, 3) bid, ask, last."""

    coin: str
    numbers: NDArray[np.int64]
    quotes: FloatArray


def read_tape(paths: Sequence[Path | str]) -> Tape:
    """The tape that the files make together. InvalidInput says which file, which line and why it is none."""
    if not paths:
        raise InvalidInput("a tape needs at least one file")
    files = [Path(path) for path in dict.fromkeys(str(path) for path in paths)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        series = [each for found in pool.map(read_series, files) for each in found]
    order = {coin: at for at, coin in enumerate(dict.fromkeys(each.coin for each in series))}
    series.sort(key=lambda each: (order[each.coin], each.known_us[0]))
    joined = [_joined(coin, list(group)) for coin, group in groupby(series, key=lambda each: each.coin)]
    return Tape(_frame(joined), _source(files, series))


def _joined(coin: str, parts: Sequence[PriceSeries]) -> _Bars:
    """The parts of one coin in order of time; where two know of the same moment they must agree."""
    quoted = {part.quoted_in: part for part in reversed(parts) if part.quoted_in}
    if len(quoted) > 1:
        (this, here), (other, there) = list(quoted.items())[:2]
        raise InvalidInput(
            f"{here.table.path}: {coin} is quoted in {this} here and in {other} in {there.table.path}: "
            "they cannot be joined"
        )
    known = np.concatenate([part.known_us for part in parts])
    quotes = np.concatenate([np.column_stack([part.bid, part.ask, part.last]) for part in parts])
    order = np.argsort(known, kind="stable")
    known, quotes = known[order], quotes[order]
    contradicts = (known[1:] == known[:-1]) & (quotes[1:] != quotes[:-1]).any(axis=1)
    if contradicts.any():
        at = int(np.argmax(contradicts))
        one, other = (_place(parts, int(order[at + i])) for i in (0, 1))
        raise InvalidInput(f"{other}: {coin} has another price here than in {one}, for the same time")
    numbers = -(-known // BAR_US)
    last_of_bar = np.append(numbers[1:] != numbers[:-1], True)
    return _Bars(coin, numbers[last_of_bar], quotes[last_of_bar])


def _place(parts: Sequence[PriceSeries], at: int) -> str:
    """Where element `at` of the concatenated parts stood."""
    for part in parts:
        if at < len(part.rows):
            return f"{part.table.path}, {part.table.place(int(part.rows[at]))}"
        at -= len(part.rows)
    raise IndexError(at)


def _frame(coins: Sequence[_Bars]) -> Frame:
    start = min(int(each.numbers[0]) for each in coins)
    stop = max(int(each.numbers[-1]) for each in coins) + 1
    quotes = np.full((3, stop - start, len(coins)), np.nan)
    for c, each in enumerate(coins):
        rows, source = _kept(each.numbers - start)
        quotes[:, rows, c] = each.quotes[source].T
    quoted = ~np.isnan(quotes[2]).all(axis=1)
    times = ((np.arange(start, stop) * BAR_US).astype("datetime64[us]"))[quoted]
    bid, ask, last = (np.ascontiguousarray(part[quoted]) for part in quotes)
    return Frame(times, tuple(each.coin for each in coins), bid, ask, last)


def _kept(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bars in which a coin is quoted, and which of its quotes stands there.

    A quote is kept for an hour whether the gap turns out longer or not: nobody knew at the time.
    """
    lasts = np.minimum(np.diff(numbers), KEPT_BARS + 1)
    lasts = np.append(lasts, 1)
    source = np.repeat(np.arange(len(numbers)), lasts)
    age = np.arange(len(source)) - np.repeat(np.cumsum(lasts) - lasts, lasts)
    return numbers[source] + age, source


def _source(files: Sequence[Path], series: Sequence[PriceSeries]) -> str:
    said = ", ".join(file.name for file in files[:12]) + (f" and {len(files) - 12} more" if len(files) > 12 else "")
    notes = []
    if any(each.quoted_in != "AUD" for each in series):
        notes.append("prices at par as AUD")
    if any(each.modelled for each in series):
        notes.append("bid and ask by the spread model")
    return f"{said} ({'; '.join(notes)})" if notes else said
