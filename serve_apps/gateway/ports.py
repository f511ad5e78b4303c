"""What the gateway is handed: everything inert, so that it travels to a replica without secrets."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from omc.access.api_token import ApiTokenStore, MemoryApiTokenStore
from omc.access.audit_trail import AuditTrail, MemoryAuditTrail
from omc.access.closing import Closing, MemoryClosing
from omc.access.keyring import Keyring
from omc.access.lockout import LockoutStore, MemoryLockoutStore
from omc.access.password import PasswordHasher
from omc.access.revocation import NoRevocations, Revocations
from omc.access.second_factors import SecondFactors
from omc.access.signer import TokenSigner
from omc.access.token import RefreshStore
from omc.access.user import UserStore
from omc.clock import Clock
from omc.feature.table import MakeWriter
from omc.ledger.exchange import CollectorSwitches, HotCache, MemoryCollectorSwitches, PriceArchive
from omc.ledger.shelf import LedgerShelf, MemoryShelf
from serve_apps.door import Rules

Probe = Callable[[], Awaitable[object]]
"""Asks a dependency something cheap: an answer, whatever it is, means that it is there."""


@dataclass(frozen=True, slots=True)
class GatewayPorts:
    users: UserStore
    refresh: RefreshStore
    signer: TokenSigner
    hasher: PasswordHasher
    archive: PriceArchive
    hot: HotCache
    clock: Clock
    arrow: MakeWriter
    probes: Mapping[str, Probe]
    """By the name of the dependency, such as "database" or "risk:0". Functions or bound methods that can be pickled."""
    warnings: tuple[str, ...] = ()
    """What whoever runs the platform is to know at all times, a sentence each."""
    rules: Rules = field(default=Rules())
    audit: AuditTrail = field(default_factory=MemoryAuditTrail)
    ledgers: LedgerShelf = field(default_factory=MemoryShelf)
    keyring: Keyring = field(default_factory=Keyring.in_memory)
    second_factors: SecondFactors = field(default_factory=SecondFactors.in_memory)
    tokens: ApiTokenStore = field(default_factory=MemoryApiTokenStore)
    revocations: Revocations = field(default=NoRevocations())
    lockout: LockoutStore = field(default_factory=MemoryLockoutStore)
    switches: CollectorSwitches = field(default_factory=MemoryCollectorSwitches)
    operators_are_local: bool = False
    """Whoever asks from this machine itself is taken for an operator, on paths that are for operators."""
    closing: Closing = field(default_factory=MemoryClosing)
