"""What an access token says, and who can say it so that it is believed."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from omc.errors import Unauthenticated

ACCESS_LIFE = timedelta(minutes=15)
# Two machines' clocks differ a little; a token made on one must hold on the other.
CLOCK_SKEW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claims:
    """Times are in whole seconds, as the wire has them."""

    user_id: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime

    def check(self, now: datetime) -> None:
        """Unauthenticated outside the token's own time."""
        if now >= self.expires_at:
            raise Unauthenticated("the access token has expired")
        if self.issued_at > now + CLOCK_SKEW:
            raise Unauthenticated("the access token comes from the future")


class TokenSigner(Protocol):
    """Both are quick and do not wait, so they run where they are called."""

    def sign(self, claims: Claims) -> str: ...

    def verify(self, token: str, now: datetime) -> Claims:
        """What the token says. Unauthenticated when it is not ours, was altered, or is out of its time."""
        ...


@dataclass(slots=True)
class MemoryTokenSigner:
    """A TokenSigner that believes what it remembers having signed."""

    signed: dict[str, Claims] = field(default_factory=dict)

    def sign(self, claims: Claims) -> str:
        token = f"token-{claims.token_id}"
        self.signed[token] = claims
        return token

    def verify(self, token: str, now: datetime) -> Claims:
        claims = self.signed.get(token)
        if claims is None:
            raise Unauthenticated("the access token is not ours")
        claims.check(now)
        return claims
