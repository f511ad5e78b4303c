"""The platform's own parts, as algorithms import them: parameters, indicators, signals, labels.

Some of them end in compiled code, which trusts the shapes that it is given. What code hands to these is looked at
first.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.feature import doubling, indicator, label, predictors, schedule
from omc.feature.frame import Frame, bar_s, read_only
from omc.feature.indicator import CODES_OWN, Indicators
from omc.strategy import exit_parameters, parameter, signal
from omc.strategy.sandbox import guards
from omc.strategy.sandbox.bases import Builtin, Fitted, the_frame, the_indicators
from omc.strategy.sandbox.facade import FORM, Facade, Function, kind_only
from omc.strategy.sandbox.guards import show
from omc.strategy.sandbox.seen_frame import SeenFrame
from omc.trading.exits import Exits

MOST_BARS = 10_000_000
_ONE = ("mean", "deviation", "highest", "lowest", "returns", "volatility", "ema", "rsi", "rank")
FRAME = "ask bar_s bid coins data first_row indicators last rows select time times"


def whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or abs(int(value)) > MOST_BARS:
        raise InvalidInput(f"a number of bars is a whole number up to {MOST_BARS:,}, not {value!r}"[:200])
    return int(value)


def prices(value: Any) -> np.ndarray:
    """(T, C) float64."""
    if type(value) is not np.ndarray or value.dtype != np.float64 or value.ndim != 2:
        raise InvalidInput("an indicator is computed from an array of float64, bars by coins")
    return np.ascontiguousarray(value)


def _counted(name: str) -> guards.Wrapper:
    """An indicator, asked with whole numbers alone."""

    def wrapper(value: Any) -> Callable[..., Any]:
        method = getattr(value, name)
        return lambda *args, **kwargs: method(
            *map(whole_number, args), **{each: whole_number(given) for each, given in kwargs.items()}
        )

    return wrapper


def _correlation(value: Indicators) -> Callable[[Any, Any], Any]:
    return lambda window, coin: value.correlation(whole_number(window), whole_number(coin))


def _shared(value: Indicators) -> Callable[[Any, Callable[[], Any]], Any]:
    """Apart from the platform's own, so that none of those can be replaced."""

    def computed(compute: Callable[[], Any]) -> np.ndarray:
        made = compute()
        if type(made) is not np.ndarray or made.dtype.kind not in "biufmM":
            raise InvalidInput("what indicators share is an array of numbers")
        return made

    return lambda key, compute: value.shared((CODES_OWN, key), lambda: computed(compute))


def _window_of(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(values: Any, window: Any, ratio: float = 1.0) -> Any:
        if ratio == 1.0:
            return function(prices(values), whole_number(window))
        return function(prices(values), whole_number(window), float(ratio))

    return call


def _correlated(first: Any, second: Any, window: Any) -> Any:
    one, two = prices(first), prices(second)
    if one.shape != two.shape:
        raise InvalidInput(f"what is correlated has one shape, not {one.shape} and {two.shape}")
    return doubling.correlation(one, two, whole_number(window))


def _held(frame: Any, signals: Any, hold_bars: Any, share: Any) -> Any:
    of = the_frame(frame).last.shape
    if type(signals) is not np.ndarray or signals.dtype != np.int8 or signals.shape != of:
        raise InvalidInput(f"signals are an array of int8 as large as the frame, {of}")
    return signal.held(frame, signals, whole_number(hold_bars), float(share))


def _gain(frame: Any, horizon_bars: Any, fee_bps: Any = 0.0) -> Any:
    return label.gain(the_frame(frame), whole_number(horizon_bars), float(fee_bps))


def _predictors(frame: Any, indicators: Any, lookback_bars: Any) -> Any:
    return predictors.predictors(the_frame(frame), the_indicators(indicators), whole_number(lookback_bars))


def _times(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(times: Any, *every_bars: Any) -> Any:
        if type(times) is not np.ndarray or times.dtype.kind != "M" or times.ndim != 1:
            raise InvalidInput("times are an array of datetime64")
        return function(times, *map(whole_number, every_bars))

    return call


def _rolling(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(values: Any, window: Any) -> Any:
        if type(values) is not np.ndarray or values.dtype != np.float64 or values.ndim not in (1, 2):
            raise InvalidInput("a rolling statistic is computed from an array of float64")
        return function(np.ascontiguousarray(values), whole_number(window))

    return call


def _read_only(values: Any) -> Any:
    if type(values) is not np.ndarray:
        raise InvalidInput("read_only takes an array")
    return read_only(values)


_DOUBLING = {name: _window_of(getattr(doubling, name)) for name in ("average", "deviation", "highest", "lowest")}
_DOUBLING["correlation"] = _correlated
_NAMES: Mapping[str, Mapping[str, Any]] = {
    "omc.errors": {"InvalidInput": InvalidInput},
    "omc.feature.doubling": _DOUBLING,
    "omc.feature.frame": {
        "FloatArray": FORM,
        "TimeArray": FORM,
        "Frame": kind_only("Frame", Frame),
        "bar_s": _times(bar_s),
        "read_only": _read_only,
    },
    "omc.feature.indicator": {
        "EMA_SPANS": indicator.EMA_SPANS,
        "RSI_WINDOWS": indicator.RSI_WINDOWS,
        "Indicators": Function("Indicators", lambda values: Indicators(prices(values)), Indicators),
        "ema": _window_of(indicator.ema),
        "rolling_mean": _rolling(indicator.rolling_mean),
        "rolling_std": _rolling(indicator.rolling_std),
    },
    "omc.feature.label": {"gain": _gain, "label_rows": label.label_rows},
    "omc.feature.predictors": {"LEAST_LOOKBACK": predictors.LEAST_LOOKBACK, "predictors": _predictors},
    "omc.feature.schedule": {
        "BARS_A_YEAR": schedule.BARS_A_YEAR,
        "BAR_US": schedule.BAR_US,
        "microseconds": _times(schedule.microseconds),
        "period_starts": _times(schedule.period_starts),
    },
    "omc.strategy.builtin": {"Builtin": Builtin},
    "omc.strategy.exit_parameters": {
        name: getattr(exit_parameters, name) for name in ("NO_STOP", "NO_TARGET", "stop", "target", "trail")
    },
    "omc.strategy.model": {"Fitted": Fitted, "Scorer": FORM},
    "omc.strategy.parameter": {
        "Parameter": parameter.Parameter,
        "real": parameter.real,
        "whole": parameter.whole,
    },
    "omc.strategy.signal": {
        "ENTER": signal.ENTER,
        "LEAVE": signal.LEAVE,
        "SignalArray": FORM,
        "held": _held,
        "quoted": lambda frame: signal.quoted(the_frame(frame)),
        "signals": signal.signals,
    },
    "omc.trading.exits": {"Exits": Exits},
}


def platform_facades() -> dict[str, Facade]:
    """By module."""
    made = {
        module: Facade(module, {name: partial(lambda value: value, value) for name, value in names.items()})
        for module, names in _NAMES.items()
    }
    made["omc.feature"] = Facade("omc.feature", {"doubling": lambda: made["omc.feature.doubling"]})
    return made


for _kind in (Frame, SeenFrame):
    show(_kind, FRAME)
show(
    Indicators,
    "",
    {name: _counted(name) for name in (*_ONE, "macd")} | {"correlation": _correlation, "shared": _shared},
)
show(parameter.Parameter, "about check high integer low search")
show(Exits, "stop_loss take_profit time_stop_bars trailing trailing_offset trailing_tight")
