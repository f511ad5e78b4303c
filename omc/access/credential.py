"""Keys that people entrust to us: sealed wherever they are kept, and opened by nobody but whoever sends orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from omc.access.vault import Sealer, Vault, key_id

_SHORTEST_SHOWN = 16
_SHOWN = 4


class Use(StrEnum):
    EXCHANGE = "exchange"
    LLM = "llm"


@dataclass(frozen=True, slots=True)
class Keyhole:
    """What a key is for: `coinspot`, another exchange, or whoever provides a model."""

    use: Use
    name: str

    @property
    def table(self) -> str:
        """Where such keys are kept."""
        if self.use is Use.LLM:
            return "llm_credentials"
        return "coinspot_credentials" if self.name == "coinspot" else "exchange_credentials"


COINSPOT = Keyhole(Use.EXCHANGE, "coinspot")


class Access(StrEnum):
    """What the venue lets a key do."""

    REFUSED = "refused"
    READ_ONLY = "read_only"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Credential:
    """A key as everybody may know it. Whoever replaces a key makes a new one of these, with an id of its own."""

    id: UUID
    user_id: UUID
    keyhole: Keyhole
    hint: str
    """The key's first and last letters."""
    sealed: Mapping[str, str] = field(repr=False)
    """By field: api_key, api_secret, passphrase."""
    stored_at: datetime
    access: Access | None = None
    """What the venue said when it was last asked; None when it never was."""
    checked_at: datetime | None = None
    message: str | None = None
    """Why it is not what live trading needs, in the venue's words where it said any."""
    withdrawals_disabled: bool = False
    """Its owner's word that it cannot withdraw: not every venue tells."""

    @property
    def validated(self) -> bool:
        return self.access in (Access.READ_ONLY, Access.FULL)

    def sealed_under(self, vault_key: str) -> bool:
        """Whether all of it is sealed under the vault's key of that id."""
        return all(key_id(sealed) == vault_key for sealed in self.sealed.values())

    def opened(self, vault: Vault) -> dict[str, str]:
        """The secrets by field. SealBroken or VaultKeyLost when they cannot be opened."""
        return {name: vault.open(sealed, seal_of(self, name)) for name, sealed in self.sealed.items()}


def seal_of(credential: Credential, name: str) -> bytes:
    """The place that one of its fields is sealed for."""
    return f"{credential.keyhole.table}|{credential.id}|{credential.user_id}|{name}".encode()


def masked(key: str) -> str:
    """The first and the last letters of a key that is long enough to keep the rest of it secret."""
    return f"{key[:_SHOWN]}…{key[-_SHOWN:]}" if len(key) >= _SHORTEST_SHOWN else "…"


def sealed(
    keyhole: Keyhole,
    user_id: UUID,
    secrets: Mapping[str, str],
    sealer: Sealer,
    *,
    at: datetime,
    withdrawals_disabled: bool = False,
) -> Credential:
    """A new credential of `secrets`, by field."""
    empty = Credential(
        id=uuid4(),
        user_id=user_id,
        keyhole=keyhole,
        hint=masked(secrets["api_key"]),
        sealed={},
        stored_at=at,
        withdrawals_disabled=withdrawals_disabled,
    )
    return replace(empty, sealed={name: sealer.seal(text, seal_of(empty, name)) for name, text in secrets.items()})
