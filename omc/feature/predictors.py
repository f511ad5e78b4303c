"""What a model learns from: the recent past of each coin, in numbers that do not depend on its price."""

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import RSI_WINDOWS, Indicators

LEAST_LOOKBACK = 2 * RSI_WINDOWS


def predictors(frame: Frame, indicators: Indicators, lookback_bars: int) -> tuple[FloatArray, ...]:
    """Each (T, C), NaN where its window is not complete or holds a NaN; a row's see `lookback_bars` + 1 rows.

    Over the whole lookback, half, a quarter and an eighth of it: the return, how many deviations the price is from its
    mean, and the volatility; then the last return, the relative strength index, where the price stands in its channel,
    and the spread. `indicators` are those of `frame.last`.
    """
    if lookback_bars < LEAST_LOOKBACK:
        raise InvalidInput(f"a model needs to look back {LEAST_LOOKBACK} bars or more, not {lookback_bars}")
    spans = [lookback_bars // part for part in (1, 2, 4, 8)]
    found = [indicators.returns(1)]
    for span in spans:
        found += [indicators.returns(span), _distance(frame, indicators, span), indicators.volatility(span)]
    found.append(indicators.rsi(lookback_bars // RSI_WINDOWS))
    found += [_place(frame, indicators, span) for span in spans[:2]]
    found.append(frame.ask / frame.bid - 1.0)
    return tuple(found)


def _distance(frame: Frame, indicators: Indicators, window: int) -> FloatArray:
    away, deviation = frame.last - indicators.mean(window), indicators.deviation(window)
    return np.divide(away, deviation, out=np.where(np.isnan(away), np.nan, 0.0), where=deviation > 0.0)


def _place(frame: Frame, indicators: Indicators, window: int) -> FloatArray:
    """0 at the lowest price of the window, 1 at the highest; a half where they are the same."""
    low = indicators.lowest(window)
    height = indicators.highest(window) - low
    return np.divide(frame.last - low, height, out=np.where(np.isnan(height), np.nan, 0.5), where=height > 0.0)
