"""What the lab app is handed: everything inert, so that it travels to a replica without secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omc.access.api_token import ApiTokenStore, MemoryApiTokenStore
from omc.access.audit_trail import AuditTrail, MemoryAuditTrail
from omc.access.once import MemoryRequests, RequestStore
from omc.access.quota import Allowance
from omc.access.revocation import NoRevocations, Revocations
from omc.access.signer import TokenSigner
from omc.access.usage import UsageLedger
from omc.backtest.curves import CurveStore
from omc.backtest.run import BacktestStore
from omc.backtest.sweep import SweepRunner, SweepStore
from omc.clock import Clock
from omc.feature.table import MakeWriter
from omc.ledger.catalyst import CatalystLedger, MemoryCatalysts
from omc.ledger.exchange import PriceArchive
from omc.market.terms import Terms
from omc.promotion.gate import Thresholds
from omc.promotion.trials import TriesLedger
from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import Maker
from omc.strategy.model_store import MemoryModelStore, ModelStore
from serve_apps.door import Rules


@dataclass(frozen=True, slots=True)
class LabPorts:
    algorithms: AlgorithmStore
    backtests: BacktestStore
    curves: CurveStore
    sweeps: SweepStore
    tries: TriesLedger
    usage: UsageLedger
    runner: SweepRunner
    archive: PriceArchive
    signer: TokenSigner
    clock: Clock
    terms: Terms
    thresholds: Thresholds
    arrow: MakeWriter
    parquet: Callable[[Mapping[str, Any]], bytes]
    """Columns of equal length as a Parquet file."""
    allowance: Allowance = field(default=Allowance())
    models: ModelStore = field(default_factory=MemoryModelStore)
    maker: Maker = field(default=Maker())
    catalysts: CatalystLedger = field(default_factory=MemoryCatalysts)
    rules: Rules = field(default=Rules())
    tokens: ApiTokenStore = field(default_factory=MemoryApiTokenStore)
    audit: AuditTrail = field(default_factory=MemoryAuditTrail)
    revocations: Revocations = field(default=NoRevocations())
    requests: RequestStore = field(default_factory=MemoryRequests)
    """Requests with a key, and what they were answered."""
