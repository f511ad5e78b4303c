"""The clock that numpy and pandas read when a text says "now": an algorithm takes the time from the frame."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from omc.errors import InvalidInput

_NOW = frozenset({"now", "today"})
_DEEPEST = 4


def without_clock(*values: Any) -> None:
    """InvalidInput when one of them is, or holds, a text that stands for the time by the clock."""
    for each in values:
        _look(each, 0)


def _look(value: Any, depth: int) -> None:
    if isinstance(value, str | bytes):
        said = value if isinstance(value, str) else value.decode("latin-1")
        if said.strip().lower() in _NOW:
            raise InvalidInput(f"{said.strip()!r} would read the clock: an algorithm takes the time from the frame")
    elif depth < _DEEPEST:
        for each in _texts(value):
            _look(each, depth + 1)


def _texts(value: Any) -> Any:
    """What could be text in it."""
    if isinstance(value, list | tuple | set | frozenset | deque):
        return value
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, pd.DataFrame):
        return [column for _, column in value.items()]
    if isinstance(value, pd.Series | pd.Index):
        return () if value.dtype.kind in "biufcmM" else value.tolist()
    if isinstance(value, np.ndarray):
        return () if value.dtype.kind in "biufcmM" else value.ravel().tolist()
    return ()
