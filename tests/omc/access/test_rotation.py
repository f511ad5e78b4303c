"""Whatever is stored is sealed anew under the newest key, and nothing is lost on the way there."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from omc.access.audit_trail import MemoryAuditTrail
from omc.access.credential import COINSPOT, Credential, Keyhole, Use, sealed
from omc.access.credential_store import MemoryCredentialStore
from omc.access.rotation import rotate
from omc.access.second_factor_store import MemorySecondFactorStore
from omc.access.second_factors import SecondFactors
from omc.access.vault import MemoryVault
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.trading.deployment import MemoryDeploymentStore

NOW = datetime(2025, 1, 1, tzinfo=UTC)
SECRETS = {"api_key": "abcd0123456789wxyz", "api_secret": "s3cret"}
OPENAI = Keyhole(Use.LLM, "openai")


class Breaks(MemoryCredentialStore):
    """One that is away when it has sealed so many anew."""

    until = 100

    async def reseal(self, credential: Credential) -> bool:
        if not self.until:
            raise Unavailable("the database cannot be reached")
        self.until -= 1
        return await super().reseal(credential)


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault()


@pytest.fixture
async def store(vault: MemoryVault) -> Breaks:
    clock = ManualClock(NOW)
    made = Breaks(clock, MemoryDeploymentStore(clock))
    for number in range(4):
        for keyhole in (COINSPOT, OPENAI):
            await made.add(sealed(keyhole, UUID(int=number), SECRETS, vault, at=NOW))
    vault.sealing = "newer"
    return made


def opened(store: Breaks, vault: MemoryVault) -> list[dict[str, str]]:
    return [each.opened(vault) for each in store.kept.values()]


async def test_everything_is_sealed_anew_once(store: Breaks, vault: MemoryVault) -> None:
    found = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW))
    assert (found.newest, found.resealed, found.failed, found.needed) == ("newer", 8, (), frozenset())
    assert opened(store, vault) == [SECRETS] * 8
    again = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW))
    assert (again.resealed, again.needed) == (0, frozenset())


@pytest.mark.parametrize("at", range(8))
async def test_broken_off_it_goes_on_where_it_stopped(store: Breaks, vault: MemoryVault, at: int) -> None:
    store.until = at
    with pytest.raises(Unavailable):
        await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW))
    assert opened(store, vault) == [SECRETS] * 8
    assert await store.vault_keys() == ({"memory", "newer"} if at else {"memory"})
    store.until = 100
    found = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW))
    assert (found.resealed, found.needed) == (8 - at, frozenset())
    assert opened(store, vault) == [SECRETS] * 8


async def test_what_cannot_be_opened_is_named_and_kept_and_keeps_nothing_else(
    store: Breaks, vault: MemoryVault
) -> None:
    broken = store.kept[UUID(int=1), OPENAI]
    store.kept[UUID(int=1), OPENAI] = replace(broken, sealed={**broken.sealed, "api_key": "v1.older.AAAA"})
    found = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW))
    (failed,) = found.failed
    assert failed.startswith(f"llm openai of {UUID(int=1)}: a sealed value was changed")
    assert (found.resealed, found.needed) == (7, {"memory", "older"})
    assert store.kept[UUID(int=1), OPENAI].sealed["api_key"] == "v1.older.AAAA"


async def test_the_owner_of_each_has_it_on_record(store: Breaks, vault: MemoryVault) -> None:
    trail = MemoryAuditTrail()
    await rotate(store, vault, trail, ManualClock(NOW))
    told = [each.happening for each in trail.chains[UUID(int=2)]]
    assert [(each.actor, each.action, each.subject) for each in told] == [
        ("cli", "keys.rotate", "exchange coinspot"),
        ("cli", "keys.rotate", "llm openai"),
    ]


async def test_second_factors_are_sealed_anew_as_well(store: Breaks, vault: MemoryVault) -> None:
    factors = SecondFactors(MemorySecondFactorStore(), vault, ManualClock(NOW))
    vault.sealing = "memory"
    secret = await factors.begin(UUID(int=1))
    vault.sealing = "newer"
    found = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW), factors.store)
    assert (found.resealed, found.failed, found.needed) == (9, (), frozenset())
    (kept,) = factors.store.kept.values()
    assert vault.open(kept.sealed, kept.place) == secret


async def test_a_second_factor_of_another_account_opens_nothing(store: Breaks, vault: MemoryVault) -> None:
    factors = SecondFactors(MemorySecondFactorStore(), vault, ManualClock(NOW))
    vault.sealing = "memory"
    await factors.begin(UUID(int=1))
    factors.store.kept[UUID(int=1)] = replace(factors.store.kept[UUID(int=1)], user_id=UUID(int=2))
    vault.sealing = "newer"
    found = await rotate(store, vault, MemoryAuditTrail(), ManualClock(NOW), factors.store)
    assert len(found.failed) == 1
    assert found.needed == {"memory"}
