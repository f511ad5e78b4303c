"""Points come out of a COPY stream as they went in, wherever it is cut."""

from struct import pack

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.postgres.trial_decoder import TrialDecoder
from omc.adapters.postgres.trial_rows import SIGNATURE
from omc.backtest.tried import SweepPoint
from omc.errors import InvalidInput

NAMES = ("sharpe", "trades")
SCORES = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def points(draw: st.DrawFn) -> list[SweepPoint]:
    many = draw(st.integers(0, 6))
    made = []
    for index in range(many):
        scores = tuple(draw(st.lists(SCORES, max_size=2)))
        made.append(
            SweepPoint(
                index=index * 100_000,
                parameters={"fast_bars": draw(st.integers(-9, 9)), "kind": draw(st.text(max_size=3))},
                metrics=dict.fromkeys(NAMES, None) | {"sharpe": draw(SCORES)},
                error=draw(st.none() | st.text(max_size=5)),
                blocks=np.arange(3.0 * len(scores)).tobytes() or None,
                fold_scores=scores,
                pruned_after=draw(st.none() | st.integers(1, 9)),
            )
        )
    return made


def stream_of(points: list[SweepPoint]) -> bytes:
    """As the server writes it."""
    rows = b""
    for point in points:
        figures = [point.metrics[name] for name in NAMES]
        fields = [
            pack(">i", point.index),
            b"\x01" + orjson.dumps(dict(point.parameters)),
            array(figures),
            array(point.fold_scores),
            point.blocks,
            None if point.pruned_after is None else pack(">i", point.pruned_after),
            None if point.error is None else point.error.encode(),
            None,
        ]
        rows += pack(">h", 8) + b"".join(
            pack(">i", -1) if each is None else pack(">i", len(each)) + each for each in fields
        )
    return SIGNATURE + rows + b"\xff\xff"


def array(values) -> bytes:
    numbers = [float("nan") if value is None else value for value in values]
    if not numbers:
        return pack(">iii", 0, 0, 701)
    return pack(">iiiii", 1, 0, 701, len(numbers), 1) + b"".join(pack(">id", 8, value) for value in numbers)


@given(points(), st.data())
def test_points_come_back_wherever_the_stream_is_cut(points: list[SweepPoint], data: st.DataObject):
    stream = stream_of(points)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    decoder = TrialDecoder(NAMES)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
    assert [point for _, point in sorted(decoder.points().items())] == points
    parts = decoder.tried()
    assert [part.folds_seen for part in parts] == sorted({len(point.fold_scores) for point in points})
    assert sorted(index for part in parts for index in part.indices.tolist()) == [point.index for point in points]


def test_points_with_different_numbers_of_blocks_are_refused_even_in_two_pieces():
    rows = [SweepPoint(index, {}, dict.fromkeys(NAMES), None, bytes(24 * (index + 1))) for index in range(2)]
    first, both = stream_of(rows[:1])[:-2], stream_of(rows)
    decoder = TrialDecoder(NAMES)
    decoder.feed(first)
    decoder.feed(both[len(first) :])
    with pytest.raises(InvalidInput, match="blocks"):
        decoder.tried()


def test_figures_that_were_not_known_yet_are_missing():
    decoder = TrialDecoder((*NAMES, "calmar"))
    decoder.feed(stream_of([SweepPoint(1, {}, {"sharpe": 1.5, "trades": 2.0})]))
    assert decoder.points()[1].metrics == {"sharpe": 1.5, "trades": 2.0, "calmar": None}
