"""Events as lines of JSON."""

import json
from datetime import UTC, datetime

import pytest

from omc.errors import InvalidInput
from omc.ledger.catalyst import Catalyst
from omc.ledger.catalyst_lines import parse

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
LINE = {
    "type": "listing",
    "title": "BTC is listed",
    "source": "wire",
    "source_id": "1",
    "event_time": "2025-03-01T00:00:00Z",
}


def test_lines_are_events_known_from_when_they_say_or_now():
    seen = {**LINE, "source_id": "2", "seen_time": "2025-03-01T11:00:00+10:00", "coins": ["BTC"], "priority": "high"}
    first, second = parse([json.dumps(LINE), "", json.dumps({**seen, "url": "https://x.test", "revision": 1})], NOW)
    midnight = datetime(2025, 3, 1, tzinfo=UTC)
    assert first == Catalyst("listing", "BTC is listed", (), "wire", "1", midnight, NOW)
    known = datetime(2025, 3, 1, 1, tzinfo=UTC)
    assert second == Catalyst(
        "listing", "BTC is listed", ("BTC",), "wire", "2", midnight, known, "high", "https://x.test", 1
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seen_time": "2025-03-01T12:00:01Z"},
        {"seen_time": "soon"},
        {"event_time": "2025-03-01T00:00:00"},
        {"title": 5},
        {"coins": "BTC"},
        {"coins": ["btc"]},
        {"revision": True},
        {"revision": 2**40},
        {"priority": "urgent"},
        {"colour": "red"},
        {"source_id": None},
    ],
)
def test_a_line_that_is_no_event_is_told_by_its_number(change):
    with pytest.raises(InvalidInput, match="line 2: "):
        parse([json.dumps({**LINE, "source_id": "0"}), json.dumps({**LINE, **change})], NOW)


@pytest.mark.parametrize("line", ["{", "[]", "5", "{}", "[" * 100_000, json.dumps(LINE)])
def test_what_is_no_line_of_it_or_is_told_twice_is_refused(line):
    with pytest.raises(InvalidInput, match="line 3: "):
        parse([json.dumps(LINE), " ", line], NOW)
