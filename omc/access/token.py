"""Access tokens prove who asks for a quarter of an hour; refresh tokens buy the next one, once each."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from omc.access.user import UserStore
from omc.errors import Unauthenticated

REFRESH_LIFE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token as it is stored: by digest, with the family that it descends from."""

    digest: str
    family: UUID
    user_id: UUID
    expires_at: datetime
    valid_from: datetime | None = None
    """From when on its owner's tokens held when that was verified; None when nobody looked."""
    is_over: bool = False
    """Whether its family was revoked: whoever shows it changes nothing any more."""


def digest(token: str) -> str:
    """What is stored of a refresh token. It is random and long, so a plain SHA-256 gives nothing away."""
    return hashlib.sha256(token.encode()).hexdigest()


def overtaken() -> Unauthenticated:
    return Unauthenticated("this account has changed meanwhile: log in again")


class RefreshStore(Protocol):
    async def issue(self, grant: RefreshGrant) -> None:
        """Begin a family. Unauthenticated when its owner's sessions were ended since that was verified."""
        ...

    async def rotate(self, digest: str, successor: RefreshGrant, now: datetime) -> UUID:
        """Spend a token and store its successor in the same family; the user's id. Unauthenticated when the token is
        unknown, expired or revoked; a token spent already revokes its whole family."""
        ...

    async def revoke(self, digest: str) -> None:
        """Revoke the family of a token; an unknown one is no fault."""
        ...

    async def revoke_user(self, user_id: UUID) -> None:
        """Revoke every family of a user, who then has to log in everywhere again."""
        ...

    async def grant(self, digest: str) -> RefreshGrant | None:
        """The token as it is stored, whether it still holds or not; None for an unknown one."""
        ...


@dataclass(slots=True)
class MemoryRefreshStore:
    """A RefreshStore that lives and dies with the process."""

    users: UserStore | None = None
    """Whose tokens they are, where that is known."""
    grants: dict[str, RefreshGrant] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    revoked: set[UUID] = field(default_factory=set)

    async def issue(self, grant: RefreshGrant) -> None:
        if self.users is not None and grant.valid_from is not None:
            owner = await self.users.get(grant.user_id)
            if not owner.is_active or owner.tokens_valid_from != grant.valid_from:
                raise overtaken()
        self.grants[grant.digest] = grant

    async def rotate(self, digest: str, successor: RefreshGrant, now: datetime) -> UUID:
        grant = self.grants.get(digest)
        if grant is None or grant.expires_at <= now or grant.family in self.revoked:
            raise Unauthenticated("this refresh token is unknown, expired or revoked")
        if digest in self.spent:
            # Somebody holds a copy: whether the thief or the owner came second cannot be told, so both are out.
            self.revoked.add(grant.family)
            raise Unauthenticated("this refresh token was used already: every token that descends from it is revoked")
        self.spent.add(digest)
        self.grants[successor.digest] = replace(successor, family=grant.family, user_id=grant.user_id)
        return grant.user_id

    async def revoke(self, digest: str) -> None:
        if grant := self.grants.get(digest):
            self.revoked.add(grant.family)

    async def revoke_user(self, user_id: UUID) -> None:
        self.revoked |= {grant.family for grant in self.grants.values() if grant.user_id == user_id}

    async def grant(self, digest: str) -> RefreshGrant | None:
        grant = self.grants.get(digest)
        return grant and replace(grant, is_over=grant.family in self.revoked)
