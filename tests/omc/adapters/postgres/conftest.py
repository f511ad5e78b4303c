"""Contract tests run twice: over PostgreSQL, and over the twin in memory."""

import pytest

from tests.omc.adapters.postgres.floor import Floor, in_memory, in_postgres


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def floor(kind: str, request: pytest.FixtureRequest) -> Floor:
    return in_postgres(request.getfixturevalue("database")) if kind == "postgres" else in_memory()
