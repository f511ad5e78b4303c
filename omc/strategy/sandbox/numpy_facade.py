"""numpy, as far as algorithms may use it: arrays of numbers, and what computes on them in memory."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from omc.errors import InvalidInput
from omc.strategy.sandbox.clock import without_clock
from omc.strategy.sandbox.facade import Facade, Function, kind_only, real_kind
from omc.strategy.sandbox.number_types import number_type, times_without_clock
from omc.strategy.sandbox.numpy_names import ABSTRACT, CONSTANTS, LINALG, NUMPY, SCALARS
from omc.strategy.sandbox.numpy_shown import MOST_ELEMENTS

_REFUSED_OPTIONS = frozenset({"like", "subok", "sig", "signature", "allow_pickle"})


def _looked_over(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    at, filled = _TYPED_AT.get(name), not isinstance(function, np.ufunc)

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for option in _REFUSED_OPTIONS.intersection(kwargs):
                raise InvalidInput(f"np.{name} takes no {option} here")
            if not filled and "where" in kwargs and kwargs.get("out") is None:
                raise InvalidInput(f"np.{name} with where needs out: the rest would be whatever memory held before")
            if "dtype" in kwargs:
                kwargs["dtype"] = times_without_clock(number_type(kwargs["dtype"]), args, kwargs)
        if at is not None and len(args) > at:
            args = (*args[:at], times_without_clock(number_type(args[at]), args, kwargs), *args[at + 1 :])
        made = function(*args, **kwargs)
        if type(made) is np.ndarray and made.dtype.kind in "OV":
            raise InvalidInput(f"np.{name} would make an array of objects: algorithms compute on numbers")
        return made

    return call


_TYPED_AT = {
    **dict.fromkeys(
        ["array", "asarray", "empty", "empty_like", "fromiter", "identity", "ones", "ones_like", "zeros", "zeros_like"],
        1,
    ),
    **dict.fromkeys(["ascontiguousarray"], 1),
    **dict.fromkeys(["full", "full_like"], 2),
    **dict.fromkeys(["arange", "eye", "tri"], 3),
    **dict.fromkeys(["cumprod", "cumsum", "mean", "nanmean", "prod", "std", "sum", "var"], 2),
}
"""Where a type of numbers may stand without its name."""


def _sized(name: str, size: Callable[..., int], function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses what would not fit before it is tried."""
    inner = _looked_over(name, function)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            count = size(*args, **kwargs)
        except (TypeError, ValueError, IndexError, OverflowError):
            count = 0  # for numpy to refuse
        if count > MOST_ELEMENTS:
            raise InvalidInput(f"np.{name} would make more than {MOST_ELEMENTS:,} numbers")
        return inner(*args, **kwargs)

    return call


def _elements(shape: Any = 0, *_: Any, **__: Any) -> int:
    return prod(int(each) for each in shape) if isinstance(shape, tuple | list) else int(shape)


def _points(start: Any, stop: Any, num: Any = 50, *_: Any, **__: Any) -> int:  # noqa: ARG001
    return int(num)


def _square(N: Any = None, M: Any = None, *_: Any, n: Any = None, **__: Any) -> int:  # noqa: N803 (as numpy calls them)
    rows = N if n is None else n
    return int(rows) * int(rows if M is None else M)


def _steps(start: Any = None, stop: Any = None, step: Any = 1, *_: Any, **__: Any) -> int:
    first, last = (0, start) if stop is None else (start or 0, stop)
    return int((last - first) / step)


def _times(a: Any, repeats: Any, *_: Any, **__: Any) -> int:
    return int(np.size(a)) * int(np.max(repeats))


def _tiles(A: Any, reps: Any) -> int:  # noqa: N803 (as numpy calls it)
    return int(np.size(A)) * _elements(reps)


def _pairs(a: Any, b: Any, *_: Any, **__: Any) -> int:
    return int(np.size(a)) * int(np.size(b))


