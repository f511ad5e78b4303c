"""Where second factors are kept, and counted against whoever guesses."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Protocol
from uuid import UUID

from omc.access.second_factor import SecondFactor, wait_after
from omc.access.vault import key_id
from omc.errors import Conflict, NotFound, RateLimited


class SecondFactorStore(Protocol):
    """One for each account. Whatever changes it is journaled as `second_factor`, without a secret."""

    async def get(self, user_id: UUID) -> SecondFactor | None: ...

    async def begin(self, factor: SecondFactor) -> None:
        """In place of one that was never confirmed. Conflict when there is one that was."""
        ...

    async def charge(self, user_id: UUID, now: datetime) -> SecondFactor:
        """Count a try before it is looked at, so that many at once gain nothing. RateLimited while nobody is listened
        to, NotFound without a second factor."""
        ...

    async def advance(self, factor: SecondFactor, step: int) -> bool:
        """Take the code of a step, and forget the wrong ones before it. False when it, or a later one, was taken: of
        two who show one code, wherever they ask, one is believed."""
        ...

    async def confirm(self, factor: SecondFactor, digests: Collection[str], now: datetime) -> bool:
        """Switch it on, with recovery codes of these digests. False when it was on, or replaced meanwhile."""
        ...

    async def spend(self, factor: SecondFactor, digest: str, now: datetime) -> bool:
        """Use a recovery code up, and forget the wrong codes before it. False when it is unknown or was used."""
        ...

    async def left(self, factor: SecondFactor) -> int:
        """How many recovery codes have not been used."""
        ...

    async def remove(self, factor: SecondFactor) -> bool:
        """False when it is gone already, was replaced, or was confirmed meanwhile."""
        ...

    async def sealed_otherwise(self, vault_key: str) -> list[SecondFactor]:
        """Everybody's that are not sealed under the vault's key of that id."""
        ...

    async def reseal(self, factor: SecondFactor) -> bool:
        """The same secret, sealed anew. False when it was replaced or removed meanwhile."""
        ...

    async def vault_keys(self) -> frozenset[str]:
        """Ids of the vault's keys that anything stored is sealed under."""
        ...


@dataclass(slots=True)
class MemorySecondFactorStore:
    """A SecondFactorStore that lives and dies with the process."""

    kept: dict[UUID, SecondFactor] = field(default_factory=dict)
    codes: dict[UUID, set[str]] = field(default_factory=dict)
    """Digests of recovery codes that are left, by second factor."""

    async def get(self, user_id: UUID) -> SecondFactor | None:
        return self.kept.get(user_id)

    async def begin(self, factor: SecondFactor) -> None:
        known = self.kept.get(factor.user_id)
        if known is not None and known.is_on:
            raise already_on()
        self.kept[factor.user_id] = factor

    async def charge(self, user_id: UUID, now: datetime) -> SecondFactor:
        found = self.kept.get(user_id)
        if found is None:
            raise not_there()
        if found.closed_until is not None and found.closed_until > now:
            raise closed(found.closed_until, now)
        wait = wait_after(found.tries + 1)
        charged = replace(found, tries=found.tries + 1, closed_until=now + wait if wait else None)
        self.kept[user_id] = charged
        return charged

    async def advance(self, factor: SecondFactor, step: int) -> bool:
        found = self._same(factor)
        if found is None or found.last_step >= step:
            return False
        self.kept[factor.user_id] = replace(found, last_step=step, tries=0, closed_until=None)
        return True

    async def confirm(self, factor: SecondFactor, digests: Collection[str], now: datetime) -> bool:
        found = self._same(factor)
        if found is None or found.is_on:
            return False
        self.kept[factor.user_id] = replace(found, confirmed_at=now)
        self.codes[factor.id] = set(digests)
        return True

    async def spend(self, factor: SecondFactor, digest: str, now: datetime) -> bool:
        found = self._same(factor)
        if found is None or digest not in self.codes.get(factor.id, ()):
            return False
        self.codes[factor.id].discard(digest)
        self.kept[factor.user_id] = replace(found, tries=0, closed_until=None)
        return True

    async def left(self, factor: SecondFactor) -> int:
        return len(self.codes.get(factor.id, ()))

    async def remove(self, factor: SecondFactor) -> bool:
        found = self._same(factor)
        if found is None or found.is_on is not factor.is_on:
            return False
        del self.kept[factor.user_id]
        self.codes.pop(factor.id, None)
        return True

    async def sealed_otherwise(self, vault_key: str) -> list[SecondFactor]:
        return [each for each in self.kept.values() if key_id(each.sealed) != vault_key]

    async def reseal(self, factor: SecondFactor) -> bool:
        found = self._same(factor)
        if found is None:
            return False
        self.kept[factor.user_id] = replace(found, sealed=factor.sealed)
        return True

    async def vault_keys(self) -> frozenset[str]:
        return frozenset(key_id(each.sealed) for each in self.kept.values())

    def _same(self, factor: SecondFactor) -> SecondFactor | None:
        found = self.kept.get(factor.user_id)
        return found if found is not None and found.id == factor.id else None


def already_on() -> Conflict:
    return Conflict("this account has a second factor: switch it off before you set up another")


def not_there() -> NotFound:
    return NotFound("this account has no second factor")


def closed(until: datetime, now: datetime) -> RateLimited:
    return RateLimited(f"too many wrong codes: wait {max(1, ceil((until - now).total_seconds()))} seconds")
