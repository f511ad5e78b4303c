"""Compiled functions for code that was copied from the platform's own: the same function, compiled already.

Nothing can be compiled where people's code runs. But a built-in algorithm's source, copied, asks for functions that the
platform ships: where code, constants and the names it reads are the same, the shipped one stands in. Any other function
runs as plain Python.

Compiled code does not look whether an index lies inside its array, so a shipped function is called only with arguments
whose kinds and shapes were looked at; with any others the plain function runs, which looks at every index.
"""

from collections.abc import Callable, Mapping, Sequence
from types import BuiltinFunctionType, CodeType, ModuleType
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import read_only
from omc.strategy import logistic, momentum_rotation, moving_average_crossover, pairs
from omc.strategy.sandbox.facade import Facade, name_of
from omc.strategy.sandbox.guards import show

Args = Sequence[Any]
_COMPARED = (
    "co_code co_names co_varnames co_argcount co_kwonlyargcount co_posonlyargcount co_flags co_freevars co_cellvars"
)
_MISSING = object()


class _Unfit(Exception):
    """These arguments are not for compiled code."""


def _array(value: Any, dtype: type, *shape: int | None, written: bool = False) -> np.ndarray:
    """An array of exactly this type and shape (None for any length), as compiled functions were told to expect it."""
    fits = type(value) is np.ndarray and value.dtype == dtype and value.ndim == len(shape)
    if not fits or any(want not in (None, has) for want, has in zip(shape, value.shape, strict=True)):
        raise _Unfit
    if not written:
        return read_only(value)
    return value if value.flags.c_contiguous and value.flags.writeable else np.array(value, order="C")


def _number(value: Any) -> float:
    if type(value) not in (float, int, np.float64):
        raise _Unfit
    return float(value)


def _crossover(args: Args) -> Args:
    bid, ask, fast, slow, margin, share = args
    bid = _array(bid, np.float64, None, None)
    ask, fast, slow = (_array(each, np.float64, *bid.shape) for each in (ask, fast, slow))
    return bid, ask, fast, slow, _number(margin), _number(share)


def _rotation(args: Args) -> Args:
    returns, volatility, starts, quoted, rule = args
    returns = _array(returns, np.float64, None, None)
    volatility = _array(volatility, np.float64, *returns.shape)
    starts = _array(starts, np.int64, len(returns), written=True)
    if len(starts) and not -1 <= starts.min() <= starts.max() < len(returns):
        raise _Unfit
    top, least_return, place = rule
    if type(top) is not int or not 0 <= top < 2**31:
        raise _Unfit
    return (
        returns,
        volatility,
        starts,
        _array(quoted, np.bool_, *returns.shape),
        (top, _number(least_return), _number(place)),
    )


def _ratio(args: Args) -> Args:
    (last,) = args
    last = _array(last, np.float64, None, None)
    if last.shape[1] < 2:
        raise _Unfit
    return (last,)


def _scaled(args: Args) -> Args:
    return (_array(args[0], np.float64, None, None),) if len(args) == 1 else _unfit()


def _scores(args: Args) -> Args:
    found, center, scale, coefficients, intercept = args
    found = _array(found, np.float64, None, None)
    each = (_array(part, np.float64, found.shape[1], written=True) for part in (center, scale, coefficients))
    return (found, *each, _number(intercept))


def _learned(args: Args) -> tuple[Any, ...]:
    scaled, answers, weights, penalty, at = args
    scaled = _array(scaled, np.float64, None, None, written=True)
    rows, size = scaled.shape
    if not rows or not size:
        raise _Unfit
    answers, weights = _array(answers, np.float64, rows), _array(weights, np.float64, rows)
    return scaled, answers, weights, _number(penalty), _array(at, np.float64, size, written=True)


def _outputs(size: int, vector: Any, matrix: Any) -> tuple[Any, Any]:
    """Written to, so they must be what was handed in and not a copy."""
    made = _array(vector, np.float64, size, written=True), _array(matrix, np.float64, size, size, written=True)
    if made[0] is not vector or made[1] is not matrix:
        raise _Unfit
    return made


