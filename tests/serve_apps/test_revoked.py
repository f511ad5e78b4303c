"""Tokens that were ended are refused within seconds, and nobody asks the database about each."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.revocation import Revocation, valid_from
from omc.access.signer import ACCESS_LIFE, Claims
from omc.errors import Unauthenticated, Unavailable
from serve_apps.revoked import Revoked

NOON = datetime(2025, 6, 10, 12, 0, 0, 500_000, tzinfo=UTC)


@dataclass
class Ended:
    """Revocations that are counted when they are read."""

    told: list[Revocation] = field(default_factory=list)
    asked: int = 0
    away: bool = False

    async def changed_since(self, moment: datetime) -> list[Revocation]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise Unavailable("the database is away")
        return [each for each in self.told if each.valid_from > moment]


def claims(user_id: UUID, issued_at: datetime = NOON) -> Claims:
    whole = issued_at.replace(microsecond=0)
    return Claims(user_id, uuid4(), whole, whole + ACCESS_LIFE)


async def test_a_replica_that_was_just_started_knows_what_was_ended_before():
    user_id = uuid4()
    revoked = Revoked(Ended([Revocation(user_id, valid_from(NOON), closed=False)]))
    with pytest.raises(Unauthenticated):
        await revoked.check(claims(user_id), NOON)
    await revoked.check(claims(user_id, NOON + timedelta(seconds=1)), NOON + timedelta(seconds=1))
    await revoked.check(claims(uuid4()), NOON)


async def test_no_token_of_a_closed_account_holds():
    user_id = uuid4()
    revoked = Revoked(Ended([Revocation(user_id, valid_from(NOON), closed=True)]))
    later = NOON + timedelta(seconds=30)
    with pytest.raises(Unauthenticated):
        await revoked.check(claims(user_id, later), later)


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
async def test_a_token_that_is_ended_is_refused_within_five_seconds(busy):
    user_id, ended = uuid4(), Ended()
    revoked = Revoked(ended)
    await revoked.check(claims(user_id), NOON)
    ended.told.append(Revocation(user_id, valid_from(NOON), closed=False))
    for tenth in range(1, 50) if busy else ():
        try:
            await revoked.check(claims(user_id), NOON + timedelta(seconds=tenth / 10))
        except Unauthenticated:
            return
        await asyncio.sleep(0)
    with pytest.raises(Unauthenticated):
        await revoked.check(claims(user_id), NOON + timedelta(seconds=5))


async def test_many_requests_ask_once():
    ended = Ended()
    revoked = Revoked(ended)
    await asyncio.gather(*(revoked.check(claims(uuid4()), NOON) for _ in range(100)))
    assert ended.asked == 1


async def test_while_the_database_is_away_what_was_known_last_is_gone_by():
    known, user_id, ended = uuid4(), uuid4(), Ended()
    ended.told.append(Revocation(known, valid_from(NOON), closed=True))
    revoked = Revoked(ended)
    await revoked.check(claims(user_id), NOON)
    ended.away = True
    later = NOON + timedelta(minutes=5)
    await revoked.check(claims(user_id), later)
    with pytest.raises(Unauthenticated):
        await revoked.check(claims(known), later)
    ended.away = False
    ended.told.append(Revocation(user_id, valid_from(NOON), closed=True))
    with pytest.raises(Unauthenticated):
        await revoked.check(claims(user_id), later + timedelta(seconds=4))
