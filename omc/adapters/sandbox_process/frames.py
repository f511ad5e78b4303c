"""What goes between a sandbox and its parent: packets of one SOCK_SEQPACKET socket, each of them one frame.

The first byte says what it is, and seven zeros fill it up to eight:

    J   a JSON object. Requests: {"id", "do", …}, at times with one descriptor of memory beside it. Answers: {"id"} and
        either "done", an object, or "failed", a sentence; "refused" beside a sentence that only refuses an input.
    D   the next bar: its time in microseconds (int64), and bids, asks and lasts, C float64 each.
    W   its answer: the same time, C float64 weights, and what was printed meanwhile, in UTF-8.

A packet comes whole or not at all, so there are no half frames to wait for: one that is longer than LONGEST, shorter
than it says, or of another kind is InvalidInput, and ends the sandbox that sent it. Nothing here ever unpickles.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray

LONGEST = 128 * 1024
"""Bytes of a packet."""
JSON, BAR, WEIGHTS = b"J", b"D", b"W"
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_HEAD = 8
_PAD = bytes(_HEAD - 1)
_TIMED = struct.Struct("<c7xq")


def packed(content: dict[str, Any]) -> bytes:
    """A JSON frame. InvalidInput for what JSON cannot say, or not in so many bytes."""
    try:
        frame = JSON + _PAD + orjson.dumps(content)
    except (TypeError, ValueError, RecursionError) as reason:
        raise InvalidInput(f"it cannot be said in JSON: {reason}") from None
    if len(frame) > LONGEST:
        raise InvalidInput(f"a frame of {len(frame):,} bytes: at most {LONGEST:,} are sent")
    return frame


def unpacked(frame: memoryview | bytes) -> dict[str, Any]:
    """The object of a JSON frame."""
    _check(frame, JSON)
    try:
        content = orjson.loads(memoryview(frame)[_HEAD:])
    except ValueError as reason:
        raise InvalidInput(f"a frame that is not JSON: {str(reason)[:200]}") from None
    if type(content) is not dict:
        raise InvalidInput(f"a frame with a {type(content).__name__} where an object should be")
    return content


def microseconds(time: datetime) -> int:
    """Since 1970, of an aware time: exact, and ten times as fast as by way of numpy."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(time_us: int) -> datetime:
    """The inverse. InvalidInput for a year that no calendar has."""
    try:
        return _EPOCH + timedelta(microseconds=time_us)
    except OverflowError:
        raise InvalidInput(f"a time of {time_us} microseconds") from None


def bar_frame(time_us: int, prices: FloatArray) -> bytes:
    """`prices` are bid, ask and last, (3, C)."""
    frame = _TIMED.pack(BAR, time_us) + prices.tobytes()
    if len(frame) > LONGEST:
        raise InvalidInput(f"a bar of {prices.shape[1]:,} coins does not fit into a frame")
    return frame


def bar_of(frame: memoryview | bytes, coins: int) -> tuple[int, FloatArray]:
    """Its time and (3, C) prices, of memory of their own."""
    time_us, values = _timed(frame, BAR)
    if values.nbytes != 24 * coins:
        raise InvalidInput(f"a bar of {values.nbytes} bytes for {coins} coins")
    return time_us, np.frombuffer(values, np.float64).reshape(3, coins).copy()


def weights_frame(time_us: int, weights: FloatArray, printed: str) -> bytes:
    text = printed.encode("utf-8", "replace") if printed else b""
    return (_TIMED.pack(WEIGHTS, time_us) + weights.tobytes() + text)[:LONGEST]


def weights_of(frame: memoryview | bytes, time_us: int, coins: int) -> tuple[FloatArray, str]:
    """(C,) weights of memory of their own, which may be any numbers, and what was printed."""
    said, values = _timed(frame, WEIGHTS)
    if said != time_us:
        raise InvalidInput("an answer to another question")
    if values.nbytes < 8 * coins:
        raise InvalidInput(f"weights of {values.nbytes} bytes for {coins} coins")
    weights = np.frombuffer(values[: 8 * coins], np.float64).copy()
    text = values[8 * coins :]
    return weights, bytes(text).decode("utf-8", "replace") if len(text) else ""


def kind_of(frame: memoryview | bytes) -> bytes:
    """One of the three."""
    kind = bytes(frame[:1])
    if len(frame) < _HEAD or kind not in (JSON, BAR, WEIGHTS):
        raise InvalidInput(f"a frame of {len(frame)} bytes that begins with {kind!r}")
    return kind


def _timed(frame: memoryview | bytes, kind: bytes) -> tuple[int, memoryview]:
    _check(frame, kind)
    if len(frame) < _TIMED.size:
        raise InvalidInput(f"a frame of {len(frame)} bytes, too short for a time")
    _, time_us = _TIMED.unpack_from(frame)
    return time_us, memoryview(frame)[_TIMED.size :]


def _check(frame: memoryview | bytes, kind: bytes) -> None:
    if len(frame) < _HEAD or frame[:1] != kind or bytes(frame[1:_HEAD]) != _PAD:
        raise InvalidInput(f"a frame of {len(frame)} bytes that begins with {bytes(frame[:_HEAD])!r}, not {kind!r}")
