"""Operations that could make something huge out of little: they look at the size first."""

import operator
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from omc.errors import InvalidInput

MOST_BITS = 65_536
MOST_ITEMS = 20_000_000
MOST_WIDTH = 9_999
_SEQUENCES = frozenset({list, tuple, str, bytes, deque})
_WIDTH = re.compile(r"\d{4}|\*")
_DIGITS = re.compile(r"\d{4}")


def times(left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is int and other is int:
        if left.bit_length() + right.bit_length() > MOST_BITS:
            raise InvalidInput("a whole number of that many digits is too long")
    elif kind in _SEQUENCES:
        _repeated(left, right)
    elif other in _SEQUENCES:
        _repeated(right, left)
    return left * right


def power(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and left.bit_length() * right > MOST_BITS:
        raise InvalidInput("a whole number of that many digits is too long")
    return left**right


def power_of(base: Any, exponent: Any, modulus: Any = None) -> Any:
    return power(base, exponent) if modulus is None else pow(base, exponent, modulus)


def rounded(number: Any, ndigits: Any = None) -> Any:
    """`round`, which computes ten to the power of what is to be cut off a whole number."""
    if type(number) is int and type(ndigits) is int and -ndigits > MOST_WIDTH:
        raise InvalidInput("a whole number of that many digits is too long")
    return round(number, ndigits)


def shifted(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and left.bit_length() + right > MOST_BITS:
        raise InvalidInput("a whole number of that many digits is too long")
    return left << right


def modulo(left: Any, right: Any) -> Any:
    if type(left) is bytes or (type(left) is str and _WIDTH.search(left)):
        raise InvalidInput("a width of that many characters is too wide")
    return left % right


def spec(text: str) -> str:
    """A format that was put together as the code ran."""
    if _DIGITS.search(text):
        raise InvalidInput("a width or precision of that many characters is too wide")
    return text


def _repeated(sequence: Any, count: Any) -> None:
    if isinstance(count, int | np.integer) and len(sequence) * int(count) > MOST_ITEMS:
        raise InvalidInput(f"more than {MOST_ITEMS:,} items are too many")


def _repeated_in_place(left: Any, right: Any) -> Any:
    _repeated_or_long(left, right)
    left *= right
    return left


def _modulo_in_place(left: Any, right: Any) -> Any:
    if type(left) in (str, bytes):
        return modulo(left, right)
    left %= right
    return left


def _power_in_place(left: Any, right: Any) -> Any:
    if type(left) is int:
        return power(left, right)
    left **= right
    return left


def _shifted_in_place(left: Any, right: Any) -> Any:
    if type(left) is int:
        return shifted(left, right)
    left <<= right
    return left


def _repeated_or_long(left: Any, right: Any) -> None:
    if type(left) in _SEQUENCES:
        _repeated(left, right)
    elif type(right) in _SEQUENCES:
        _repeated(right, left)
    elif type(left) is int and type(right) is int and left.bit_length() + right.bit_length() > MOST_BITS:
        raise InvalidInput("a whole number of that many digits is too long")


IN_PLACE: Mapping[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": _repeated_in_place,
    "/=": operator.itruediv,
    "%=": _modulo_in_place,
    "**=": _power_in_place,
    "<<=": _shifted_in_place,
    ">>=": operator.irshift,
    "|=": operator.ior,
    "^=": operator.ixor,
    "&=": operator.iand,
    "//=": operator.ifloordiv,
    "@=": operator.imatmul,
}


def in_place(sign: str, left: Any, right: Any) -> Any:
    return IN_PLACE[sign](left, right)
