"""Who asks: a person by the access token of a session, or a program by an API token."""

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from omc.access.api_token import ApiToken, id_in, looks_like_one
from omc.access.revocation import SessionCheck
from omc.access.scope import Scope, allows
from omc.access.signer import TokenSigner
from omc.clock import Clock
from omc.errors import Forbidden, Unauthenticated, Unavailable

REMEMBERED = timedelta(seconds=5)
"""How long a revoked token may be believed still, where it was used just before."""
GONE_BY = timedelta(minutes=15)
"""How long it may be while the store is away, as with a session: whoever trades by it must be able to stop."""
_MOST_REMEMBERED = 1_000


class KnownTokens(Protocol):
    """What is asked of an ApiTokenStore here."""

    async def find(self, token_id: UUID) -> ApiToken | None: ...

    async def note_use(self, token_id: UUID, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """`scopes` is None for a person, who may do everything that is theirs to do."""

    user_id: UUID
    token_id: UUID
    expires_at: datetime
    scopes: frozenset[Scope] | None = None

    @property
    def is_person(self) -> bool:
        return self.scopes is None

    def check(self, wanted: Scope | None) -> None:
        """Forbidden unless a program's scopes allow what is wanted; None is what takes a person."""
        if self.scopes is None:
            return
        if wanted is None:
            raise Forbidden("this takes a person who is logged in: no API token suffices")
        if not allows(self.scopes, wanted):
            raise Forbidden(f"this takes an API token with the scope {wanted.value}")


class Askers:
    """Tells who shows a token. What the store said of an API token is remembered for some seconds."""

    def __init__(
        self, signer: TokenSigner, clock: Clock, tokens: KnownTokens, sessions: SessionCheck | None = None
    ) -> None:
        self._signer, self._clock, self._tokens, self._sessions = signer, clock, tokens, sessions
        self._remembered: dict[UUID, tuple[datetime, ApiToken]] = {}

    async def known(self, text: str) -> Asker:
        """Unauthenticated when the token is not ours, is out of its time, or was revoked."""
        now = self._clock.now()
        if not looks_like_one(text):
            claims = self._signer.verify(text, now)
            if self._sessions is not None:
                await self._sessions.check(claims, now)
            return Asker(claims.user_id, claims.token_id, claims.expires_at)
        token_id = id_in(text)
        token = await self._found(token_id, now) if token_id else None
        if token is None or not token.proven_by(text):
            raise Unauthenticated("the API token is unknown or revoked")
        if now >= token.expires_at:
            raise Unauthenticated("the API token has expired")
        if token.worth_noting(now):
            await self._note_use(token, now)
        return Asker(token.user_id, token.id, token.expires_at, token.scopes)

    def at_hand(self, text: str) -> UUID | None:
        """Whose token it is, as far as it can be told without asking anybody: None of one that is not known to be good.
        It may have been revoked."""
        now = self._clock.now()
        if not looks_like_one(text):
            try:
                return self._signer.verify(text, now).user_id
            except Unauthenticated:
                return None
        token_id = id_in(text)
        looked, token = self._remembered.get(token_id, (None, None)) if token_id else (None, None)
        if token is None or looked is None or not (timedelta(0) <= now - looked < GONE_BY) or now >= token.expires_at:
            return None
        return token.user_id if token.proven_by(text) else None

    async def _found(self, token_id: UUID, now: datetime) -> ApiToken | None:
        looked, token = self._remembered.get(token_id, (None, None))
        if token is not None and looked is not None and timedelta(0) <= now - looked < REMEMBERED:
            return token
        # Only what there is takes a place: made-up ids must not push it out.
        try:
            found = await self._tokens.find(token_id)
        except Unavailable:
            if token is not None and looked is not None and timedelta(0) <= now - looked < GONE_BY:
                return token
            raise
        self._remembered.pop(token_id, None)
        if found is None:
            return None
        if len(self._remembered) >= _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token_id] = now, found
        return found

    async def _note_use(self, token: ApiToken, now: datetime) -> None:
        looked, known = self._remembered.get(token.id, (None, None))
        if looked is not None and known is not None:
            # First, so that of many requests at once one writes.
            self._remembered[token.id] = looked, replace(known, last_used_at=now)
        # When it was used last is nice to know, and no reason to refuse it.
        with contextlib.suppress(Unavailable):
            await self._tokens.note_use(token.id, now)
