"""Columns as CSV."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np

from serve_apps.wire import money_text, time_text

# Writing some takes a moment, in which nothing else runs.
_AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the first ones in the width of East Asian letters, which some spreadsheets take for the same."""


def as_csv(columns: Mapping[str, Any]) -> str:
    """A row of names, then the values; empty where there is none. Times are RFC 3339, exact money has eight decimals.

    A text that a spreadsheet would take for a formula is quoted.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    rows = zip(*(_plain(values) for values in columns.values()), strict=True)
    while some := list(islice(rows, _AT_ONCE)):
        writer.writerows([[_cell(value) for value in row] for row in some])
    return text.getvalue()


def _plain(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return (values.astype("datetime64[us]") if values.dtype.kind == "M" else values).tolist()
    return values


def _cell(value: Any) -> Any:
    match value:
        case datetime():
            return time_text(value.replace(tzinfo=UTC))
        case Decimal():
            return money_text(value)
        case float():
            return "" if np.isnan(value) else repr(value)
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
    return value
