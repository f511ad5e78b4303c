"""Rows on their way out of the platform: columns by name, each of one kind, written piece by piece."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from math import isnan
from typing import Any, Literal, Protocol

import numpy as np

from omc.feature.frame import TimeArray, as_datetime64
from omc.market.money import from_units, money_units

Kind = Literal["text", "texts", "time", "money", "number", "whole", "flag"]
"""`text` and `texts` are lists of str or None, and of sequences of str; `time` is datetime64[us] in UTC, NaT where
there is none; `money` is float64 on the eight-decimal grid and `number` any float64, both NaN where there is none;
`whole` is int64 and `flag` bool."""
Schema = Mapping[str, Kind]
Columns = Mapping[str, Any]
"""By the names of a schema, in its order, all of one length."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the first ones in the width of East Asian letters, which some spreadsheets take for the same."""


class TableWriter(Protocol):
    """Pieces of a table in, pieces of a file out."""

    def write(self, columns: Columns) -> bytes: ...

    def close(self) -> bytes:
        """What is left to be written after the last piece."""
        ...


MakeWriter = Callable[[Schema], TableWriter]


class CsvWriter:
    """A TableWriter of CSV: a row of names, then the values; empty where there is none.

    Money has eight decimals, times are RFC 3339, flags true and false, texts stand between spaces. A text that a
    spreadsheet would take for a formula begins with an apostrophe.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._named = False

    def write(self, columns: Columns) -> bytes:
        shown = [_cells(kind, columns[name]) for name, kind in self._schema.items()]
        return self._rows(zip(*shown, strict=True))

    def close(self) -> bytes:
        return self._rows(())

    def _rows(self, rows: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        if not self._named:
            self._named = True
            writer.writerow(self._schema)
        writer.writerows(rows)
        return text.getvalue().encode()


def columns_of(schema: Schema, rows: Sequence[Mapping[str, Any]]) -> Columns:
    """The inverse of `records`."""
    return {name: _column(kind, [row[name] for row in rows]) for name, kind in schema.items()}


def _column(kind: Kind, values: list[Any]) -> Any:
    match kind:
        case "time":
            return np.array(
                [np.datetime64("NaT") if each is None else as_datetime64(each) for each in values], "M8[us]"
            )
        case "money" | "number":
            return np.array([np.nan if each is None else float(each) for each in values], np.float64)
        case "whole":
            return np.array(values, np.int64)
        case "flag":
            return np.array(values, np.bool_)
        case "text" | "texts":
            return values


def records(schema: Schema, columns: Columns) -> list[dict[str, Any]]:
    """The rows one by one, by the names of the schema: None where there is nothing, money as Decimal."""
    values = [_values(kind, columns[name]) for name, kind in schema.items()]
    return [dict(zip(schema, row, strict=True)) for row in zip(*values, strict=True)]


def _values(kind: Kind, values: Any) -> list[Any]:
    match kind:
        case "time":
            return [each and each.replace(tzinfo=UTC) for each in values.astype("M8[us]").tolist()]
        case "money":
            units, known = money_units(values)
            pairs = zip(units.tolist(), known.tolist(), strict=True)
            return [from_units(each) if there else None for each, there in pairs]
        case "number":
            return [None if isnan(each) else each for each in values.tolist()]
        case "whole" | "flag":
            return values.tolist()
        case "text" | "texts":
            return list(values)


def _cells(kind: Kind, values: Any) -> list[str]:
    match kind:
        case "text":
            return [_harmless(each or "") for each in values]
        case "texts":
            return [_harmless(" ".join(each)) for each in values]
        case "time":
            return time_texts(values)
        case "money":
            units, known = money_units(values)
            pairs = zip(units.tolist(), known.tolist(), strict=True)
            return [f"{each // 10**8}.{each % 10**8:08d}" if there else "" for each, there in pairs]
        case "number":
            return ["" if isnan(each) else repr(each) for each in values.tolist()]
        case "whole":
            return list(map(str, values.tolist()))
        case "flag":
            return ["true" if each else "false" for each in values.tolist()]


def time_texts(times: TimeArray) -> list[str]:
    """RFC 3339 in UTC, with a fraction only where there is one; empty for NaT."""
    whole = times.astype("M8[s]")
    # Writing the fraction takes twice as long, and there hardly ever is one.
    if ((whole == times) | np.isnat(times)).all():
        return ["" if each == "NaT" else f"{each}Z" for each in np.datetime_as_string(whole).tolist()]
    exact = np.datetime_as_string(times).tolist()
    return ["" if each == "NaT" else f"{each.removesuffix('.000000')}Z" for each in exact]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
