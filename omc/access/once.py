"""A request that may come again has its effect once: whose key it carries, what it asks for, and what was answered.

Whoever carries a request out holds its claim and renews it. A claim that is not renewed is another's to take: the first
may have died between its effect and its answer, so effects are named by the claim's operation, which stays the same
however often the request is carried out.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from omc.clock import Clock, ManualClock
from omc.errors import Conflict

HELD_FOR = timedelta(seconds=10)
"""How long a claim holds that is not renewed."""
KEPT_FOR = timedelta(hours=48)
"""How long an answer is kept at least."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, as it went over the wire."""

    status: int
    body: bytes
    media_type: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry a request out now."""

    user_id: UUID
    key: str
    operation: UUID
    run: int
    """1 for whoever carries it out first."""
    began_at: datetime
    """When the request came first."""


def another_request() -> Conflict:
    return Conflict("this Idempotency-Key belongs to another request")


class RequestStore(Protocol):
    """Requests by their owner and key. `fingerprint` is of all that a request asks for."""

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes) -> Claim | Answer | None:
        """The request to carry out, or the answer that it had; None while another carries it out. Conflict when the key
        was another request's."""
        ...

    async def renew(self, claim: Claim) -> None:
        """Hold it for as long again, unless somebody else has it by now."""
        ...

    async def answer(self, claim: Claim, answer: Answer) -> Answer:
        """Keep what is answered; the first answer, where there is one already."""
        ...

    async def let_go(self, claim: Claim) -> None:
        """It is not finished: whoever asks again carries it out again, as the same operation."""
        ...

    async def forget(self, claim: Claim) -> None:
        """Nothing was done, and the key is free; a request that was carried out before is let go."""
        ...


@dataclass(slots=True)
class _Kept:
    fingerprint: bytes
    claim: Claim
    held_until: datetime
    answer: Answer | None = None


@dataclass(slots=True)
class MemoryRequests:
    """A RequestStore that lives and dies with the process. Without a clock no claim ends by itself."""

    clock: Clock = field(default_factory=lambda: ManualClock(datetime(2025, 1, 1, tzinfo=UTC)))
    kept: dict[tuple[UUID, str], _Kept] = field(default_factory=dict)

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes) -> Claim | Answer | None:
        now = self.clock.now()
        for each in [each for each, known in self.kept.items() if known.claim.began_at < now - KEPT_FOR]:
            del self.kept[each]
        known = self.kept.get((user_id, key))
        if known is None:
            claim = Claim(user_id, key, uuid4(), 1, now)
            self.kept[user_id, key] = _Kept(fingerprint, claim, now + HELD_FOR)
            return claim
        if known.fingerprint != fingerprint:
            raise another_request()
        if known.answer is not None:
            return known.answer
        if known.held_until > now:
            return None
        known.claim = replace(known.claim, run=known.claim.run + 1)
        known.held_until = now + HELD_FOR
        return known.claim

    async def renew(self, claim: Claim) -> None:
        if known := self._held(claim):
            known.held_until = self.clock.now() + HELD_FOR

    async def answer(self, claim: Claim, answer: Answer) -> Answer:
        known = self.kept.get((claim.user_id, claim.key))
        if known is None or known.claim.operation != claim.operation:
            return answer
        known.answer = known.answer or answer
        return known.answer

    async def let_go(self, claim: Claim) -> None:
        if known := self._held(claim):
            known.held_until = self.clock.now()

    async def forget(self, claim: Claim) -> None:
        if claim.run > 1:
            await self.let_go(claim)
        elif self._held(claim):
            del self.kept[claim.user_id, claim.key]

    def _held(self, claim: Claim) -> _Kept | None:
        known = self.kept.get((claim.user_id, claim.key))
        return known if known is not None and known.claim == claim and known.answer is None else None
