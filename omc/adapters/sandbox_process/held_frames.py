"""Which frames a sandbox was given: each is written once, into sealed memory, however often it is asked about."""

import os
from dataclasses import dataclass

import numpy as np

from omc.adapters.sandbox_process.shared_memory import mapped_frame, sealed_frame
from omc.feature.frame import FloatArray, Frame

MOST_HELD, MOST_HELD_BYTES = 32, 384 * 2**20
"""A sweep asks about each of its folds in turn. The newest may be as large as it is."""


@dataclass(slots=True, eq=False)
class Sent:
    """A frame, with labels or without, in memory that nobody can change."""

    number: int
    frame: Frame
    labels: FloatArray | None
    descriptor: int
    copy: tuple[Frame, FloatArray | None]
    """What was sent: `frame` may be a view of what somebody goes on writing to."""

    @classmethod
    def of(cls, number: int, frame: Frame, labels: FloatArray | None) -> "Sent":
        descriptor = sealed_frame(frame, labels)
        shape = None if labels is None else labels.shape
        copy = mapped_frame(os.dup(descriptor), frame.coins, len(frame), shape)
        return cls(number, frame, labels, descriptor, copy)

    def is_of(self, frame: Frame, labels: FloatArray | None) -> bool:
        """Whether it holds the same bits."""
        if self.frame is frame and self.labels is labels:
            return True
        kept, kept_labels = self.copy
        if kept.coins != frame.coins or len(kept) != len(frame) or (kept_labels is None) != (labels is None):
            return False
        pairs = [(kept.times.view(np.int64), frame.times.astype("datetime64[us]", copy=False).view(np.int64))]
        pairs += [(_bits(getattr(kept, name)), _bits(getattr(frame, name))) for name in ("bid", "ask", "last")]
        if labels is not None and kept_labels is not None:
            pairs.append((_bits(kept_labels), _bits(labels)))
        return all(np.array_equal(a, b) for a, b in pairs)

    def request(self, drop: list[int]) -> dict[str, object]:
        shape = None if self.labels is None else list(self.labels.shape)
        coins, rows = list(self.frame.coins), len(self.frame)
        return {"frame": self.number, "coins": coins, "rows": rows, "labels": shape, "drop": drop}


class HeldFrames:
    """The latest few, the least recently asked for going first."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._count = 0

    def find(self, frame: Frame, labels: FloatArray | None) -> Sent | None:
        """The one that holds these very bits."""
        for sent in self._sent:
            if sent.is_of(frame, labels):
                self._sent.remove(sent)
                self._sent.append(sent)
                return sent
        return None

    def add(self, frame: Frame, labels: FloatArray | None) -> tuple[Sent, list[int]]:
        """It, and the numbers of those that have to go."""
        self._count += 1
        sent = Sent.of(self._count, frame, labels)
        gone: list[int] = []
        self._sent.append(sent)
        while len(self._sent) > 1 and (len(self._sent) > MOST_HELD or self._bytes > MOST_HELD_BYTES):
            oldest = self._sent.pop(0)
            os.close(oldest.descriptor)
            gone.append(oldest.number)
        return sent, gone

    def forget(self, sent: Sent) -> None:
        self._sent.remove(sent)
        os.close(sent.descriptor)

    @property
    def _bytes(self) -> int:
        return sum(24 * each.frame.last.size for each in self._sent)

    def clear(self) -> None:
        for each in self._sent:
            os.close(each.descriptor)
        self._sent = []


def _bits(values: FloatArray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
