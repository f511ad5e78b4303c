"""What outlives every process of a world: the stores, the exchange, and what is wanted of the floor."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from random import Random
from uuid import UUID

from omc.access.credential_store import MemoryCredentialStore
from omc.access.vault import MemoryVault
from omc.adapters.coinspot.exchange.app import SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import KeyRing
from omc.adapters.coinspot.exchange.plan import FaultPlan
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.ledger.exchange import MemoryPriceArchive
from omc.risk.kill_switch import MemoryKillSwitch
from omc.risk.limits import AccountLimits
from omc.risk.store import MemoryRiskStore
from omc.strategy.algorithm import MemoryAlgorithmStore
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, MemoryDeploymentStore, Mode
from omc.trading.exits import Exits
from omc.trading.lease import MemoryLeaseStore
from omc.trading.reconciliation.venue_book import MemoryVenueBook
from tests.actors.mortal import LIMITS, START, TERMS, USER, deployment, market
from tests.simulation.loop import VirtualLoop
from tests.simulation.outlasting import LoopClock, TimedHaltFiles
from tests.simulation.scenario import Scenario
from tests.simulation.venue import Exchange, RecordingVenue
from tests.simulation.weather import Wire

TOKEN = "simulated"
ANOTHER = UUID(int=8)
"""The second user."""
BELONGINGS = {"AUD": Decimal("20000.00"), "BTC": Decimal("0.1"), "XYZ": Decimal(20_000), "ETH": Decimal(3000)}
"""What an owner who trades by hand has on his account besides."""


class Durable:
    """The part of a world that no death touches."""

    def __init__(self, scenario: Scenario, loop: VirtualLoop, wire: Wire) -> None:
        self.scenario, self.loop, self.wire = scenario, loop, wire
        self.clock = LoopClock(loop)
        self.deployed = tuple(self._deployments())
        self._make_stores()
        self._make_exchange()

    def _make_stores(self) -> None:
        self.algorithms = MemoryAlgorithmStore(self.clock)
        self.deployments = MemoryDeploymentStore(self.clock)
        self.leases = MemoryLeaseStore()
        self.nonces = MemoryNonces(leases=self.leases)
        self.kill_switch = MemoryKillSwitch(START, journal=self.deployments.journal)
        self.halt_files = TimedHaltFiles(seconds=self.loop.time)
        self.blotter = MemoryBlotter(self.deployments, self.leases, self.kill_switch)
        self.risk_store = MemoryRiskStore(self.deployments, self.blotter)
        self.venue_book = MemoryVenueBook(self.clock, self.deployments.journal)
        self.archive = MemoryPriceArchive()
        self.credentials, self.vault = MemoryCredentialStore(self.clock, self.deployments), MemoryVault()
        for user in self.users:
            self.risk_store.kept[user] = AccountLimits(self.scenario.limits[1])

    def _make_exchange(self) -> None:
        scenario = self.scenario
        self.tape, weights = market(scenario.bars, scenario.market_seed, scenario.gaps)
        self.weights = dict(zip(self.tape.frame.times, weights, strict=True))
        self.venue = RecordingVenue(TERMS, self.tape.frame.coins, scenario.depth_aud, run="5eed00")
        player = TapePlayer(self.tape, self.venue, 0, scenario.lockstep)
        ring = KeyRing()
        control = ControlDesk(player, ring, TOKEN)
        for each in self.deployed:
            # Under keys that are the same each time.
            if each.account not in control._opened:
                key, secret = f"{each.account} key 0", f"{each.account} key 0 secret"
                control.add_key(each.account, self.deposit(each), key, secret)
                control._opened[each.account] = key
                if scenario.shared:
                    self.venue.bring(each.account, BELONGINGS)
        app = SandboxExchange(self.venue, ring, control)
        self.exchange = Exchange(app, self.venue, self.wire, Random(f"exchange {scenario.seed}"))
        if scenario.fault_rate:
            plan = FaultPlan(scenario.seed, scenario.fault_rate, scenario.fault_kinds, spans=scenario.spans)
            control.faults.begin(plan, self.venue.executions)
        if not scenario.lockstep:
            self.wire.later(scenario.bar_s, self._play, player)

    def _play(self, player: TapePlayer) -> None:
        player._advance()
        if not player.clock().ended:
            self.wire.later(self.scenario.bar_s, self._play, player)

    # What is wanted

    def _deployments(self) -> list[Deployment]:
        scenario = self.scenario
        made = [
            deployment(
                number + 1,
                mode=Mode.LIVE if scenario.shared else Mode.PAPER,
                execution=scenario.execution,
                limits=LIMITS.changed(scenario.limits[0]),
            )
            for number in range(scenario.deployments)
        ]
        return [*made[:-1], replace(made[-1], user_id=ANOTHER)] if scenario.users > 1 else made

    def wanted(self) -> list[Deployment]:
        return list(self.deployed)

    def deposit(self, of: Deployment) -> Decimal:
        """What its account is opened with for the floor to trade."""
        return sum((each.cash_aud for each in self.deployed if each.account == of.account), Decimal(0))

    @property
    def users(self) -> list[UUID]:
        return [USER, ANOTHER][: self.scenario.users]

    @property
    def exits(self) -> Exits:
        return (
            Exits(stop_loss=0.02)
            if self.scenario.seed % 2
            else Exits(stop_loss=0.02, take_profit=((0, 0.03),), reentry=True)
        )

    def last_bar(self) -> datetime:
        return self.tape.frame.time(-1)
