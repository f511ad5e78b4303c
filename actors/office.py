"""What a risk desk works with, and the lease that it sends under."""

from dataclasses import dataclass, field

from omc.access.examiner import Examiner, NoExaminer
from omc.clock import Clock
from omc.errors import Unavailable
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import HotCache, MemoryPriceArchive, PriceArchive
from omc.logs import LogStyle
from omc.market.tape import TapeControl
from omc.market.terms import Terms
from omc.risk.halt_files import HaltFiles, MemoryHaltFiles
from omc.risk.kill_switch import KillSwitch
from omc.risk.limits import Bounds
from omc.risk.store import MemoryRiskStore, RiskStore
from omc.trading.blotter import Blotter
from omc.trading.deployment import DeploymentStore
from omc.trading.floor import Venues
from omc.trading.lease import Lease, LeaseStore
from omc.trading.reconciliation.venue_book import MemoryVenueBook, VenueBook
from omc.trading.volumes import TradeSource, Volumes


@dataclass(frozen=True)
class RiskPorts:
    """What the risk desk works with."""

    blotter: Blotter
    deployments: DeploymentStore
    leases: LeaseStore
    kill_switch: KillSwitch
    venues: Venues
    quotes: HotCache
    clock: Clock
    logs: LogStyle | None = None
    """How its process writes its log; as it does anyway, where nothing is said."""
    terms: Terms = field(default_factory=Terms)
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=1.0, longest_s=30.0, first_s=0.05))
    """How long to wait between two looks for an order."""
    halt_files: HaltFiles = field(default_factory=MemoryHaltFiles)
    look_every_s: float = 0.25
    """How often the desk looks for a halt that somebody made by hand."""
    sell_out_patience_s: float = 30.0
    """How long an emergency sale waits for the account's order under way before it sells what there is, and how long it
    goes on trying; what the venue takes to say what became of a sale is not counted."""
    sell_out_answer_s: float = 15.0
    """How long the answer to an emergency stop waits for what it has sold, which goes on."""
    sell_out_slippage_bps: int = 200
    """How far below the newest bid an emergency sale may go."""
    risk: RiskStore = field(default_factory=MemoryRiskStore)
    platform: Bounds = field(default=Bounds())
    """What all deployments of one mode trade within together."""
    round_every_s: float = 5.0
    """How often the desk looks whether a new bar shows losses."""
    call_s: float = 60.0
    """How long one call to a venue may take, with all that it waits for."""
    tape: TapeControl | None = None
    """The hand on the tape, where the venue plays one."""
    volumes: Volumes | None = None
    """What was traded in the market, where anybody knows."""
    trades: TradeSource | None = None
    """Who shows what is traded, to be looked at so that volumes get known."""
    volumes_every_s: float = 300.0
    venue_book: VenueBook = field(default_factory=MemoryVenueBook)
    """What the accounts showed besides our own orders."""
    reconcile_every_s: float = 60.0
    """How often the books of an account that is traded are held against its venue's."""
    reconcile_quiet_s: float = 1.0
    """How long after the last of its orders that is done, too."""
    archive: PriceArchive = field(default_factory=MemoryPriceArchive)
    """What coins were quoted at before the desk began."""
    examiner: Examiner = field(default_factory=NoExaminer)
    """Tries the keys of accounts of real money."""


RUNNING = "running"


@dataclass(slots=True)
class Office:
    """The lease that every sender of one risk desk sends under."""

    lease: Lease | None = None
    """None while nothing new is sent."""
    state: str = "starting"
    taken: Lease | None = None
    """What was taken last, under which orders under way are brought to their ends."""

    def in_force(self) -> Lease:
        if self.lease is None:
            raise Unavailable(f"the risk desk is {self.state}")
        return self.lease

    def takes_on(self) -> None:
        """Unavailable unless new orders are taken on: what a predecessor left behind comes first."""
        if self.state != RUNNING:
            raise Unavailable(f"the risk desk is {self.state}")
