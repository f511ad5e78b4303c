"""What the streams are handed: everything inert, so that it travels to a replica without secrets."""

from dataclasses import dataclass, field

from omc.access.api_token import ApiTokenStore, MemoryApiTokenStore
from omc.access.revocation import NoRevocations, Revocations
from omc.access.signer import TokenSigner
from omc.clock import Clock
from omc.ledger.cadence import Cadence
from omc.ledger.catalyst import CatalystLedger, MemoryCatalysts
from omc.ledger.exchange import QuoteWatch
from omc.risk.kill_switch import KillSwitch
from omc.trading.blotter import Blotter
from omc.trading.deployment import DeploymentStore
from omc.trading.feed import JournalFeed
from serve_apps.door import Rules
from serve_apps.gateway.streams.outbox import BOUNDS, Bounds


@dataclass(frozen=True, slots=True)
class StreamPorts:
    feed: JournalFeed
    deployments: DeploymentStore
    blotter: Blotter
    kill_switch: KillSwitch
    hot: QuoteWatch
    signer: TokenSigner
    clock: Clock
    most: int = 2_000
    """Connections of a replica …"""
    most_of_one: int = 64
    """… and those of them that one account may have."""
    bounds: Bounds = BOUNDS
    hello_s: float = 10.0
    """How long a client has to say who it is."""
    cadence: Cadence = field(default=Cadence(every_s=1.0, longest_s=5.0, first_s=0.05))
    """Pauses after the journal or the collector could not be asked."""
    rules: Rules = field(default=Rules())
    catalysts: CatalystLedger = field(default_factory=MemoryCatalysts)
    tokens: ApiTokenStore = field(default_factory=MemoryApiTokenStore)
    revocations: Revocations = field(default=NoRevocations())
    recheck_s: float = 5.0
    """How often it is looked whether the token of an open connection was ended."""
