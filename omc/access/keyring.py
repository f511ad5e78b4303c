"""Everything that is done with people's keys short of using them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from omc.access.credential_store import CredentialStore, MemoryCredentialStore
from omc.access.examiner import Examiner, NoExaminer
from omc.access.vault import MemoryVault, Sealer
from omc.clock import Clock, ManualClock
from omc.trading.deployment import MemoryDeploymentStore


@dataclass(frozen=True, slots=True)
class Keyring:
    """Where keys are kept, what seals them, and who may try them."""

    store: CredentialStore
    sealer: Sealer
    examiner: Examiner = field(default_factory=NoExaminer)

    @classmethod
    def in_memory(cls, clock: Clock | None = None) -> Self:
        """One that lives and dies with the process."""
        known = clock or ManualClock(datetime(2025, 1, 1, tzinfo=UTC))
        return cls(MemoryCredentialStore(known, MemoryDeploymentStore(known)), MemoryVault())
