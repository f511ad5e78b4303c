"""API tokens: what a program shows in place of a person's session, good for some of what its owner may do.

The text is `omc_`, the token's id, and 256 random bits. It is told once; what is stored is its digest, and since nobody
can guess it, a plain SHA-256 gives nothing away.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Protocol
from uuid import UUID

from omc.access.scope import Scope
from omc.errors import Conflict, InvalidInput, NotFound

MOST = 50
"""How many an account may have, those that have expired included."""
LONGEST_LIFE, USUAL_LIFE = timedelta(days=366), timedelta(days=90)
SECRET_BYTES = 32
NOTED_EVERY = timedelta(minutes=1)
"""How often it is written down that a token is in use."""

_PREFIX = "omc_"
_TEXT = re.compile(r"omc_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as its owner may know it."""

    id: UUID
    user_id: UUID
    name: str
    scopes: frozenset[Scope]
    digest: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.scopes:
            raise InvalidInput("scopes: a token without any is good for nothing")
        if not self.created_at < self.expires_at <= self.created_at + LONGEST_LIFE:
            raise InvalidInput("expires_at must lie ahead, and at most a year")

    def proven_by(self, text: str) -> bool:
        """Whether `text` is this token's own."""
        return compare_digest(self.digest, digest(text))

    def worth_noting(self, now: datetime) -> bool:
        """Whether it is to be written down that it is in use now."""
        return self.last_used_at is None or now - self.last_used_at >= NOTED_EVERY


def token_text(token_id: UUID, secret: str) -> str:
    return f"{_PREFIX}{token_id.hex}_{secret}"


def looks_like_one(text: str) -> bool:
    """Whether it claims to be an API token, rather than a session's."""
    return text.startswith(_PREFIX)


def id_in(text: str) -> UUID | None:
    """The id that a token names; None when it is none of ours."""
    found = _TEXT.fullmatch(text)
    return UUID(found[1]) if found else None


def digest(text: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


class ApiTokenStore(Protocol):
    """Every token made or revoked is journaled as `api_token`, without its digest."""

    async def add(self, token: ApiToken) -> None:
        """Conflict when the account has as many as it may have; NotFound when it is closed."""
        ...

    async def of(self, user_id: UUID) -> list[ApiToken]:
        """All of an account's, the newest first."""
        ...

    async def find(self, token_id: UUID) -> ApiToken | None:
        """None when it was revoked or never made, or its account is closed."""
        ...

    async def note_use(self, token_id: UUID, at: datetime) -> None:
        """It is in use; written at most once in `NOTED_EVERY`, however many ask."""
        ...

    async def revoke(self, user_id: UUID, token_id: UUID) -> None:
        """NotFound when the account has no such token."""
        ...


@dataclass(slots=True)
class MemoryApiTokenStore:
    """An ApiTokenStore that lives and dies with the process."""

    kept: dict[UUID, ApiToken] = field(default_factory=dict)
    closed: set[UUID] = field(default_factory=set)
    """Accounts that are."""

    async def add(self, token: ApiToken) -> None:
        if token.user_id in self.closed:
            raise nobody(token.user_id)
        check_room(len(await self.of(token.user_id)))
        self.kept[token.id] = token

    async def of(self, user_id: UUID) -> list[ApiToken]:
        return newest_first(each for each in self.kept.values() if each.user_id == user_id)

    async def find(self, token_id: UUID) -> ApiToken | None:
        found = self.kept.get(token_id)
        return None if found is None or found.user_id in self.closed else found

    async def note_use(self, token_id: UUID, at: datetime) -> None:
        found = self.kept.get(token_id)
        if found is not None and found.worth_noting(at):
            self.kept[token_id] = replace(found, last_used_at=at)

    async def revoke(self, user_id: UUID, token_id: UUID) -> None:
        found = self.kept.get(token_id)
        if found is None or found.user_id != user_id:
            raise unknown(token_id)
        del self.kept[token_id]


def newest_first(tokens: Iterable[ApiToken]) -> list[ApiToken]:
    return sorted(tokens, key=lambda each: (each.created_at, each.id), reverse=True)


def check_room(have: int) -> None:
    if have >= MOST:
        raise Conflict(f"an account has at most {MOST} API tokens: revoke one that is not needed")


def nobody(user_id: UUID) -> NotFound:
    return NotFound(f"there is no user {user_id}")


def unknown(token_id: UUID) -> NotFound:
    return NotFound(f"there is no API token {token_id}")
