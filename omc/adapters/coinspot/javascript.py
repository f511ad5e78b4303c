"""JSON as a JavaScript server reads and writes it again: `JSON.stringify(JSON.parse(text))`.

CoinSpot seems to sign what its server parsed, not what was sent; this is that other text. Numbers become doubles and
print as V8 prints them (50.0 is 50, 1e-05 is 0.00001, 1e21 is 1e+21), keys that look like array indices move to the
front in order, a key given twice keeps its first place and its last value, and nothing printable is escaped.
"""

import json
import math
import re
from typing import Any

_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_INDEX = 2**32 - 2
_ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INTEGER = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*([+-]?[0-9]+)")


def parse(text: str) -> Any:
    """As JSON.parse does; ValueError for what it refuses. Every number is a float."""
    try:
        return json.loads(text, parse_int=float, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def stringify(value: Any) -> str:
    """As JSON.stringify does, for what `parse` gives."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return number(value) if math.isfinite(value) else "null"
        case str():
            return f'"{_ESCAPED.sub(_escape, value)}"'
        case list():
            return f"[{','.join(map(stringify, value))}]"
        case dict():
            return "{" + ",".join(f"{stringify(key)}:{stringify(value[key])}" for key in _in_order(value)) + "}"
    raise TypeError(f"{type(value).__name__} is nothing that JSON.parse gives")


def number(value: float) -> str:
    """A finite double as V8 prints it: the shortest digits that read back as the same double."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = f"e{point - 1:+d}"
    return sign + digits[0] + (f".{digits[1:]}" if count > 1 else "") + power


def parse_int(value: Any) -> int | None:
    """`parseInt(value, 10)` of a parsed value, a double like all its numbers; None where that is NaN or infinite."""
    found = _INTEGER.match(_text(value))
    parsed = float(found[1]) if found else math.inf
    return int(parsed) if math.isfinite(parsed) else None


def _text(value: Any) -> str:
    """`String(value)`."""
    match value:
        case str():
            return value
        case dict():
            return "[object Object]"
        case list():
            return ",".join("" if each is None else _text(each) for each in value)
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return stringify(value)


def _in_order(value: dict[str, Any]) -> list[str]:
    indices = [key for key in value if _ARRAY_INDEX.fullmatch(key) and int(key) <= _LARGEST_INDEX]
    first = set(indices)
    return sorted(indices, key=int) + [key for key in value if key not in first]


def _escape(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