_SIZES: Mapping[str, Callable[..., int]] = {
    **dict.fromkeys(("zeros", "ones", "empty", "full"), _elements),
    **dict.fromkeys(("identity", "eye", "tri"), _square),
    **dict.fromkeys(("linspace", "logspace", "geomspace"), _points),
    **dict.fromkeys(("outer", "kron"), _pairs),
    "indices": lambda dimensions, *_, **__: len(dimensions) * _elements(dimensions),
    "fromfunction": lambda function, shape, **_: _elements(shape),  # noqa: ARG005
    "arange": _steps,
    "fromiter": lambda iter, dtype=None, count=-1, **_: int(count),  # noqa: A006, ARG005
    "repeat": _times,
    "tile": _tiles,
    "pad": lambda array, pad_width, *_, **__: np.size(array) * (1 + 2 * int(np.max(pad_width))),
    "bincount": lambda x, *_, minlength=0, **__: max(int(np.max(x)), int(minlength)),
    "vander": lambda x, N=None, *_, **__: np.size(x) * int(N or np.size(x)),  # noqa: N803
    "diag": lambda v, *_, **__: np.size(v) ** 2 if np.ndim(v) == 1 else 0,
}
"""How many numbers each would make, by numpy's own names of its arguments."""


def _function(name: str, function: Any, prefix: str = "np.") -> Function:
    sizes = _SIZES.get(name) if prefix == "np." else None
    call = _sized(name, sizes, function) if sizes else _looked_over(name, function)
    parts = {}
    if isinstance(function, np.ufunc):
        parts = {
            each: Function(f"np.{name}.{each}", _looked_over(f"{name}.{each}", getattr(function, each)))
            for each in ("accumulate", "reduce")
            if function.nin == 2
        }
    return Function(prefix + name, call, parts=parts)


def _time(*args: Any) -> Any:
    without_clock(args)
    return np.datetime64(*args)


def _is_subtype(one: Any, other: Any) -> bool:
    return np.issubdtype(real_kind(one), real_kind(other))


_REPLACED: Mapping[str, Callable[..., Any]] = {
    # What memory held before is nothing to decide on.
    "empty": np.zeros,
    "empty_like": np.zeros_like,
    "issubdtype": _is_subtype,
}


def _made(name: str) -> Any:
    value = _REPLACED.get(name, getattr(np, name))
    if name == "datetime64":
        return Function("np.datetime64", _time, np.datetime64)
    if name in CONSTANTS or name in SCALARS:
        return value
    if name in ABSTRACT:
        return kind_only(f"np.{name}", value)
    if name == "errstate":
        return Function("np.errstate", np.errstate)
    if name == "dtype":
        return Function("np.dtype", lambda kind: np.dtype(number_type(kind)), np.dtype)
    return _function(name, value)


def generator(seed: Any = None) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InvalidInput(
            "np.random.default_rng needs a whole number as its seed, so that a decision can be made again"
        )
    return np.random.default_rng(int(seed))


def numpy_facade() -> Facade:
    makers: dict[str, Callable[[], Any]] = {name: partial(_made, name) for name in NUMPY.split()}
    linalg = {name: partial(_function, name, getattr(np.linalg, name), "np.linalg.") for name in LINALG.split()}
    makers["linalg"] = lambda: Facade("np.linalg", {**linalg, "LinAlgError": lambda: np.linalg.LinAlgError})
    makers["random"] = random_facade
    return Facade("numpy", makers)


def random_facade() -> Facade:
    return Facade(
        "np.random",
        {
            "default_rng": lambda: Function("np.random.default_rng", generator),
            "Generator": lambda: kind_only("np.random.Generator", np.random.Generator),
        },
    )


def windows(values: Any, window: Any, axis: Any = None) -> np.ndarray:
    """`sliding_window_view`, which cannot be written to."""
    return sliding_window_view(np.asarray(values), window, axis)
