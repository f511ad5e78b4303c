"""numpy, as far as algorithms may use it: arrays of numbers, and what computes on them in memory."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from omc.errors import InvalidInput
from omc.strategy.sandbox import guards
from omc.strategy.sandbox.facade import Facade, Function, kind_only
from omc.strategy.sandbox.guards import show, show_family
from omc.strategy.sandbox.numpy_names import ABSTRACT, CONSTANTS, LINALG, NUMPY, SCALARS

MOST_ELEMENTS = 300_000_000
ARRAY = """T all any argmax argmin argpartition argsort choose clip compress conj conjugate copy cumprod
cumsum diagonal dot dtype fill flat flatten imag item itemsize mT max mean min nbytes ndim nonzero partition prod
put ravel real reshape round searchsorted shape size sort squeeze std sum swapaxes take tolist trace transpose var"""
SCALAR = """T all any as_integer_ratio clip conj conjugate copy cumprod cumsum dtype flatten imag
is_integer item itemsize max mean min nbytes ndim prod ravel real reshape round shape size squeeze std sum tolist
var"""
GENERATOR = """beta binomial chisquare choice dirichlet exponential gamma geometric gumbel integers laplace
logistic lognormal multinomial multivariate_normal normal pareto permutation permuted poisson power random
rayleigh shuffle standard_cauchy standard_exponential standard_gamma standard_normal standard_t triangular uniform
weibull"""
_NUMBERS = frozenset("biufcmM")
_REFUSED_OPTIONS = frozenset({"like", "subok", "sig", "signature", "allow_pickle"})


def number_type(kind: Any) -> Any:
    """A type of numbers, as it came; InvalidInput for any other: memory read as what it is not would be a way out."""
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


def _looked_over(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for option in _REFUSED_OPTIONS.intersection(kwargs):
                raise InvalidInput(f"np.{name} takes no {option} here")
            if "dtype" in kwargs:
                number_type(kwargs["dtype"])
        if name in _TYPED_AT and len(args) > _TYPED_AT[name]:
            number_type(args[_TYPED_AT[name]])
        made = function(*args, **kwargs)
        if type(made) is np.ndarray and (made.dtype.hasobject or made.dtype.names):
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


def _made(name: str) -> Any:
    value = getattr(np, name)
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


def _astype(value: Any) -> Callable[..., Any]:
    return lambda dtype, **options: value.astype(number_type(dtype), **_plain(options))


def _plain(options: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in options:
        if name not in {"copy", "order", "casting"}:
            raise InvalidInput(f"astype takes no {name} here")
    return options


def _repeat(value: Any) -> Callable[..., Any]:
    return partial(_repeated, value)


def _repeated(value: Any, repeats: Any, axis: Any = None) -> Any:
    if np.size(value) * int(np.max(repeats)) > MOST_ELEMENTS:
        raise InvalidInput(f"repeat would make more than {MOST_ELEMENTS:,} numbers")
    return value.repeat(repeats, axis)


show(np.ndarray, ARRAY, {"astype": _astype, "repeat": _repeat})
show_family(np.generic, SCALAR, {"astype": _astype})
show_family(np.dtype, "itemsize kind name str")
show(np.random.Generator, GENERATOR)
show(np.finfo, "bits dtype eps max min resolution smallest_normal tiny")
show(np.iinfo, "bits dtype kind max min")
show(np.flatiter, "copy index")
guards.ITEMS.update(dict.fromkeys((np.ndarray, np.flatiter)))
guards.WRITTEN_ITEMS.update((np.ndarray, np.flatiter))
guards.CONTEXTS.add(np.errstate)
