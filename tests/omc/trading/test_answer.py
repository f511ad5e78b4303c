"""A no counts only in words, or by a status that promises it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.trading.answer import Answer, Meaning, meaning

PROMISES = frozenset({429})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, says_ok=True), Meaning.DONE),
        (Answer(200, says_ok=False), Meaning.REFUSED),
        (Answer(200), Meaning.UNKNOWN),
        (Answer(200, message="no"), Meaning.UNKNOWN),
        (Answer(400, message="Coin not found"), Meaning.REFUSED),
        (Answer(400, says_ok=False), Meaning.UNKNOWN),
        (Answer(403), Meaning.UNKNOWN),
        (Answer(429), Meaning.NOTHING),
        (Answer(500, says_ok=False, message="no"), Meaning.UNKNOWN),
        (Answer(503, says_ok=True), Meaning.UNKNOWN),
        (Answer(302, says_ok=True), Meaning.UNKNOWN),
        (Answer(), Meaning.UNKNOWN),
        (Answer(400, message="failed", of_this_order=False), Meaning.UNKNOWN),
    ],
)
def test_what_an_answer_means(answer: Answer, expected: Meaning) -> None:
    assert meaning(answer, promises_nothing=PROMISES) is expected


def test_what_promises_nothing_is_the_venues_to_say() -> None:
    assert meaning(Answer(403), promises_nothing={403}) is Meaning.REFUSED
    assert meaning(Answer(429), promises_nothing=()) is Meaning.UNKNOWN
    assert [each for each in Meaning if each.definite] == [Meaning.REFUSED, Meaning.NOTHING]


@given(st.none() | st.integers(100, 599), st.none() | st.booleans(), st.none() | st.text(max_size=5), st.booleans())
def test_nothing_definite_is_said_of_a_fault_of_the_venue_or_of_the_way_there(
    status: int | None, says_ok: bool | None, message: str | None, of_this_order: bool
) -> None:
    found = meaning(Answer(status, says_ok, message, of_this_order), promises_nothing=PROMISES)
    if status is None or status >= 500 or status < 200 or 300 <= status < 400 or not of_this_order:
        assert found is Meaning.UNKNOWN
    if found is Meaning.DONE:
        assert says_ok
