"""The catalyst ledger as PostgreSQL and the twin in memory keep it alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from omc.adapters.postgres.catalysts import PostgresCatalysts
from omc.errors import InvalidInput
from omc.ledger.catalyst import Catalyst, CatalystLedger, MemoryCatalysts

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def catalysts(kind: str, request: pytest.FixtureRequest) -> CatalystLedger:
    return PostgresCatalysts(request.getfixturevalue("database")) if kind == "postgres" else MemoryCatalysts()


def event(minutes: int, source: str, **changes) -> Catalyst:
    at = NOON + timedelta(minutes=minutes)
    made = Catalyst(
        "listing", "BTC is listed", ("BTC", "ETH"), source, str(minutes), at, at, "high", "https://x.test/1"
    )
    return replace(made, **changes)


async def told(catalysts: CatalystLedger, source: str, after: int, until: int) -> list[Catalyst]:
    found = await catalysts.seen(NOON + timedelta(minutes=after), NOON + timedelta(minutes=until))
    return [each for each in found if each.source == source]


async def test_what_became_known_is_found_by_when(catalysts: CatalystLedger):
    source = uuid4().hex
    made = [event(minute, source) for minute in (3, 1, 2)]
    assert await catalysts.record(made) == 3
    assert await told(catalysts, source, 1, 3) == [made[2], made[0]]
    assert await told(catalysts, source, 3, 9) == []


async def test_what_is_recorded_stays_as_it_was_known_and_a_revision_is_another(catalysts: CatalystLedger):
    source = uuid4().hex
    first = event(1, source)
    assert await catalysts.record([first, first]) == 1
    later = replace(first, title="BTC is not", seen_time=NOON + timedelta(minutes=9))
    assert await catalysts.record([later]) == 0
    assert await told(catalysts, source, 0, 10) == [first]
    revised = replace(later, revision=1, coins=(), url=None)
    assert await catalysts.record([revised]) == 1
    assert await told(catalysts, source, 0, 10) == [first, revised]


@pytest.mark.parametrize(
    "change",
    [
        {"type": ""},
        {"title": "two\nlines"},
        {"title": "x" * 1_001},
        {"priority": "urgent"},
        {"coins": ("btc",)},
        {"revision": -1},
        {"seen_time": datetime(2025, 1, 1)},  # noqa: DTZ001 - that is what is refused
    ],
)
def test_what_is_no_catalyst_is_refused(change):
    with pytest.raises(InvalidInput):
        event(1, "wire", **change)
