"""Contract tests run twice: over PostgreSQL, and over the twin in memory."""

import pytest

from tests.omc.adapters.postgres.house import House, in_memory, in_postgres


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def house(kind: str, request: pytest.FixtureRequest) -> House:
    return in_postgres(request.getfixturevalue("database")) if kind == "postgres" else in_memory()


@pytest.fixture
def fresh_house(kind: str, request: pytest.FixtureRequest) -> House:
    """A house with nothing in it, where a test is about everybody's things."""
    return in_postgres(request.getfixturevalue("fresh_database")) if kind == "postgres" else in_memory()
