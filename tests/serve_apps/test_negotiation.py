"""Which form an answer has."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import InvalidInput
from serve_apps.negotiation import form_of

ARROW = "application/vnd.apache.arrow.stream"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/*", "csv"),
        (ARROW, "arrow"),
        (f"text/csv;q=0.5, {ARROW};q=0.9, application/json;q=0.1", "arrow"),
        (f"text/csv;q=0.8, {ARROW};q=0.8", "csv"),
        ("application/json;q=0, */*", "csv"),
        (f"application/json;q=0, text/csv;q=0.0, {ARROW};q=0.001", "arrow"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "json"),
        ("text/csv;q=7", "csv"),
        ("rubbish", "json"),
        ("/,;q=,,//", "json"),
    ],
)
def test_the_most_wanted_form_is_chosen_and_json_of_equals(accept, form):
    assert form_of(accept, None) == form


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "*/*;q=0"])
def test_a_header_that_admits_nothing_that_there_is_is_refused(accept):
    with pytest.raises(InvalidInput, match="Accept"):
        form_of(accept, None)


def test_what_is_asked_for_by_name_needs_no_header():
    assert form_of("text/html", "arrow") == "arrow"


@given(st.text())
def test_no_header_breaks_it(accept):
    with contextlib.suppress(InvalidInput):
        assert form_of(accept, None) in ("json", "csv", "arrow")
