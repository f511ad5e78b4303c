"""Points of a sweep out of PostgreSQL's binary COPY format, a piece at a time: numbers become arrays, and no object is
made for one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from struct import Struct

import numpy as np
import orjson

from omc.adapters.postgres.trial_rows import ELEMENT, SIGNATURE
from omc.backtest.tried import BLOCK_BYTES, Failure, SweepPoint, Tried
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

SELECTED = "index, parameters, figures, fold_scores, blocks, pruned_after, error_message, traceback"
"""The columns of the stream, in their order."""
_FIELDS = 8
_EMPTY_ARRAY, _ARRAY_HEAD = 12, 20
_short, _int = Struct(">h"), Struct(">i")
_Row = list[bytes | None]


@dataclass(slots=True)
class TrialDecoder:
    """Takes a COPY stream of SELECTED in whatever pieces it comes. `names` are those of the figures, in their order."""

    names: tuple[str, ...]
    _left: bytes = field(default=b"", init=False)
    _begun: bool = field(default=False, init=False)
    _parts: dict[int, list[Tried]] = field(default_factory=dict, init=False)
    _pruned: dict[int, int] = field(default_factory=dict, init=False)

    def feed(self, piece: bytes) -> None:
        """The next piece of the stream; half a row waits for the rest of it."""
        stream = self._left + piece
        if not self._begun and len(stream) < len(SIGNATURE):
            self._left = stream
            return
        rows, end = _rows(stream, 0 if self._begun else len(SIGNATURE))
        self._left, self._begun = stream[end:], True
        deep: dict[int, list[_Row]] = {}
        for row in rows:
            deep.setdefault(_width(row[3]), []).append(row)
            if row[5] is not None:
                self._pruned[_number(row[0])] = _number(row[5])
        for depth, alike in deep.items():
            self._parts.setdefault(depth, []).append(_tried(alike, self.names, depth))

    def tried(self) -> list[Tried]:
        """A Tried for each number of folds seen, rising."""
        return [_joined(parts) for _, parts in sorted(self._parts.items())]

    def points(self) -> dict[int, SweepPoint]:
        """One by one, by index."""
        points = {point.index: point for part in chain(*self._parts.values()) for point in part.points()}
        for index, folds_seen in self._pruned.items():
            points[index] = replace(points[index], pruned_after=folds_seen)
        return points


def _rows(stream: bytes, at: int) -> tuple[list[_Row], int]:
    """Every whole row from `at` on, and where the last of them ends."""
    rows: list[_Row] = []
    end, size = at, len(stream)
    while at + 2 <= size and _short.unpack_from(stream, at)[0] == _FIELDS:
        at += 2
        row: _Row = []
        while len(row) < _FIELDS and at + 4 <= size:
            length = max(_int.unpack_from(stream, at)[0], 0)
            null, at = stream[at] & 0x80, at + 4
            if at + length > size:
                break
            row.append(None if null else stream[at : at + length])
            at += length
        if len(row) < _FIELDS:
            break
        rows.append(row)
        end = at
    return rows, end


def _tried(rows: Sequence[_Row], names: tuple[str, ...], depth: int) -> Tried:
    blocks = {len(row[4] or b"") for row in rows}
    if len(blocks) > 1:
        raise InvalidInput("points of one sweep have different numbers of blocks")
    given = b",".join((row[1] or b"\x01null")[1:] for row in rows)  # jsonb begins with the version of its form
    return Tried(
        np.array([_number(row[0]) for row in rows], np.int64),
        orjson.loads(b"[" + given + b"]"),
        names,
        _numbers([row[2] for row in rows], len(names)),
        _numbers([row[3] for row in rows], depth),
        np.frombuffer(b"".join(row[4] or b"" for row in rows), "<f8").reshape(len(rows), max(blocks) // BLOCK_BYTES, 3),
        {
            _number(row[0]): Failure(row[6].decode(), None if row[7] is None else row[7].decode())
            for row in rows
            if row[6] is not None
        },
    )


def _joined(parts: Sequence[Tried]) -> Tried:
    if len({part.blocks.shape[1] for part in parts}) > 1:
        raise InvalidInput("points of one sweep have different numbers of blocks")
    return Tried(
        np.concatenate([part.indices for part in parts]),
        [given for part in parts for given in part.parameters],
        parts[0].names,
        np.concatenate([part.figures for part in parts]),
        np.concatenate([part.fold_scores for part in parts]),
        np.concatenate([part.blocks for part in parts]),
        {index: failure for part in parts for index, failure in part.failures.items()},
    )


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big", signed=True)


def _width(array: bytes | None) -> int:
    """How many numbers a float8[] has."""
    return 0 if array is None or len(array) == _EMPTY_ARRAY else (len(array) - _ARRAY_HEAD) // ELEMENT.itemsize


def _numbers(arrays: Sequence[bytes | None], width: int) -> FloatArray:
    """(len(arrays), width), NaN for what was not known yet when a row was stored."""
    numbers = np.full((len(arrays), width), np.nan)
    widths = np.array([_width(array) for array in arrays])
    for known in np.unique(widths[widths > 0]).tolist():
        alike = np.flatnonzero(widths == known)
        wire = np.frombuffer(b"".join((arrays[row] or b"")[_ARRAY_HEAD:] for row in alike.tolist()), ELEMENT)
        if (wire["length"] != 8).any():
            raise ValueError("a figure is NULL: it should be NaN")
        numbers[alike, :known] = wire["value"].reshape(len(alike), known)
    return numbers