def _looked(args: Args) -> Args:
    *first, gradient, hessian = args
    fitted = _learned(first)
    return (*fitted, *_outputs(len(fitted[-1]), gradient, hessian))


def _solved(args: Args) -> Args:
    matrix, right = args
    if type(right) is not np.ndarray or right.ndim != 1 or not len(right):
        raise _Unfit
    right, matrix = _outputs(len(right), right, matrix)
    return matrix, right


def _unfit() -> Args:
    raise _Unfit


SHIPPED: Mapping[Any, Callable[[Args], Args]] = {
    moving_average_crossover._weights: _crossover,  # noqa: SLF001
    momentum_rotation._weights: _rotation,  # noqa: SLF001
    pairs._log_ratio: _ratio,  # noqa: SLF001
    logistic._scaled: _scaled,  # noqa: SLF001
    logistic._scores: _scores,  # noqa: SLF001
    logistic._newton: _learned,  # noqa: SLF001
    logistic._look: _looked,  # noqa: SLF001
    logistic._solved: _solved,  # noqa: SLF001
}
"""Each with what looks at its arguments."""


class Jitted:
    """A function that its author wants compiled."""

    __slots__ = ("_candidate", "_decided", "_names", "_plain")

    def __init__(self, plain: Callable[..., Any], original: CodeType | None, names: Mapping[str, Any]) -> None:
        self._plain, self._names = plain, names
        self._candidate = next((each for each in SHIPPED if original and _same(original, each.py_func.__code__)), None)
        self._decided = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # As numba does, the other names that it reads are looked at when it is first called.
        if not self._decided:
            self._candidate, self._decided = self.shipped(), True
        if self._candidate is not None and not kwargs:
            try:
                return self._candidate(*SHIPPED[self._candidate](args))
            except (_Unfit, ValueError, TypeError):
                # TypeError: compiled for other kinds of arrays only.
                return self._plain(*args)
        return self._plain(*args, **kwargs)

    def shipped(self, above: tuple["Jitted", ...] = ()) -> Any:
        """The shipped function that this one is, code for code, down to what it calls; None for any other."""
        found = self._candidate
        if found is None or self in above:
            return found
        theirs = found.py_func.__globals__
        for name in found.py_func.__code__.co_names:
            ours = self._names.get(name, _MISSING)
            same = _same_value(ours, theirs[name], (*above, self)) if name in theirs else ours is _MISSING
            if not same and (name in theirs or name in vars(__import__("builtins"))):
                return None
        return found


def _same(code: CodeType, other: CodeType) -> bool:
    if any(getattr(code, each) != getattr(other, each) for each in _COMPARED.split()):
        return False
    return len(code.co_consts) == len(other.co_consts) and all(
        _same(one, two) if isinstance(one, CodeType) and isinstance(two, CodeType) else repr(one) == repr(two)
        for one, two in zip(code.co_consts, other.co_consts, strict=True)
    )


def _same_value(ours: Any, theirs: Any, above: tuple[Jitted, ...]) -> bool:
    if type(ours) is Jitted:
        return bool(ours.shipped(above) is theirs)
    if isinstance(theirs, ModuleType):
        return type(ours) is Facade and name_of(ours) == theirs.__name__
    if isinstance(theirs, BuiltinFunctionType):
        return ours is theirs
    return type(ours) is type(theirs) and isinstance(theirs, int | float) and repr(ours) == repr(theirs)


def decorator(names: Mapping[str, Any], originals: Mapping[tuple[str, int], CodeType]) -> Callable[..., Any]:
    """`numba.njit`, with or without options, for code whose functions were compiled from `originals` before anything
    guarded them, and which reads `names`."""

    def njit(function: Any = None, **_: Any) -> Any:
        if function is None:
            return njit
        code = getattr(function, "__code__", None)
        if code is None or getattr(function, "__globals__", None) is not names:
            raise InvalidInput("njit stands above a function of the code's own")
        return Jitted(function, originals.get((code.co_name, code.co_firstlineno)), names)

    return njit


show(Jitted, "")
