"""What tables, series, indexes, groups and windows show to code. What takes a function by its name takes few names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from omc.errors import InvalidInput
from omc.strategy.sandbox import guards
from omc.strategy.sandbox.clock import without_clock
from omc.strategy.sandbox.facade import real_kind
from omc.strategy.sandbox.guards import show, show_family
from omc.strategy.sandbox.pandas_calls import is_of_times, named, named_type, no_engine, options_allowed
from omc.strategy.sandbox.pandas_names import (
    FRAME,
    GROUPS,
    INDEX,
    OF_INDEX_TIMES,
    OF_LENGTHS,
    OF_TIMES,
    RESAMPLED,
    SERIES,
    WINDOW,
)

KINDS = frozenset({"DataFrame", "Series", "Index", "DatetimeIndex", "Timestamp", "Timedelta"})
"""The types of these that code may ask about."""


def _dispatching(name: str) -> guards.Wrapper:
    """A method that takes a function, or its name."""

    def wrapper(value: Any) -> Callable[..., Any]:
        def call(func: Any = None, *args: Any, **kwargs: Any) -> Any:
            options_allowed(kwargs)
            no_engine(args)
            if func is None:
                for each, pair in kwargs.items():
                    paired = type(pair) is tuple and len(pair) == 2
                    kwargs[each] = (pair[0], named(pair[1])) if paired else named(pair)
            if name not in ("map", "pipe") or type(func) is str:
                func = named(func)
            return getattr(value, name)(func, *args, **kwargs)

        return call

    return wrapper


def _without_engines(name: str) -> guards.Wrapper:
    def wrapper(value: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            options_allowed(kwargs)
            no_engine(args)
            return getattr(value, name)(*args, **kwargs)

        return call

    return wrapper


def _first_only(name: str, *kept: str) -> guards.Wrapper:
    """A method of which only the first argument, and these, may be given."""

    def wrapper(value: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            for each in kwargs:
                if each not in kept:
                    raise InvalidInput(f"{name} takes no {each} here")
            if len(args) > 1:
                raise InvalidInput(f"{name} takes its options by their names here")
            for window in (*args, kwargs.get("window")):
                if name == "rolling" and not isinstance(window, int | np.integer | str | pd.Timedelta | None):
                    raise InvalidInput("a window is a number of rows or a length of time")
            return getattr(value, name)(*args, **kwargs)

        return call

    return wrapper


def _typed(value: Any) -> Callable[..., Any]:
    def call(dtype: Any) -> Any:
        kinds = dtype if type(dtype) is dict else {"": dtype}
        real = {name: named_type(each) for name, each in kinds.items()}
        if any(each is not None and is_of_times(each) for each in real.values()):
            without_clock(value)
        return value.astype(real if type(dtype) is dict else real[""])

    return call


def _to_numpy(value: Any) -> Callable[..., Any]:
    def call(dtype: Any = None, copy: bool = False, **options: Any) -> Any:
        return value.to_numpy(dtype=None if dtype is None else named_type(dtype), copy=copy, **options)

    return call


def _replace(value: Any) -> Callable[..., Any]:
    """Values by values: a pattern can take forever on a short text."""

    def call(to_replace: Any = None, value_: Any = None, **options: Any) -> Any:
        for each in options:
            if each != "value":
                raise InvalidInput(f"replace takes no {each} here")
        new = {"value": options.get("value", value_)} if "value" in options or type(to_replace) is not dict else {}
        return value.replace(to_replace, **new)

    return call


def _select_dtypes(value: Any) -> Callable[..., Any]:
    def real(kinds: Any) -> Any:
        return [real_kind(each) for each in kinds] if isinstance(kinds, list | tuple) else real_kind(kinds)

    return lambda include=None, exclude=None: value.select_dtypes(real(include), real(exclude))


def _interpolate(value: Any) -> Callable[..., Any]:
    def call(method: str = "linear", *, limit: int | None = None) -> Any:
        if method in ("linear", "time", "index"):
            return value.interpolate(method=method, limit=limit)
        raise InvalidInput("values are interpolated linearly, by time or by index")

    return call


def _to_dict(value: Any) -> Callable[..., Any]:
    def call(orient: Any = "dict", **options: Any) -> Any:
        options_allowed(options)
        return value.to_dict(orient) if isinstance(value, pd.DataFrame) else value.to_dict()

    return call


def _column(asked: tuple[Any, str]) -> Any:
    table, name = asked
    if name in table.columns and not hasattr(pd.DataFrame, name):
        return table[name]
    raise InvalidInput(f"{name} of DataFrame is not among what algorithms may use")


_DISPATCH = {name: _dispatching(name) for name in ("agg", "aggregate", "apply", "transform", "map", "pipe")}
_WINDOWS = {
    "rolling": _first_only("rolling", "window", "min_periods", "center", "closed", "step", "on"),
    "ewm": _first_only("ewm", "com", "span", "halflife", "alpha", "min_periods", "adjust", "ignore_na"),
    "resample": _first_only("resample", "rule", "closed", "label", "on", "origin", "offset"),
    "groupby": _first_only("groupby", "by", "level", "as_index", "sort", "group_keys", "dropna", "observed"),
}
_TABLES = {
    **_DISPATCH,
    **_WINDOWS,
    "astype": _typed,
    "interpolate": _interpolate,
    "replace": _replace,
    "to_dict": _to_dict,
    "to_numpy": _to_numpy,
    "corr": _without_engines("corr"),
    "corrwith": _without_engines("corrwith"),
}
show(pd.DataFrame, FRAME, {**_TABLES, "select_dtypes": _select_dtypes, "*": _column})
show(pd.Series, SERIES, {name: each for name, each in _TABLES.items() if name != "corrwith"})
_LABELS = {"astype": _typed, "map": _dispatching("map"), "to_numpy": _to_numpy}
show(pd.DatetimeIndex, f"{INDEX} {OF_INDEX_TIMES}", _LABELS)
show(pd.TimedeltaIndex, f"{INDEX} {OF_LENGTHS}", _LABELS)
show_family(pd.Index, INDEX, _LABELS)


def _windowed(names: str, dispatch: str, plain: str = "") -> tuple[str, dict[str, guards.Wrapper]]:
    wrapped = {name: _without_engines(name) for name in names.split() if name not in plain.split()}
    return plain, wrapped | {name: _DISPATCH[name] for name in dispatch.split()}


_SOME = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.date_range("2025", periods=2))
_PLAIN_GROUPS = "groups indices ngroups"
for _group, _shown in (
    *((type(each), _windowed(WINDOW, "agg aggregate apply")) for each in (_SOME.rolling(2), _SOME.expanding())),
    (type(_SOME.ewm(2)), _windowed("corr cov mean std sum var", "agg aggregate")),
    (type(_SOME.groupby("a").rolling(2)), _windowed(WINDOW, "agg aggregate apply")),
    (type(_SOME.resample("D")), _windowed(RESAMPLED, "agg aggregate apply transform pipe", _PLAIN_GROUPS)),
    *(
        (type(each), _windowed(GROUPS, "agg aggregate apply transform pipe", _PLAIN_GROUPS))
        for each in (_SOME.groupby("a"), _SOME["a"].groupby(_SOME["a"]))
    ),
):
    show(_group, *_shown)
    if _group is not type(_SOME.ewm(2)):
        guards.ITEMS[_group] = guards.refuse_callables
for _group in (type(_SOME.groupby("a")), type(_SOME["a"].groupby(_SOME["a"]))):
    guards.SHOWN[_group] = {**guards.SHOWN[_group], "rolling": _WINDOWS["rolling"], "resample": _WINDOWS["resample"]}
show(type(_SOME.index.to_series().dt), OF_TIMES)
show(type(_SOME.index.to_series().diff().dt), " ".join(sorted({*OF_LENGTHS.split()} - {"mean", "std", "sum"})))
show(
    pd.Timestamp,
    f"{OF_TIMES} as_unit asm8 astimezone date fold isoformat isoweekday replace time timestamp to_datetime64 to_numpy "
    "to_pydatetime toordinal tzinfo utcoffset value",
)
show(
    pd.Timedelta,
    "as_unit asm8 ceil components days floor isoformat microseconds nanoseconds round seconds to_numpy to_pytimedelta "
    "to_timedelta64 total_seconds unit value",
)
_LOCATORS = tuple({type(each) for each in (_SOME.loc, _SOME.iloc, _SOME.at, _SOME.iat)})
_INDEXES = (pd.Index, pd.DatetimeIndex, pd.RangeIndex, pd.TimedeltaIndex, pd.MultiIndex, pd.CategoricalIndex)
guards.ITEMS.update(dict.fromkeys((pd.DataFrame, pd.Series, *_LOCATORS, *_INDEXES), guards.refuse_callables))
guards.WRITTEN_ITEMS.update((pd.DataFrame, pd.Series, *_LOCATORS))
guards.WRITTEN_ATTRIBUTES.update(
    {
        pd.DataFrame: frozenset({"columns", "index"}),
        pd.Series: frozenset({"index", "name"}),
        **dict.fromkeys((pd.Index, pd.DatetimeIndex, pd.RangeIndex), frozenset({"name", "names"})),
    }
)
