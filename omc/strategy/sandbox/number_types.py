"""The types that arrays may have: of numbers, truths and times."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.sandbox.clock import without_clock
from omc.strategy.sandbox.facade import real_kind
from omc.strategy.sandbox.numpy_names import SCALARS

_NUMBERS = frozenset("biufcmM")


def number_type(kind: Any) -> Any:
    """A type of numbers; InvalidInput for any other: memory read as what it is not would be a way out."""
    kind = real_kind(kind)
    if kind is None or kind in (bool, int, float, complex):
        return kind
    if isinstance(kind, type) and issubclass(kind, np.generic):
        found = np.dtype(kind) if kind.__name__ in SCALARS else None
    elif isinstance(kind, np.dtype):
        found = kind
    elif type(kind) is str and len(kind) <= 16:
        try:
            found = np.dtype(kind)
        except (TypeError, ValueError, SyntaxError):
            found = None
    else:
        found = None
    if found is None or found.kind not in _NUMBERS or found.hasobject or found.shape:
        raise InvalidInput(f"an array is of numbers, truths or times, not of {kind!r}"[:200])
    return kind


def times_without_clock(kind: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """A type of numbers as it came; among times, no text may say "now"."""
    if kind is not None and np.dtype(kind).kind == "M":
        without_clock(args, kwargs)
    return kind
