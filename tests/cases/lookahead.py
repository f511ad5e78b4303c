"""Algorithms that look ahead and algorithms that do not, written anew from their descriptions, and the laws of honest
ones: against `omc.backtest.lookahead`, `omc.backtest.warm_up` and the kernel."""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omc.backtest.folds import folds
from omc.backtest.lookahead import Data, Streams, check, of_algorithm
from omc.backtest.walk_forward import leaks
from omc.feature.as_of import Observations, as_of
from omc.feature.frame import Frame
from omc.strategy.moving_average_crossover import MovingAverageCrossover


def _beside(name: str):
    """A module of this folder, which is no package."""
    found = importlib.util.spec_from_file_location(f"cases_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


expression, laws = _beside("expression"), _beside("laws")

Outcome = tuple[str, str | None]
ROWS = 900
HOUR = np.timedelta64(3600, "s")


def market(rows: int = ROWS, coins: int = 2, seed: int = 3) -> Frame:
    """A random walk of five-minute bars with holes in it."""
    generator = np.random.default_rng(seed)
    last = np.round(100 * np.exp(generator.normal(0, 0.01, (rows, coins)).cumsum(axis=0)), 8)
    for start in generator.integers(20, rows - 20, 6):
        last[start : start + 7, 0] = np.nan
    times = np.datetime64("2026-01-05", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, tuple("ABCDEF"[:coins]), np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


def sample() -> Data:
    """Prices, and filings that come in hours after they were published and are revised days later."""
    frame, generator = market(), np.random.default_rng(9)
    published = frame.times[::60]
    value = generator.normal(10, 1, len(published))
    late, revised = np.timedelta64(3 * 3600, "s"), np.timedelta64(20 * 3600, "s")
    filings = Observations(
        event_time=np.concatenate([published, published]),
        published_time=np.concatenate([published, published + revised]),
        seen_time=np.concatenate([published + late, published + revised]),
        value=np.concatenate([value, value + 0.5]),
    )
    return Data(frame, {"filings": filings})


def close(data: Data) -> pd.Series:
    return pd.Series(data.frame.last[:, 0])


def prices(data: Data) -> Mapping[str, pd.Series]:
    last = close(data)
    return {"open": last.shift(1), "high": last, "low": last, "close": last, "volume": pd.Series(np.ones(len(last)))}


def of_entry(entry: str) -> Callable[[Data], Streams]:
    compute = expression.translate(entry)
    return lambda data: {"weights": compute(prices(data)) * 1.0}


def hours(data: Data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row the number of its hour; the hours that there are, and the last price of each."""
    hour = (data.frame.times - np.datetime64(0, "us")) // HOUR
    last = close(data).ffill().to_numpy()
    every, first = np.unique(hour, return_index=True)
    ends = np.append(first[1:], len(hour)) - 1
    return hour, every, last[ends]


def closed_htf_bar(data: Data) -> Streams:
    hour, every, value = hours(data)
    at = np.searchsorted(every, hour) - 1
    return {"weights": np.where(at >= 0, value[np.maximum(at, 0)], np.nan)}


def open_htf_bar(data: Data) -> Streams:
    hour, every, value = hours(data)
    return {"weights": value[np.searchsorted(every, hour)]}


def resampled_left(data: Data) -> Streams:
    last = pd.Series(data.frame.last[:, 0], index=pd.DatetimeIndex(data.frame.times))
    hourly = last.resample("1h", label="left", closed="left").last()
    return {"weights": hourly.reindex(last.index, method="ffill").to_numpy()}


def whole_series_stat(data: Data) -> Streams:
    last = close(data)
    return {
        "above_mean": (last > last.mean()).to_numpy(float),
        "scaled": ((last - last.min()) / (last.max() - last.min())).to_numpy(),
        "standardized": ((last - last.mean()) / last.std()).to_numpy(),
    }


def peaks(data: Data) -> Streams:
    """A peak is higher than the five bars before and after it: it is known five bars later."""
    last = close(data)
    highest = last.rolling(11, center=True, min_periods=1).max()
    return {"weights": (last == highest).to_numpy(float)}


def labels(data: Data, ahead: int = 12) -> np.ndarray:
    last = close(data).ffill()
    return (last.shift(-ahead) / last - 1).to_numpy()


def target_leak(data: Data) -> Streams:
    """The label among the features, and a fit at the middle of the first rows whose labels reach beyond it."""
    middle, past = 450, close(data).ffill().pct_change(5).to_numpy()
    known = np.isfinite(past[:middle]) & np.isfinite(labels(data)[:middle])
    slope = np.polyfit(past[:middle][known], labels(data)[:middle][known], 1)[0] if known.sum() > 9 else np.nan
    fitted = np.where(np.arange(len(data)) >= middle, past * slope, np.nan)
    return {"features": np.stack([past, labels(data)], axis=1), "predictions": fitted}


def late_data(data: Data) -> Streams:
    """Filings joined by their publication though they came in later, and revised values at the time of the event."""
    filings, times = data.observations["filings"], data.frame.times
    hasty = Observations(filings.event_time, filings.published_time, filings.published_time, filings.value)
    final = Observations(filings.event_time, filings.published_time, filings.event_time, filings.value)
    return {"published": as_of(hasty, times), "revised": as_of(final, times)}


def seen_data(data: Data) -> Streams:
    return {"filings": as_of(data.observations["filings"], data.frame.times)}


def conditional_leak(data: Data) -> Streams:
    """Nothing is ever bought; only what would size and stop a position looks ahead."""
    last, nothing = close(data), np.zeros(len(data))
    return {
        "weights": nothing,
        "exits": (last.shift(-3) < last * 0.99).to_numpy(float),
        "sizes": last.rolling(20).std().shift(-20).to_numpy(),
    }


class RemembersTheNews(MovingAverageCrossover):
    """Asks a language model that has read the papers of the days it decides about."""

    knowledge_until = datetime(2026, 6, 1, tzinfo=UTC)


HONEST: Mapping[str, Callable[[Data], Streams]] = {
    "close_above_past": of_entry("close[t-10] < close[t]"),
    "closed_htf_bar": closed_htf_bar,
    "rolling_zscore": of_entry("rolling(50) z-score"),
    "as_of": seen_data,
}
PEEKING: Mapping[str, Callable[[Data], Streams]] = {
    "future_shift": of_entry("close[t+10] > close[t]"),
    "chikou_span": lambda data: {"weights": close(data).shift(-26).to_numpy()},
    "whole_series_stat": whole_series_stat,
    "backfill": lambda data: {
        "filled": close(data).bfill().to_numpy(),
        "between": close(data).interpolate().to_numpy(),
    },
    "unclosed_htf_merge": open_htf_bar,
    "iloc_minus_one": lambda data: {"weights": np.full(len(data), close(data).iloc[-1])},
    "peaks": peaks,
    "resample_label": resampled_left,
    "target_leak": target_leak,
    "late_data": late_data,
    "conditional_leak": conditional_leak,
}
PEEKING_WORDS: Mapping[str, str] = {
    r"chikou": "chikou_span",
    r"b(ack)?-?fill|interpolat": "backfill",
    r"iloc\[-1\]|last row|final row": "iloc_minus_one",
    r"argrelextrema|zig-?zag|pivot|find_peaks|local (max|min)": "peaks",
    r"resampl": "resample_label",
    r"(still open|unclosed|unfinished|current).*(higher|timeframe|bar)|merge_informative": "unclosed_htf_merge",
    r"min-?max|scaler|(whole|entire|full) (series|data|column)|all rows|global (mean|std)": "whole_series_stat",
    r"knowledge|cutoff|llm|language model": "agent_memory",
    r"label|target|embargo|overlap": "target_leak",
    r"published|ingest|revis|restat|news|filing": "late_data",
    r"callback|stake|siz(e|ing)|stop": "conditional_leak",
    r"future|next (bar|close)|ahead": "future_shift",
}
"""Of an entry in words, in this order: which of these it describes."""
HONEST_WORDS: Mapping[str, str] = {
    r"closed.*(higher|timeframe|bar)": "closed_htf_bar",
    r"z-?score": "rolling_zscore",
    r"seen|ingested|as[ -]of": "as_of",
    r"past|previous|lagged": "close_above_past",
}
HARMLESS: Mapping[str, frozenset[str]] = {"conditional_leak": frozenset({"weights"})}
"""Streams of a peeking algorithm that do not peek; every other one must be flagged."""


def run(content: dict[str, Any]) -> list[Outcome]:
    outcomes = []
    for heading, judge in (("must_pass", _passes), ("must_flag", _flagged)):
        for each in content.get(heading, []):
            case = {**each, "id": each.get("id", each.get("entry", "without a name"))}
            outcomes.append((f"{heading.replace('_', ' ')}: {case['id']}", judge(case)))
    outcomes += laws.recursive(content.get("recursive"))
    outcomes += [(f"law: {each}", laws.broken(each)) for each in content.get("metamorphic", [])]
    return outcomes


def _written(case: Mapping[str, Any], written: Mapping[str, Any], words: Mapping[str, str]) -> str | None:
    """Which of the algorithms of this file the case means, by its id, or by words of an entry that computes nothing."""
    if case["id"] in written:
        return str(case["id"])
    try:
        expression.translate(case.get("entry", ""))
    except expression.NotUnderstood:
        text = f"{case['id'].replace('_', ' ')} {case.get('entry', '')}".lower()
        return next((name for pattern, name in words.items() if re.search(pattern, text)), None)
    return None


def _algorithm(
    case: Mapping[str, Any], name: str | None, written: Mapping[str, Callable[[Data], Streams]]
) -> Callable[[Data], Streams]:
    """That of `name`; else what its entry computes. NotUnderstood otherwise."""
    return of_entry(case.get("entry", "")) if name is None else written[name]


def _passes(case: Mapping[str, Any]) -> str | None:
    try:
        decide = _algorithm(case, _written(case, HONEST, HONEST_WORDS), HONEST)
    except expression.NotUnderstood:
        return "no algorithm written for it"
    found = check(decide, sample())
    return str(found[0]) if found else None


def _flagged(case: Mapping[str, Any]) -> str | None:
    name = _written(case, {**PEEKING, "agent_memory": None}, PEEKING_WORDS)
    if name == "agent_memory":
        told = of_algorithm(RemembersTheNews(5, 20), market())
        return None if any("memory" in each for each in told) else f"the model's memory is not flagged: {told}"
    try:
        decide = _algorithm(case, name, PEEKING)
    except expression.NotUnderstood:
        return "no algorithm written for it"
    data = sample()
    flagged = {each.stream for each in check(decide, data)}
    missed = set(decide(data)) - HARMLESS.get(name, frozenset()) - flagged
    if missed:
        return f"{', '.join(sorted(missed))} not flagged"
    if wrong := flagged & HARMLESS.get(name, frozenset()):
        return f"{', '.join(sorted(wrong))} flagged without reason"
    if name == "target_leak":
        kept, purged = (folds(ROWS, 3, scheme="anchored", purge_bars=bars, embargo_bars=0) for bars in (0, 12))
        if len(leaks(kept, 12)) != 3 or leaks(purged, 12):
            return "training rows that overlap the test are not flagged, or purged ones are"
    return None
