"""What the floor app is handed: everything inert, so that it travels to a replica without secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from omc.access.api_token import ApiTokenStore, MemoryApiTokenStore
from omc.access.audit_trail import AuditTrail, MemoryAuditTrail
from omc.access.credential_store import CredentialStore
from omc.access.keyring import Keyring
from omc.access.once import MemoryRequests, RequestStore
from omc.access.quota import Allowance
from omc.access.revocation import NoRevocations, Revocations
from omc.access.second_factors import SecondFactors
from omc.access.signer import TokenSigner
from omc.access.usage import UsageLedger
from omc.clock import Clock
from omc.ledger.catalyst import CatalystLedger, MemoryCatalysts
from omc.ledger.exchange import HotCache, PriceArchive
from omc.market.terms import Terms
from omc.risk.flag import DurableFlag
from omc.risk.halt_files import HaltFiles, MemoryHaltFiles
from omc.risk.kill_switch import KillSwitch
from omc.risk.limits import Bounds, Limits
from omc.risk.store import MemoryRiskStore, RiskStore
from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import Maker
from omc.strategy.model_store import MemoryModelStore, ModelStore
from omc.trading.blotter import Blotter
from omc.trading.capability import VenueFacts
from omc.trading.deployment import DeploymentStore
from omc.trading.floor import RiskDesk, Supervision
from omc.trading.paper.exchange import CAPABILITIES
from omc.trading.reconciliation.venue_book import MemoryVenueBook, VenueBook
from serve_apps.door import Rules

_COINSPOT = VenueFacts("coinspot", CAPABILITIES, Terms(), live_refusal=None)


@dataclass(frozen=True, slots=True)
class FloorPorts:
    algorithms: AlgorithmStore
    deployments: DeploymentStore
    blotter: Blotter
    kill_switch: KillSwitch
    risk: RiskDesk
    supervision: Supervision
    archive: PriceArchive
    hot: HotCache
    signer: TokenSigner
    clock: Clock
    terms: Terms
    usage: UsageLedger
    venue_book: VenueBook = field(default_factory=MemoryVenueBook)
    """What reconciliation found last; what is decided about it goes through the risk desk."""
    venue: str = "coinspot"
    allowance: Allowance = field(default=Allowance())
    most: Limits | None = None
    """No deployment may have wider limits than these, when they are given."""
    models: ModelStore = field(default_factory=MemoryModelStore)
    maker: Maker = field(default=Maker())
    catalysts: CatalystLedger = field(default_factory=MemoryCatalysts)
    rules: Rules = field(default=Rules())
    audit: AuditTrail = field(default_factory=MemoryAuditTrail)
    credentials: CredentialStore = field(default_factory=lambda: Keyring.in_memory().store)
    """Read for what the venue said of a key; nobody here can open one."""
    second_factors: SecondFactors = field(default_factory=SecondFactors.in_memory)
    tokens: ApiTokenStore = field(default_factory=MemoryApiTokenStore)
    revocations: Revocations = field(default=NoRevocations())
    halt_files: HaltFiles = field(default_factory=MemoryHaltFiles)
    limits: RiskStore = field(default_factory=MemoryRiskStore)
    platform: Bounds = field(default=Bounds())
    """What all deployments of one mode trade within together."""
    requests: RequestStore = field(default_factory=MemoryRequests)
    """Requests with a key, and what they were answered."""
    venues: Mapping[str, VenueFacts] = field(default_factory=lambda: {"coinspot": _COINSPOT})

    @property
    def flag(self) -> DurableFlag:
        """The kill switch with the files that halt beside it."""
        return DurableFlag(self.kill_switch, self.halt_files, self.clock)
