"""pandas, as far as algorithms may use it: what makes tables in memory."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omc.errors import InvalidInput
from omc.strategy.sandbox.clock import without_clock
from omc.strategy.sandbox.facade import Facade, Function
from omc.strategy.sandbox.imports import PANDAS
from omc.strategy.sandbox.pandas_calls import is_of_times, named_type
from omc.strategy.sandbox.pandas_shown import KINDS

MOST_ROWS = 20_000_000


_TYPED_AT = {"Series": 2, "DataFrame": 3, "Index": 1, "DatetimeIndex": 6, "DataFrame.from_dict": 2, "get_dummies": 7}
"""Where a type may stand without its name."""
_OF_TIMES = frozenset({"DatetimeIndex", "Timestamp", "date_range", "to_datetime"})


def _constructor(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    at = _TYPED_AT.get(name)

    def call(*args: Any, **kwargs: Any) -> Any:
        kind = kwargs.get("dtype")
        if at is not None and len(args) > at:
            kind, args = args[at], (*args[:at], named_type(args[at]), *args[at + 1 :])
        elif kind is not None:
            kwargs["dtype"] = named_type(kind)
        periods = kwargs.get("periods", 0)
        if isinstance(periods, int | float | np.number) and periods > MOST_ROWS:
            raise InvalidInput(f"pd.{name} would make more than {MOST_ROWS:,} rows")
        if name in _OF_TIMES or (kind is not None and is_of_times(kind)):
            without_clock(args, kwargs)
        return function(*args, **kwargs)

    return call


def _made(name: str) -> Any:
    value = getattr(pd, name)
    if name in ("NA", "NaT"):
        return value
    parts = {}
    if name == "DataFrame":
        from_dict = _constructor("DataFrame.from_dict", pd.DataFrame.from_dict)
        parts["from_dict"] = Function("pd.DataFrame.from_dict", from_dict)
    return Function(f"pd.{name}", _constructor(name, value), value if name in KINDS else None, parts)


def pandas_facade() -> Facade:
    return Facade("pandas", {name: partial(_made, name) for name in PANDAS.split()})
