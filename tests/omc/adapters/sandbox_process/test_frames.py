"""Frames survive the way, and what is none is refused by name, whatever the bytes."""

from contextlib import suppress

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from omc.adapters.sandbox_process import frames
from omc.adapters.sandbox_process.answers import Failure, answer_of
from omc.errors import InvalidInput

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CONTENTS = st.dictionaries(TEXTS, SCALARS | TEXTS | st.lists(SCALARS, max_size=3), max_size=5)


@given(CONTENTS)
def test_an_object_survives_the_way(content):
    assert frames.unpacked(frames.packed(content)) == content


@given(st.integers(-(2**63), 2**63 - 1), arrays.arrays(np.float64, st.tuples(st.just(3), st.integers(0, 9))))
def test_a_bar_survives_the_way_to_the_bit(time_us, prices):
    found_time, found = frames.bar_of(frames.bar_frame(time_us, prices), prices.shape[1])
    assert (found_time, found.tobytes()) == (time_us, prices.tobytes())


@given(st.integers(-(2**63), 2**63 - 1), arrays.arrays(np.float64, st.integers(0, 9)), TEXTS)
def test_weights_survive_the_way_to_the_bit(time_us, weights, printed):
    frame = frames.weights_frame(time_us, weights, printed)
    found, said = frames.weights_of(frame, time_us, len(weights))
    assert (found.tobytes(), said) == (weights.tobytes(), printed)


@given(st.datetimes(timezones=st.timezones(), allow_imaginary=False))
def test_a_time_survives_the_way(time):
    assert frames.time_of(frames.microseconds(time)) == time


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_microseconds_are_a_time_or_refused(time_us):
    with suppress(InvalidInput):
        assert frames.microseconds(frames.time_of(time_us)) == time_us


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda rest: b"J" + bytes(7) + rest), st.integers(0, 4))
def test_any_bytes_are_a_frame_or_refused_by_name(raw, coins):
    for read in (
        frames.kind_of,
        frames.unpacked,
        lambda frame: frames.bar_of(frame, coins),
        lambda frame: frames.weights_of(frame, 0, coins),
        lambda frame: answer_of(frame, 1),
    ):
        # Any other fault than a refusal fails the test.
        with suppress(InvalidInput):
            read(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "0 bytes"),
        (b"J", "1 bytes"),
        (b"J" + bytes(7), "not JSON"),
        (b"J" + bytes(7) + b"[1]", "a list where an object should be"),
        (b"J" + bytes(7) + b"{" * 100, "not JSON"),
        (b"J" + bytes(7) + b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "not JSON"),
        (b"J" + bytes(7) + b'{"a": NaN}', "not JSON"),
        (b"J" + bytes(7) + b'{"a": "\xff"}', "not JSON"),
        (b"J" + b"\x01" * 7 + b"{}", "begins with"),
        (b"\x80\x04\x95", "begins with"),
    ],
    ids=["empty", "half", "bare", "list", "unclosed", "deep", "NaN", "no UTF-8", "other head", "pickle"],
)
def test_what_is_no_object_is_refused(raw, said):
    with pytest.raises(InvalidInput, match=said):
        frames.unpacked(raw)


def test_what_json_cannot_say_is_refused_before_it_is_sent():
    for content in ({"a": object()}, {"a": 10**40}, {1: 2}, {"a": "\udc80"}, {"a": "x" * frames.LONGEST}):
        with pytest.raises(InvalidInput):
            frames.packed(content)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"id": 2, "done": {}},
        {"id": True, "done": {}},
        {"id": 1.0, "done": {}},
        {"id": "1", "done": {}},
        {"id": 1},
        {"id": 1, "done": []},
        {"id": 1, "failed": "x"},
        {"id": 1, "failed": 3, "refused": True},
        {"id": 1, "failed": "x", "refused": 1},
        {"id": 1, "done": {}, "printed": 3},
        {"id": 1, "done": {}, "printed": None},
    ],
    ids=str,
)
def test_what_answers_no_question_is_refused(said):
    with pytest.raises(InvalidInput):
        answer_of(b"J" + bytes(7) + orjson.dumps(said), 1)


def test_a_failure_is_cut_to_a_length():
    raw = frames.packed({"id": 1, "failed": "x" * 100_000, "refused": False})
    failure, _ = answer_of(raw, 1)
    assert isinstance(failure, Failure)
    assert len(failure.said) < 10_000
