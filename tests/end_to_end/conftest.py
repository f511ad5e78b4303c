"""One platform for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.platforms import Up, running


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running(tmp_path_factory.mktemp("platform") / "home") as up:
        yield up
