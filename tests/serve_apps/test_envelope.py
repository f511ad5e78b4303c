"""Pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serve_apps.envelope import Page, Paging


@given(st.integers(0, 500), st.integers(1, 200))
def test_the_pages_of_a_list_are_the_list(total: int, per_page: int):
    everything = list(range(total))
    first = Page[int].cut(everything, Paging(page=1, per_page=per_page))
    pages = [Page[int].cut(everything, Paging(page=number + 1, per_page=per_page)) for number in range(first.pages)]
    assert [item for page in pages for item in page.items] == everything
    assert all(page.items for page in pages)
    assert Page[int].cut(everything, Paging(page=first.pages + 1, per_page=per_page)).items == []


@pytest.mark.parametrize(
    "given_", [{"page": 0}, {"page": -1}, {"per_page": 0}, {"per_page": 201}, {"page": 10**18}, {"pages": 1}]
)
def test_a_page_that_cannot_be_is_refused(given_: dict[str, int]):
    with pytest.raises(ValidationError):
        Paging(**given_)
