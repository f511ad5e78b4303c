"""Volumes as PostgreSQL and the twin in memory keep them alike."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omc.adapters.postgres.volumes import PostgresVolumes
from omc.trading.volumes import DAYS, MemoryVolumes, Traded, Volumes

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def volumes(kind: str, request: pytest.FixtureRequest) -> Volumes:
    return PostgresVolumes(request.getfixturevalue("database")) if kind == "postgres" else MemoryVolumes()


def traded(minutes: float, quantity: str) -> Traded:
    return Traded(NOON + minutes * MINUTE, Decimal(quantity))


async def test_a_list_that_is_read_again_counts_only_what_is_new_in_it(volumes: Volumes):
    coin = uuid4().hex[:12]
    first = [traded(1, "1"), traded(0, "0.5"), traded(7, "2")]
    assert await volumes.add(coin, first) == 3
    assert await volumes.add(coin, first) == 0
    assert await volumes.add(coin, [*first, traded(8, "0.25")]) == 1
    assert await volumes.add(coin, []) == 0
    until = NOON + timedelta(hours=1)
    five = NOON + 5 * MINUTE
    assert await volumes.recent(coin, until) == [(NOON, Decimal("1.5")), (five, Decimal("2.25"))]
    # A stretch that is not over is not known yet, and what came later is not known at all.
    assert await volumes.recent(coin, NOON + 9 * MINUTE) == [(NOON, Decimal("1.5"))]
    assert await volumes.recent(coin, NOON) == []
    assert await volumes.recent(uuid4().hex[:12], until) == []


async def test_the_same_time_of_day_of_several_days_is_one(volumes: Volumes):
    coin = uuid4().hex[:12]
    days = [Traded(NOON - day * DAY, Decimal(1)) for day in (DAYS + 1, 3, 2, 1)]
    await volumes.add(coin, days)
    assert await volumes.recent(coin, NOON) == [(NOON - DAY, Decimal(3))]


async def test_two_that_read_the_same_list_at_once_count_it_once(volumes: Volumes):
    coin = uuid4().hex[:12]
    found = await asyncio.gather(*(volumes.add(coin, [traded(0, "1"), traded(1, "2")]) for _ in range(5)))
    assert sorted(found) == [0, 0, 0, 0, 2]
    assert await volumes.recent(coin, NOON + DAY) == [(NOON, Decimal(3))]


lists = st.lists(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=6), max_size=5)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists)
async def test_lists_that_reach_further_and_further_count_each_trade_once(volumes: Volumes, given_lists):
    coin, known, counted = uuid4().hex[:12], [], Decimal(0)
    reached = -1
    for more in given_lists:
        known = known + [traded(minute, str(quantity)) for minute, quantity in more if minute > reached]
        reached = max([reached, *(minute for minute, _ in more)])
        await volumes.add(coin, known)
    counted = sum((quantity for _, quantity in await volumes.recent(coin, NOON + DAY)), Decimal(0))
    assert counted == sum((each.quantity for each in known), Decimal(0))
