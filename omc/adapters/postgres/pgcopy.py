"""Price rows in PostgreSQL's binary COPY format, as numpy arrays: no Python object is made for a row."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_FIELDS = 5
_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from the year 2000."""

# Every field is preceded by its length, which is constant because nothing here is NULL or of variable width.
_WIRE = np.dtype(
    [
        ("fields", ">i2"),
        ("coin_length", ">i4"),
        ("coin", ">i2"),
        ("time_length", ">i4"),
        ("time", ">i8"),
        ("bid_length", ">i4"),
        ("bid", ">f8"),
        ("ask_length", ">i4"),
        ("ask", ">f8"),
        ("last_length", ">i4"),
        ("last", ">f8"),
    ]
)

ROW = np.dtype([("coin", "i2"), ("time", "M8[us]"), ("bid", "f8"), ("ask", "f8"), ("last", "f8")])
"""A price row: `coin` counts from 0 in whatever list of coins the caller has."""


def encoded(rows: NDArray[Any]) -> bytes:
    """Rows of `ROW` as a COPY stream of (smallint, timestamptz, float8, float8, float8)."""
    wire = np.empty(len(rows), _WIRE)
    wire["fields"] = _FIELDS
    wire["coin_length"] = 2
    for name in ("time", "bid", "ask", "last"):
        wire[f"{name}_length"] = 8
    wire["coin"] = rows["coin"]
    wire["time"] = rows["time"].astype("i8") - _EPOCH_US
    for name in ("bid", "ask", "last"):
        wire[name] = rows[name]
    return _SIGNATURE + wire.tobytes() + _END


def decoded(stream: memoryview) -> NDArray[Any]:
    """The inverse of `encoded`, in wire form: big-endian fields by name, without a copy. See `times`."""
    count, rest = divmod(len(stream) - len(_SIGNATURE) - len(_END), _WIRE.itemsize)
    if rest or count < 0:
        raise ValueError("not a COPY stream of fixed-width price rows")
    wire = np.frombuffer(stream, _WIRE, count=count, offset=len(_SIGNATURE))
    if count and not ((wire["fields"] == _FIELDS).all() and (wire["time_length"] == 8).all()):
        raise ValueError("a price row has a NULL or another number of fields")
    return wire


def times(wire: NDArray[Any]) -> NDArray[np.datetime64]:
    """The times of decoded rows as datetime64[us] in UTC."""
    return (wire["time"].astype("i8") + _EPOCH_US).view("M8[us]")
