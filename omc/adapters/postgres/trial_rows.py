"""Points of a sweep in PostgreSQL's binary COPY format: numbers as arrays, and a few bytes joined a point."""

from collections.abc import Sequence
from struct import pack
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from omc.adapters.postgres import jsonb
from omc.backtest.tried import Tried
from omc.feature.frame import FloatArray

COLUMNS = (
    "sweep_id",
    "index",
    "parameters",
    "figures",
    "fold_scores",
    "blocks",
    "pruned_after",
    "error_message",
    "traceback",
)
SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = pack(">i", -1)
_FLOAT8 = 701
ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])


def encoded(sweep_id: UUID, tried: Tried, names: Sequence[str]) -> bytes:
    """`tried` as a COPY stream of COLUMNS, its figures in the order of `names`."""
    start = pack(">h", len(COLUMNS)) + pack(">i", 16) + sweep_id.bytes + pack(">i", 4)
    figures = _arrays(np.column_stack([tried.column(name) for name in names]) if names else np.empty((len(tried), 0)))
    scores = _arrays(tried.fold_scores)
    blocks = _bytes(tried.blocks)
    indices = tried.indices.astype(">i4").tobytes()
    pieces = [SIGNATURE]
    for row, (index, parameters) in enumerate(zip(tried.indices.tolist(), tried.parameters, strict=True)):
        failure = tried.failures.get(index)
        said = _NULL * 3 if failure is None else _NULL + _text(failure.reason) + _text(failure.traceback)
        # A jsonb value begins with the version of its form.
        text = b"\x01" + _json(parameters)
        pieces += (
            start,
            indices[4 * row : 4 * row + 4],
            pack(">i", len(text)),
            text,
            figures[row],
            scores[row],
            blocks[row],
            said,
        )
    pieces.append(_END)
    return b"".join(pieces)


def _json(parameters: Any) -> bytes:
    try:
        return orjson.dumps(parameters)
    except TypeError:
        return jsonb.text(parameters).encode()


def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    # The one character that PostgreSQL's text cannot hold.
    written = text.replace("\x00", "").encode("utf-8", "replace")
    return pack(">i", len(written)) + written


def _arrays(values: FloatArray) -> list[bytes]:
    """Each row as a float8[]."""
    rows, width = values.shape
    if not width:
        empty = pack(">iiii", 12, 0, 0, _FLOAT8)
        return [empty] * rows
    head = pack(">iiiiii", 20 + 12 * width, 1, 0, _FLOAT8, width, 1)
    wire = np.empty((rows, width), ELEMENT)
    wire["length"], wire["value"] = 8, values
    return [head + row for row in _cut(wire.tobytes(), rows)]


def _bytes(blocks: FloatArray) -> list[bytes]:
    """Each row as a bytea of little-endian float64; NULL for one without blocks."""
    rows = len(blocks)
    if not blocks.size:
        return [_NULL] * rows
    whole = blocks.astype("<f8").tobytes()
    head = pack(">i", len(whole) // rows)
    return [head + row for row in _cut(whole, rows)]


def _cut(whole: bytes, rows: int) -> list[bytes]:
    size = len(whole) // rows if rows else 0
    return [whole[row * size : (row + 1) * size] for row in range(rows)]
