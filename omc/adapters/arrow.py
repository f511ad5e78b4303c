"""A table as an Arrow IPC stream: money is decimal128(38, 8), to the last decimal, times are microseconds in UTC."""

import io
from typing import Any

import numpy as np
import pyarrow as pa

from omc.feature.table import Columns, Kind, Schema
from omc.market.money import money_units

_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "time": pa.timestamp("us", tz="UTC"),
    "money": pa.decimal128(38, 8),
    "number": pa.float64(),
    "whole": pa.int64(),
    "flag": pa.bool_(),
}


class ArrowWriter:
    """A TableWriter: each piece becomes a record batch."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._out = io.BytesIO()
        self._stream = pa.ipc.new_stream(self._out, pa.schema([(name, _TYPES[kind]) for name, kind in schema.items()]))

    def write(self, columns: Columns) -> bytes:
        arrays = [_array(kind, columns[name]) for name, kind in self._schema.items()]
        self._stream.write_batch(pa.record_batch(arrays, names=list(self._schema)))
        return self._taken()

    def close(self) -> bytes:
        self._stream.close()
        return self._taken()

    def _taken(self) -> bytes:
        written = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return written


def _array(kind: Kind, values: Any) -> pa.Array:
    match kind:
        case "money":
            return _decimals(values)
        case "number":
            return pa.array(values, pa.float64(), from_pandas=True)
        case "time":
            return pa.array(values).cast(_TYPES["time"])
        case _:
            return pa.array(values, _TYPES[kind])


def _decimals(values: Any) -> pa.Array:
    """128 bits each, of which the upper half repeats the sign: no Python object is made for a value."""
    units, known = money_units(values)
    wide = np.empty((len(units), 2), "<i8")
    wide[:, 0] = units
    wide[:, 1] = units >> 63
    missing = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.Array.from_buffers(_TYPES["money"], len(units), [missing, pa.py_buffer(wide)])
