"""Memory that a sandbox and its parent see together, made by the parent alone and passed as a descriptor.

What goes in is written once and sealed against every change. What comes out lies in memory that the sandbox may write
to at any moment, also while the parent looks: it is sealed against shrinking, which would end a reader, and is copied
before anything is made of it.
"""

import fcntl
import mmap
import os
from collections.abc import Sequence
from math import prod
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame

MOST_BYTES = 2 * 2**30
"""Of one piece."""
_NOEXEC_SEAL = 8  # MFD_NOEXEC_SEAL, since Linux 6.3
_FULL = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_ROOM = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


def _made(name: str, size: int) -> int:
    if not 0 < size <= MOST_BYTES:
        raise InvalidInput(f"{size:,} bytes to share: at least one and at most {MOST_BYTES:,} are")
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        descriptor = os.memfd_create(name, flags | _NOEXEC_SEAL)
    except OSError:
        # Kernels before 6.3 do not know the flag.
        descriptor = os.memfd_create(name, flags)
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sealed(arrays: Sequence[NDArray[Any]]) -> int:
    """A descriptor of memory that holds `arrays` one after the other, and that nobody can change: close it
    after use."""
    views = [memoryview(np.ascontiguousarray(each).data).cast("B") for each in arrays if each.size]
    descriptor = _made("omc-prices", max(sum(view.nbytes for view in views), 1))
    try:
        at = 0
        for view in views:
            while len(view):
                wrote = os.pwrite(descriptor, view, at)
                view, at = view[wrote:], at + wrote
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _FULL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sealed_frame(frame: Frame, labels: FloatArray | None = None) -> int:
    """A descriptor of a frame's times, bids, asks and lasts, and of labels, if any."""
    times = frame.times.astype("datetime64[us]", copy=False).view(np.int64)
    prices = (np.asarray(each, dtype=np.float64) for each in (frame.bid, frame.ask, frame.last))
    return sealed([times, *prices, *([] if labels is None else [np.asarray(labels, dtype=np.float64)])])


def mapped_frame(
    descriptor: int, coins: tuple[str, ...], rows: int, labels: tuple[int, ...] | None
) -> tuple[Frame, FloatArray | None]:
    """The inverse, in the sandbox: arrays that cannot be written to. Closes the descriptor."""
    cells = rows * len(coins)
    # Private: a kernel before 6.7 lets nobody share what is sealed against writing, not even to read.
    size = 8 * (rows + 3 * cells + (0 if labels is None else prod(labels)))
    memory = _mapped(descriptor, max(size, 1), mmap.MAP_PRIVATE, mmap.PROT_READ)
    times = np.frombuffer(memory, np.int64, rows).view("datetime64[us]")
    shape = (rows, len(coins))
    bid, ask, last = (
        np.frombuffer(memory, np.float64, cells, 8 * (rows + at * cells)).reshape(shape) for at in range(3)
    )
    frame = Frame(times, coins, bid, ask, last)
    if labels is None:
        return frame, None
    count = prod(labels)
    return frame, np.frombuffer(memory, np.float64, count, 8 * (rows + 3 * cells)).reshape(labels)


def sealed_text(text: str) -> tuple[int, int]:
    """A descriptor of a text, and its bytes. InvalidInput for one that cannot be UTF-8."""
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as reason:
        raise InvalidInput(f"the text is no UTF-8: {reason}") from None
    return sealed([np.frombuffer(raw, np.uint8)]), len(raw)


def mapped_text(descriptor: int, size: int) -> str:
    """The inverse, in the sandbox, of so many bytes. Closes the descriptor."""
    with _mapped(descriptor, max(size, 1), mmap.MAP_PRIVATE, mmap.PROT_READ) as memory:
        return memory[:size].decode("utf-8")


def sealed_bytes(content: bytes) -> int:
    """A descriptor of bytes, at least one."""
    return sealed([np.frombuffer(content, np.uint8)])


def mapped_bytes(descriptor: int, size: int) -> bytes:
    """The inverse, in the sandbox, of so many bytes. Closes the descriptor."""
    with _mapped(descriptor, max(size, 1), mmap.MAP_PRIVATE, mmap.PROT_READ) as memory:
        return memory[:size]


def mapped_answers(descriptor: int, cells: int) -> FloatArray:
    """Memory to answer in, in the sandbox: flat float64. Closes the descriptor."""
    access = mmap.PROT_READ | mmap.PROT_WRITE
    return np.frombuffer(_mapped(descriptor, 8 * cells, mmap.MAP_SHARED, access), np.float64)


def _mapped(descriptor: int, size: int, flags: int, access: int) -> mmap.mmap:
    # Told and not asked: a locked process may ask nothing of a file.
    try:
        return mmap.mmap(descriptor, size, flags=flags, prot=access)
    finally:
        os.close(descriptor)


class Answers:
    """The parent's end of the memory that a sandbox answers in."""

    def __init__(self, cells: int) -> None:
        self.cells = cells
        self.descriptor = _made("omc-answers", 8 * cells)
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _ROOM)
            self._memory = mmap.mmap(self.descriptor, 8 * cells)
        except BaseException:
            os.close(self.descriptor)
            raise
        self._values: FloatArray | None = np.frombuffer(self._memory, np.float64)

    def copy(self, shape: tuple[int, ...]) -> FloatArray:
        """What stands at its beginning, in memory that nobody else can reach."""
        size = prod(shape)
        if self._values is None or size > self.cells:
            raise InvalidInput(f"there is no room for an answer of shape {shape}")
        return self._values[:size].reshape(shape).copy()

    def close(self) -> None:
        if self._values is not None:
            self._values = None
            self._memory.close()
            os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()
