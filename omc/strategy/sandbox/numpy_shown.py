"""What arrays and their numbers show to code, and how they are written to."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.sandbox import guards
from omc.strategy.sandbox.clock import without_clock
from omc.strategy.sandbox.guards import show, show_family
from omc.strategy.sandbox.number_types import number_type, times_without_clock

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


def _astype(value: Any) -> Callable[..., Any]:
    def call(dtype: Any, **options: Any) -> Any:
        return value.astype(times_without_clock(number_type(dtype), (value,), {}), **_plain(options))

    return call


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


def _typed(name: str) -> guards.Wrapper:
    """A method that can be told the type of what it makes."""
    at = 3 if name == "trace" else 1

    def wrapper(value: Any) -> Callable[..., Any]:
        method = getattr(value, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if "dtype" in kwargs:
                kwargs["dtype"] = number_type(kwargs["dtype"])
            if len(args) > at:
                number_type(args[at])
            return method(*args, **kwargs)

        return call

    return wrapper


def _written(name: str) -> guards.Wrapper:
    """A method that writes what it is given."""

    def wrapper(value: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if value.dtype.kind == "M":
                without_clock(args, kwargs)
            return getattr(value, name)(*args, **kwargs)

        return call

    return wrapper


class _Times:
    """An array of times while it is written to."""

    __slots__ = ("_array",)

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __setitem__(self, key: Any, value: Any) -> None:
        without_clock((value,))
        self._array[key] = value


def _writable(array: np.ndarray) -> Any:
    return _Times(array) if array.dtype.kind == "M" else array


_TYPED = {name: _typed(name) for name in ("cumprod", "cumsum", "mean", "prod", "std", "sum", "var")}
show(
    np.ndarray,
    ARRAY,
    {
        **_TYPED,
        "astype": _astype,
        "fill": _written("fill"),
        "put": _written("put"),
        "repeat": _repeat,
        "trace": _typed("trace"),
    },
)
show_family(np.generic, SCALAR, {**_TYPED, "astype": _astype})
show_family(np.dtype, "itemsize kind name str")
show(np.random.Generator, GENERATOR)
show(np.finfo, "bits dtype eps max min resolution smallest_normal tiny")
show(np.iinfo, "bits dtype kind max min")
show(np.flatiter, "copy index")
guards.ITEMS.update(dict.fromkeys((np.ndarray, np.flatiter)))
guards.WRITTEN_ITEMS.update((np.ndarray, np.flatiter))
guards.WRITTEN_THROUGH[np.ndarray] = _writable
guards.CONTEXTS.add(np.errstate)
