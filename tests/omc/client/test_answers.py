"""What the client's shapes make of what they are given."""

import json
from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter

from omc.client.answers import Bound

BOUND: TypeAdapter[datetime | date] = TypeAdapter(Bound)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2025-01-02", "2025-01-02"),
        (date(2025, 1, 2), "2025-01-02"),
        ("2025-01-02T00:00:00Z", "2025-01-02T00:00:00Z"),
        (datetime(2025, 1, 2, tzinfo=UTC), "2025-01-02T00:00:00Z"),
        ("2025-01-02T10:30:00+10:00", "2025-01-02T10:30:00+10:00"),
    ],
)
def test_a_day_is_sent_as_a_day_and_a_moment_as_a_moment(given, sent):
    assert json.loads(BOUND.dump_json(BOUND.validate_python(given))) == sent
