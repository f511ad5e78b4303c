"""What may be handed to the methods of tables: which computations by their names, which types, no engines."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.sandbox.classes import is_own
from omc.strategy.sandbox.facade import real_kind
from omc.strategy.sandbox.number_types import number_type
from omc.strategy.sandbox.pandas_names import BY_NAME

_ENGINES = frozenset(["engine", "engine_kwargs", "win_type", "backend", "into"])
_METHODS = frozenset(
    ["average", "min", "max", "first", "dense", "pearson", "kendall", "spearman", "ffill", "bfill", "pad", "single"]
)
NAMED_TYPES = frozenset(
    [
        "category",
        "string",
        "str",
        "boolean",
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "Float32",
        "Float64",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
    ]
)


_FAST = frozenset(["numba", "cython", "bodo", "python"])


def named_type(kind: Any) -> Any:
    """A type of a column. InvalidInput for one that is neither of numbers nor among those that may be named."""
    return kind if kind is str or (type(kind) is str and kind in NAMED_TYPES) else number_type(kind)


def is_of_times(kind: Any) -> bool:
    kind = real_kind(kind)
    return kind is not str and not (type(kind) is str and kind in NAMED_TYPES) and np.dtype(kind).kind == "M"


def named(function: Any) -> Any:
    """The same, in lists that nobody else holds: code that is called could change its own while they are gone through.
    InvalidInput for a name by which something else than a computation could be reached."""
    if type(function) is str:
        if function not in BY_NAME:
            raise InvalidInput(f"{function!r} is not a computation that can be named: give the function itself")
        return function
    if type(function) in (list, tuple):
        return [named(each) for each in function]
    if type(function) is dict:
        return {name: named(each) for name, each in function.items()}
    # An object of the code's own could be called and be a list of names at once.
    if function is not None and (not callable(function) or is_own(type(function))):
        raise InvalidInput("a computation is a function or the name of one")
    return function


def options_allowed(options: Mapping[str, Any]) -> None:
    for name in _ENGINES.intersection(options):
        raise InvalidInput(f"{name} cannot be chosen here")
    method = options.get("method")
    if method is not None and (type(method) is not str or method not in _METHODS):
        raise InvalidInput(f"there is no method {method!r} here"[:200])


def no_engine(args: Any) -> None:
    if any(type(each) is str and each in _FAST for each in args):
        raise InvalidInput("the engine cannot be chosen here")
