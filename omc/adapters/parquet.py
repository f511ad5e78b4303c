"""Columns of equal length as a Parquet file in memory, compressed by zstd, and back: no number changes its last bit."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_TIME = pa.timestamp("us", tz="UTC")
_MONEY = pa.decimal128(38, 8)


def encode(columns: Mapping[str, Any]) -> bytes:
    """`columns` are numpy arrays (datetime64 is UTC), or lists of one kind: Decimal to eight places, str, int, float,
    bool; None, or NaN, where there is no value."""
    table = pa.table({name: _array(values) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def decode(file: bytes) -> dict[str, Any]:
    """What `encode` was given: numbers and times as numpy arrays, everything else as lists."""
    table = pq.read_table(pa.BufferReader(file))
    return {name: _values(table.column(name)) for name in table.column_names}


def _array(values: Any) -> pa.Array:
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "M":
            return pa.array(values.astype("datetime64[us]"), _TIME)
        # NaN is no value: other programs tell the two apart.
        return pa.array(values, from_pandas=True)
    if any(isinstance(value, Decimal) for value in values):
        return pa.array(values, _MONEY)
    return pa.array(values)


def _values(column: pa.ChunkedArray) -> Any:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us")).to_numpy()
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return column.to_numpy()
    return column.to_pylist()
