"""Sealing anew, under the vault's newest key, whatever an older one has sealed: then the older one can be taken out."""

from dataclasses import dataclass, replace

from omc.access.audit import CLI, Happening
from omc.access.audit_trail import AuditTrail
from omc.access.credential import seal_of
from omc.access.credential_store import CredentialStore
from omc.access.second_factor_store import SecondFactorStore
from omc.access.vault import Vault
from omc.clock import Clock
from omc.errors import SealBroken, VaultKeyLost


@dataclass(frozen=True, slots=True)
class Rotation:
    """What came of it. Done again it changes nothing; broken off, it goes on where it stopped."""

    newest: str
    """The id of the key that everything is to be sealed under."""
    resealed: int
    failed: tuple[str, ...]
    """What could not be opened, and why."""
    needed: frozenset[str]
    """Ids of older keys that something is sealed under still; "" for tokens that name none."""


async def rotate(
    store: CredentialStore,
    vault: Vault,
    trail: AuditTrail,
    clock: Clock,
    factors: SecondFactorStore | None = None,
) -> Rotation:
    """One after the other, each in a transaction of its own: whatever is used meanwhile opens before and after. Its
    owner's trail says so before it is done."""
    newest, resealed, failed = vault.newest(), 0, list[str]()
    for each in await store.sealed_otherwise(newest):
        try:
            opened = each.opened(vault)
        except (SealBroken, VaultKeyLost) as fault:
            failed.append(f"{each.keyhole.use} {each.keyhole.name} of {each.user_id}: {fault}")
            continue
        anew = {name: vault.seal(secret, seal_of(each, name)) for name, secret in opened.items()}
        subject, details = f"{each.keyhole.use} {each.keyhole.name}", {"outcome": "asked", "key": newest}
        await trail.append(Happening(each.user_id, clock.now(), CLI, "keys.rotate", subject, details))
        resealed += await store.reseal(replace(each, sealed=anew))
    needed = await store.vault_keys()
    if factors is not None:
        more = await _factors_anew(factors, vault, newest, failed)
        resealed, needed = resealed + more, needed | await factors.vault_keys()
    return Rotation(newest, resealed, tuple(failed), needed - {newest})


async def _factors_anew(factors: SecondFactorStore, vault: Vault, newest: str, failed: list[str]) -> int:
    resealed = 0
    for each in await factors.sealed_otherwise(newest):
        try:
            secret = vault.open(each.sealed, each.place)
        except (SealBroken, VaultKeyLost) as fault:
            failed.append(f"second factor of {each.user_id}: {fault}")
            continue
        resealed += await factors.reseal(replace(each, sealed=vault.seal(secret, each.place)))
    return resealed
