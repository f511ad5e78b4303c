"""Memory that two processes see: nobody changes what went in, and nobody pulls it away under a reader."""

import fcntl
import mmap
import os
from collections.abc import Iterator

import numpy as np
import pytest

from omc.adapters.sandbox_process import shared_memory
from omc.adapters.sandbox_process.shared_memory import Answers, mapped_answers, mapped_frame, mapped_text, sealed_frame
from omc.errors import InvalidInput
from tests.omc.adapters.sandbox_process.plain import walk


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = sealed_frame(walk(10, 2))
    yield made
    os.close(made)


@pytest.mark.parametrize(("rows", "coins"), [(10, 3), (1, 1), (0, 2), (5, 0)])
@pytest.mark.parametrize("labels", [None, (0,), (10,), (4, 2)])
def test_a_frame_is_read_as_it_was_written(rows, coins, labels):
    frame = walk(rows, coins)
    own = None if labels is None else np.random.default_rng(0).random(labels)
    found, found_labels = mapped_frame(sealed_frame(frame, own), frame.coins, rows, labels)
    assert found.times.tobytes() == frame.times.tobytes()
    assert [getattr(found, name).tobytes() for name in ("bid", "ask", "last")] == [
        getattr(frame, name).tobytes() for name in ("bid", "ask", "last")
    ]
    assert not found.last.flags.writeable
    assert (found_labels is None) == (own is None)
    if own is not None:
        assert found_labels.tobytes() == own.tobytes()


def test_views_that_are_not_contiguous_are_written_too():
    frame = walk(20, 4)
    part = frame.select(("C2", "C0")).rows(5, 12)
    found, _ = mapped_frame(sealed_frame(part), part.coins, 7, None)
    assert (found.last == part.last).all()


def test_what_went_in_can_be_changed_by_nobody(descriptor):
    with pytest.raises(PermissionError):
        os.write(descriptor, b"x")
    for size in (8, 1 << 20):
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, size)
    with pytest.raises(PermissionError):
        mmap.mmap(descriptor, 80)
    with pytest.raises(PermissionError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)


def test_room_for_answers_keeps_its_size():
    with Answers(100) as answers:
        for size in (0, 8, 1 << 20):
            with pytest.raises(PermissionError):
                os.ftruncate(answers.descriptor, size)
        inside = mapped_answers(os.dup(answers.descriptor), 100)
        inside[:6] = np.arange(6.0)
        copied = answers.copy((2, 3))
        inside[:6] = np.nan
        assert copied.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
        with pytest.raises(InvalidInput):
            answers.copy((101, 1))
    with pytest.raises(InvalidInput):
        answers.copy((1, 1))


@pytest.mark.parametrize("text", ["", "x = 1\n", "ä\0b\0", "x" * 3_000_000])
def test_a_text_is_read_as_it_was_written(text):
    assert mapped_text(*shared_memory.sealed_text(text)) == text


def test_nothing_is_shared_that_is_too_large():
    for cells in (0, -1, 2**40):
        with pytest.raises(InvalidInput):
            Answers(cells)
