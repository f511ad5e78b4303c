"""Looking whether everything that is sealed can still be opened, without showing any of it."""

from dataclasses import dataclass

from omc.access.credential_store import CredentialStore
from omc.access.vault import Vault
from omc.errors import SealBroken, VaultKeyLost


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of it, a sentence for each key of somebody's that cannot be used."""

    opened: int
    tampered: tuple[str, ...]
    """Changed since they were sealed, or put in another's place."""
    lost: tuple[str, ...]
    """Sealed under a key of the vault that is not here."""

    @property
    def sound(self) -> bool:
        return not (self.tampered or self.lost)


async def examine(store: CredentialStore, vault: Vault) -> Examination:
    """Open each as whoever trades with it would, and forget it at once."""
    opened, tampered, lost = 0, list[str](), list[str]()
    # No key of the vault has an empty id, so nothing is left out.
    for each in await store.sealed_otherwise(""):
        named = f"{each.keyhole.use} {each.keyhole.name} of {each.user_id}, {each.id}"
        try:
            each.opened(vault)
        except SealBroken as fault:
            tampered.append(f"{named}: {fault}")
        except VaultKeyLost as fault:
            lost.append(f"{named}: {fault}")
        else:
            opened += 1
    return Examination(opened, tuple(tampered), tuple(lost))
