"""Access tokens prove who asks for a quarter of an hour; refresh tokens buy the next one, once each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token as it is stored: by digest, with the family that it descends from."""

    digest: str
    family: UUID
    user_id: UUID
    expires_at: datetime


class RefreshStore(Protocol):
    async def issue(self, grant: RefreshGrant) -> None: ...

    async def rotate(self, digest: str, successor: RefreshGrant, now: datetime) -> UUID:
        """Spend a token and store its successor in the same family; the user's id. Unauthenticated when the token is
        unknown, expired or revoked; a token spent already revokes its whole family."""
        ...

    async def revoke(self, digest: str) -> None:
        """Revoke the family of a token; an unknown one is no fault."""
        ...

    async def family(self, digest: str) -> UUID | None: ...
