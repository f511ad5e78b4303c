"""What the floor app is handed: everything inert, so that it travels to a replica without secrets."""

from dataclasses import dataclass, field

from omc.access.quota import Allowance
from omc.access.signer import TokenSigner
from omc.access.usage import UsageLedger
from omc.clock import Clock
from omc.ledger.exchange import HotCache, PriceArchive
from omc.market.terms import Terms
from omc.risk.kill_switch import KillSwitch
from omc.risk.limits import Limits
from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import Maker
from omc.strategy.model_store import MemoryModelStore, ModelStore
from omc.trading.blotter import Blotter
from omc.trading.deployment import DeploymentStore
from omc.trading.floor import RiskDesk, Supervision
from serve_apps.door import Rules


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
    venue: str = "coinspot"
    allowance: Allowance = field(default=Allowance())
    most: Limits | None = None
    """No deployment may have wider limits than these, when they are given."""
    models: ModelStore = field(default_factory=MemoryModelStore)
    maker: Maker = field(default=Maker())
    rules: Rules = field(default=Rules())
