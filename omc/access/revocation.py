"""Access tokens that end before their time: of accounts that were closed, or whose password was changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from omc.access.signer import ACCESS_LIFE, CLOCK_SKEW, Claims
from omc.errors import Unauthenticated

REACH = ACCESS_LIFE + 2 * CLOCK_SKEW
"""How far back changes matter: whatever token was made before has ended by itself."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """Which tokens of an account hold: none while it is closed, otherwise those made from a moment on."""

    user_id: UUID
    valid_from: datetime
    closed: bool

    def check(self, claims: Claims) -> None:
        """Unauthenticated for a token that does not hold any more."""
        if self.closed or claims.issued_at < self.valid_from:
            raise Unauthenticated("the access token was ended: log in again")


def valid_from(changed_at: datetime) -> datetime:
    """From when on tokens hold after a change. Tokens tell whole seconds, so it is the next one: none made before the
    change, in the second of it, can pass for a later one."""
    return changed_at.replace(microsecond=0) + timedelta(seconds=1)


class Revocations(Protocol):
    async def changed_since(self, moment: datetime) -> Sequence[Revocation]:
        """Of every account whose tokens hold from after `moment` on."""
        ...


class NoRevocations:
    """Revocations of a platform on which no token was ever ended."""

    async def changed_since(self, moment: datetime) -> Sequence[Revocation]:
        return ()


class SessionCheck(Protocol):
    async def check(self, claims: Claims, now: datetime) -> None:
        """Unauthenticated for a token that was ended before its time."""
        ...
