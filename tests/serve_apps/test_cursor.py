"""Cursors: opaque, and of use for one question only."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import InvalidInput
from serve_apps.cursor import cursor_of, state_of
from serve_apps.wire import Body

QUESTION = {"coin": "BTC", "start": None, "per_page": 20}


class Place(Body):
    offset: int


def test_a_cursor_comes_back_as_it_was():
    cursor = cursor_of(QUESTION, Place(offset=7))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert state_of(cursor, QUESTION, Place) == Place(offset=7)


@pytest.mark.parametrize("other", [{"coin": "ETH"}, {"per_page": 21}, {"start": "2025-06-01"}], ids=str)
def test_a_cursor_of_another_question_is_refused(other):
    cursor = cursor_of(QUESTION | other, Place(offset=7))
    with pytest.raises(InvalidInput, match="cursor"):
        state_of(cursor, QUESTION, Place)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_is_no_cursor_is_refused(text):
    with pytest.raises(InvalidInput, match="cursor"):
        state_of(text, QUESTION, Place)


@given(st.integers(0, 60), st.characters(codec="ascii"))
def test_a_cursor_with_another_letter_is_refused(place, letter):
    cursor = cursor_of(QUESTION, Place(offset=7))
    place %= len(cursor) - 1  # the last letter's lowest bits say nothing
    changed = cursor[:place] + letter + cursor[place + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidInput, match="cursor"):
            state_of(changed, QUESTION, Place)


def test_a_checked_cursor_that_holds_something_else_is_refused():
    class Elsewhere(Body):
        place: str

    with pytest.raises(InvalidInput, match="cursor"):
        state_of(cursor_of(QUESTION, Elsewhere(place="x")), QUESTION, Place)
