"""`hash`, where it is the same in each process."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.sandbox.classes import is_own

_HASHED = frozenset({bool, int, float, complex, str, bytes, timedelta})


def hash_of(value: Any) -> int:
    """`hash`, where it is of what a value says and not of where it lies in memory. Texts have the same one in
    processes that were started with the same PYTHONHASHSEED."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return hash(kind(map(hash_of, value)))
    if kind in _HASHED or (isinstance(value, np.generic | date) and not is_own(kind)):
        if value != value:
            raise InvalidInput("the hash of what is not a number differs from one process to the next")
        return hash(value)
    raise InvalidInput(f"the hash of a {kind.__name__} differs from one process to the next")
