"""Setting second factors up and asking for them: the one place that opens their secrets, and opens nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID, uuid4

from omc.access.second_factor import (
    SecondFactor,
    is_device_code,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    secret_bytes,
    steps_of,
)
from omc.access.second_factor_store import (
    MemorySecondFactorStore,
    SecondFactorStore,
    already_on,
    not_there,
)
from omc.access.vault import MemoryVault, Vault
from omc.clock import Clock, ManualClock
from omc.errors import Conflict, SecondFactorNeeded, SecondFactorWrong


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """Inert until used: where they are kept, and what opens them."""

    store: SecondFactorStore
    vault: Vault = field(repr=False)
    clock: Clock

    @classmethod
    def in_memory(cls, clock: Clock | None = None) -> Self:
        """Some that live and die with the process."""
        known = clock or ManualClock(datetime(2025, 1, 1, tzinfo=UTC))
        return cls(MemorySecondFactorStore(), MemoryVault(), known)

    async def begin(self, user_id: UUID) -> str:
        """The secret of a new one, told once; it asks for nothing until it is confirmed."""
        secret = new_secret()
        empty = SecondFactor(uuid4(), user_id, "", self.clock.now())
        await self.store.begin(replace(empty, sealed=self.vault.seal(secret, empty.place)))
        return secret

    async def confirm(self, user_id: UUID, code: str) -> Sequence[str]:
        """Switch it on with a first code; its recovery codes, told once."""
        found = await self.store.get(user_id)
        if found is None:
            raise Conflict("there is no second factor to confirm: set one up first")
        if found.is_on:
            raise already_on()
        await self._take(user_id, code)
        codes = new_recovery_codes()
        if not await self.store.confirm(found, [recovery_digest(each) for each in codes], self.clock.now()):
            raise Conflict("this second factor was confirmed or replaced meanwhile")
        return codes

    async def demand(self, user_id: UUID, code: str | None) -> None:
        """Return when the account has none, or `code` is one of its device's that was not taken before. RateLimited
        after too many wrong ones."""
        found = await self.store.get(user_id)
        if found is None or not found.is_on:
            return
        if code is None:
            raise SecondFactorNeeded("this account has a second factor: send a code of it")
        await self._take(user_id, code)

    async def switch_off(self, user_id: UUID, code: str) -> None:
        """By a code of the device, or by a recovery code."""
        found = await self.store.get(user_id)
        if found is None:
            raise not_there()
        if found.is_on:
            await (self._take(user_id, code) if is_device_code(code) else self._spend(user_id, code))
        if not await self.store.remove(found):
            raise SecondFactorWrong("the second factor has changed meanwhile: look how it stands, and ask again")

    async def reset(self, user_id: UUID) -> None:
        """Take it away without any code, on the word of whoever runs the platform. NotFound without one."""
        found = await self.store.get(user_id)
        if found is None:
            raise not_there()
        if not await self.store.remove(found):
            raise Conflict("the second factor has changed meanwhile: ask again")

    async def closed_for(self, user_id: UUID) -> timedelta:
        """How long nobody is listened to, after too many wrong codes."""
        found, now = await self.store.get(user_id), self.clock.now()
        until = found.closed_until if found is not None else None
        return max(timedelta(0), until - now) if until is not None else timedelta(0)

    async def _take(self, user_id: UUID, code: str) -> None:
        now = self.clock.now()
        factor = await self.store.charge(user_id, now)
        secret = secret_bytes(self.vault.open(factor.sealed, factor.place))
        steps = steps_of(secret, code, now)
        if not steps:
            raise SecondFactorWrong("the code of the second factor is wrong")
        if not await self.store.advance(factor, steps[0]):
            raise SecondFactorWrong("this code was used already: wait for the next")

    async def _spend(self, user_id: UUID, code: str) -> None:
        now = self.clock.now()
        factor = await self.store.charge(user_id, now)
        if not await self.store.spend(factor, recovery_digest(code), now):
            raise SecondFactorWrong("the recovery code is wrong, or was used")
