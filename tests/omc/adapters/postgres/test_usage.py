"""Whatever a user's algorithms compute is charged to the day of UTC that it was computed on."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from omc.access.usage import KEPT
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.usage import PostgresUsage
from omc.errors import InvalidInput, NotFound
from tests.omc.adapters.postgres.house import NOON, House


async def test_what_is_charged_adds_up_by_user_and_day(house: House):
    one, other = await house.user(), await house.user()
    assert await house.usage.used(one, NOON.date()) == 0
    assert await house.usage.charge(one, 1.5, NOON) == 1.5
    assert await house.usage.charge(one, 0.25, NOON + timedelta(hours=1)) == 1.75
    assert await house.usage.charge(other, 0.0, NOON) == 0
    assert await house.usage.charge(one, 2.0, NOON + timedelta(days=1)) == 2.0
    assert await house.usage.used(one, NOON.date()) == 1.75
    assert await house.usage.used(other, NOON.date()) == 0


async def test_a_day_is_one_of_utc_wherever_the_clock_stands(house: House):
    user = await house.user()
    sydney = timezone(timedelta(hours=11))
    await house.usage.charge(user, 1.0, datetime(2025, 3, 2, 10, 59, tzinfo=sydney))
    await house.usage.charge(user, 2.0, datetime(2025, 3, 2, 11, tzinfo=sydney))
    await house.usage.charge(user, 4.0, datetime(2025, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC))
    first = datetime(2025, 3, 1, tzinfo=UTC).date()
    assert await house.usage.used(user, first) == 5.0
    assert await house.usage.used(user, first + timedelta(days=1)) == 2.0


async def test_nothing_is_lost_however_many_charge_at_once(house: House):
    user = await house.user()
    said = await asyncio.gather(*(house.usage.charge(user, 0.5, NOON) for _ in range(20)))
    assert sorted(said) == [0.5 * n for n in range(1, 21)]
    assert await house.usage.used(user, NOON.date()) == 10.0


async def test_old_days_are_forgotten_in_time_and_only_their_owners(house: House):
    one, other = await house.user(), await house.user()
    for user in (one, other):
        await house.usage.charge(user, 1.0, NOON)
    await house.usage.charge(one, 1.0, NOON + KEPT)
    assert await house.usage.used(one, NOON.date()) == 1.0
    await house.usage.charge(one, 1.0, NOON + KEPT + timedelta(days=1))
    assert await house.usage.used(one, NOON.date()) == 0
    assert await house.usage.used(other, NOON.date()) == 1.0


@pytest.mark.parametrize("cpu_s", [-0.1, float("nan"), float("inf")])
async def test_what_is_no_time_is_not_charged(house: House, cpu_s: float):
    user = await house.user()
    with pytest.raises(InvalidInput, match="cannot be charged"):
        await house.usage.charge(user, cpu_s, NOON)
    assert await house.usage.used(user, NOON.date()) == 0


@pytest.mark.postgres
async def test_nobody_who_is_gone_is_charged(database: Database):
    with pytest.raises(NotFound, match="no user"):
        await PostgresUsage(database).charge(uuid4(), 1.0, NOON)
