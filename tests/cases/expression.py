"""One-line descriptions of an entry, like `close[t-10] < close[t]` or `rolling(50) z-score`, as something to compute.

Only what is listed here is understood: prices at a row or a number of rows from it, numbers, arithmetic, comparisons,
and the indicators and methods of a series that are named below. Nothing else is evaluated.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

_METHODS = frozenset(
    {"abs", "bfill", "clip", "cummax", "cummin", "cumsum", "diff", "ewm", "expanding", "ffill", "interpolate", "max"}
    | {"mean", "median", "min", "pct_change", "quantile", "rank", "rolling", "shift", "std", "sum", "var"}
)
_INDICATORS: Mapping[str, Callable[[pd.Series, int], pd.Series]] = {
    "sma": lambda close, window: close.rolling(window).mean(),
    "ema": lambda close, window: close.ewm(span=window, adjust=False).mean(),
    "std": lambda close, window: close.rolling(window).std(),
    "highest": lambda close, window: close.rolling(window).max(),
    "lowest": lambda close, window: close.rolling(window).min(),
    "roc": lambda close, window: close.pct_change(window, fill_method=None),
    "rsi": lambda close, window: _relative_strength(close, window),
}
_BINARY: Mapping[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_COMPARISONS: Mapping[type, Callable] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ROLLING = re.compile(r"^rolling\((\d+)\)[ -]*(z-?score|mean|std|min|max|median|sum)$")


class NotUnderstood(ValueError):
    """An entry that says something which is not known here."""


def translate(entry: str) -> Callable[[Mapping[str, pd.Series]], np.ndarray]:
    """What computes the entry from series of prices by name. NotUnderstood for anything else."""
    text = entry.strip().lower()
    if rolling := _ROLLING.match(text):
        window, what = int(rolling.group(1)), rolling.group(2)
        return lambda prices: _rolling(prices["close"], window, what)
    try:
        tree = ast.parse(text.replace("df.", ""), mode="eval").body
    except SyntaxError as reason:
        raise NotUnderstood(entry) from reason
    if not any(isinstance(node, ast.Compare | ast.Subscript | ast.Call) for node in ast.walk(tree)):
        raise NotUnderstood(entry)

    def compute(prices: Mapping[str, pd.Series]) -> np.ndarray:
        value = _value(tree, prices)
        length = len(prices["close"])
        return np.broadcast_to(np.asarray(value, float), (length,)).copy()

    # What is not understood is found out now, not when it is computed.
    sample = pd.Series(np.linspace(1.0, 2.0, 64))
    compute(dict.fromkeys(("open", "high", "low", "close", "volume"), sample))
    return compute


def _rolling(close: pd.Series, window: int, what: str) -> np.ndarray:
    if what.startswith("z"):
        # Each window anew: a sum that is carried along remembers more than its window.
        if len(close) < window:
            return np.full(len(close), np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(close.to_numpy(), window)
        found = np.full(len(close), np.nan)
        deviation = windows.std(axis=1)
        away = windows[:, -1] - windows.mean(axis=1)
        found[window - 1 :] = np.divide(away, deviation, out=np.zeros(len(away)), where=deviation > 0)
        return found
    return np.asarray(getattr(close.rolling(window), what)(), float)


def _relative_strength(close: pd.Series, window: int) -> pd.Series:
    change = close.diff()
    up, down = (
        part.ewm(alpha=1 / window, adjust=False).mean() for part in (change.clip(lower=0), -change.clip(upper=0))
    )
    return 100 - 100 / (1 + up / down)


def _value(node: ast.expr, prices: Mapping[str, pd.Series]):
    match node:
        case ast.Constant(value) if isinstance(value, int | float):
            return value
        case ast.Name(name) if name in prices:
            return prices[name]
        case ast.Subscript(ast.Name(name), index) if name in prices:
            return prices[name].shift(-_offset(index))
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, prices)
        case ast.BinOp(left, sign, right) if type(sign) in _BINARY:
            return _BINARY[type(sign)](_value(left, prices), _value(right, prices))
        case ast.Compare(left, [sign], [right]) if type(sign) in _COMPARISONS:
            return _COMPARISONS[type(sign)](_value(left, prices), _value(right, prices))
        case ast.BoolOp(joined, values):
            every = [np.asarray(_value(each, prices), bool) for each in values]
            return np.logical_and.reduce(every) if isinstance(joined, ast.And) else np.logical_or.reduce(every)
        case ast.Call(ast.Name(name), [ast.Constant(int(window))], []) if name in _INDICATORS:
            return _INDICATORS[name](prices["close"], window)
        case ast.Call(ast.Attribute(owner, method), arguments, keywords) if method in _METHODS:
            positional = [_value(each, prices) for each in arguments]
            named = {each.arg: _value(each.value, prices) for each in keywords if each.arg is not None}
            return getattr(_value(owner, prices), method)(*positional, **named)
    raise NotUnderstood(ast.unparse(node))


def _offset(index: ast.expr) -> int:
    """Rows from t: `t`, `t-10`, `t+10`."""
    match index:
        case ast.Name("t"):
            return 0
        case ast.BinOp(ast.Name("t"), ast.Add(), ast.Constant(int(rows))):
            return rows
        case ast.BinOp(ast.Name("t"), ast.Sub(), ast.Constant(int(rows))):
            return -rows
    raise NotUnderstood(ast.unparse(index))
