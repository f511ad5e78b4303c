"""pandas, as far as algorithms may use it: what makes tables in memory."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omc.errors import InvalidInput
from omc.strategy.sandbox.facade import Facade, Function
from omc.strategy.sandbox.imports import PANDAS
from omc.strategy.sandbox.numpy_facade import number_type
from omc.strategy.sandbox.pandas_shown import NAMED_TYPES

MOST_ROWS = 20_000_000


def _constructor(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("dtype") is not None and not (type(kwargs["dtype"]) is str and kwargs["dtype"] in NAMED_TYPES):
            number_type(kwargs["dtype"])
        periods = kwargs.get("periods", 0)
        if isinstance(periods, int | float | np.number) and periods > MOST_ROWS:
            raise InvalidInput(f"pd.{name} would make more than {MOST_ROWS:,} rows")
        if any(type(each) is str and each in ("now", "today") for each in (*args, *kwargs.values())):
            raise InvalidInput("an algorithm takes the time from the frame")
        return function(*args, **kwargs)

    return call


_KINDS = {"DataFrame", "Series", "Index", "DatetimeIndex", "Timestamp", "Timedelta"}


def _made(name: str) -> Any:
    value = getattr(pd, name)
    if name in ("NA", "NaT"):
        return value
    parts = {"from_dict": Function("pd.DataFrame.from_dict", pd.DataFrame.from_dict)} if name == "DataFrame" else {}
    return Function(f"pd.{name}", _constructor(name, value), value if name in _KINDS else None, parts)


def pandas_facade() -> Facade:
    return Facade("pandas", {name: partial(_made, name) for name in PANDAS.split()})
