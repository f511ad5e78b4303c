"""What keeps secrets: sealed under a key that is kept elsewhere, and bound to the place that each was sealed for.

So a value that was copied to another row, owner or field opens nothing.
"""

from typing import Protocol
from uuid import uuid4

from omc.errors import SealBroken


class Sealer(Protocol):
    def seal(self, secret: str, place: bytes) -> str:
        """`secret` as nobody can read it, nor use it at another place."""
        ...


class Vault(Sealer, Protocol):
    def newest(self) -> str:
        """The id of the key that seals now."""
        ...

    def open(self, sealed: str, place: bytes) -> str:
        """VaultKeyLost when it was sealed under a key that is not here, SealBroken when it was changed since or was
        sealed for another place."""
        ...


class MemoryVault(Vault):
    """A Vault that remembers what it sealed, and lives and dies with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, bytes]] = {}
        self.sealing = "memory"

    def newest(self) -> str:
        return self.sealing

    def seal(self, secret: str, place: bytes) -> str:
        sealed = f"v1.{self.sealing}.{uuid4().hex}"
        self._kept[sealed] = secret, place
        return sealed

    def open(self, sealed: str, place: bytes) -> str:
        secret, meant_for = self._kept.get(sealed, ("", b""))
        if meant_for != place:
            raise SealBroken("a sealed value was changed, or belongs to another place")
        return secret


def is_legacy(sealed: str) -> bool:
    """Whether it is a token of Fernet, as earlier platforms kept: those name no key."""
    return sealed.startswith("gAAAA")


def key_id(sealed: str) -> str:
    """The id of the vault's key that something was sealed under, as it says itself; empty when it does not."""
    return sealed.split(".")[1] if sealed.count(".") == 2 else ""
