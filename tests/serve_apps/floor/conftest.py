"""The floor over twins, and a market day played through it by the very core that the actors run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.access.usage import MemoryUsageLedger
from omc.errors import Unavailable
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.risk.kill_switch import MemoryKillSwitch
from omc.risk.verdict import Denied
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, MemoryAlgorithmStore
from omc.strategy.registry import make
from omc.trading.blotter import MemoryBlotter, TraderMemory
from omc.trading.books import differences, ours
from omc.trading.deployed_code import code_of
from omc.trading.deployment import Deployment, MemoryDeploymentStore, trader_name
from omc.trading.dialogue import Decide, OrderEnded, QuotesArrived, Remember, Submit, WeightsDecided
from omc.trading.fill import Fill
from omc.trading.floor import HaltReport, Reconciliation, TraderState
from omc.trading.lease import Lease, MemoryLeaseStore
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.settlement import settle
from omc.trading.trader import Trader
from serve_apps.floor.app import PREFIX, build
from serve_apps.floor.ports import FloorPorts

TERMS = Terms()


@dataclass
class MemoryDesk:
    """A RiskDesk that approves everything and fills it at its quote."""

    blotter: MemoryBlotter
    risk: Lease
    reachable: bool = True
    halts: list[tuple[UUID, bool]] = field(default_factory=list)

    async def submit(self, intent: OrderIntent, trader: Lease) -> Order | Denied:
        order = await self.blotter.submitting(await self.blotter.begin(intent), trader, self.risk)
        paid = settle(intent.side, intent.quantity, intent.quote_price_aud, TERMS.fee_bps(intent.coin))
        fill = Fill(
            f"fill-{intent.client_order_id}",
            intent.coin,
            intent.side,
            intent.quantity,
            paid.total_aud,
            paid.fee_aud,
            intent.quoted_at,
        )
        filled = replace(order.become(OrderStatus.FILLED), fills=(fill,), venue_order_id=f"venue-{fill.fill_id[-12:]}")
        return await self.blotter.settle(filled)

    async def halt(self, user_id: UUID, liquidate: bool) -> HaltReport:
        self._reach()
        self.halts.append((user_id, liquidate))
        return HaltReport(2, (), ("one sentence of what could not be done",))

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        self._reach()
        books = ours(await self.blotter.account(deployment_id))
        venue = {**books, "DOGE": Decimal(5)}
        return Reconciliation(
            deployment_id, self.blotter.deployments.clock.now(), books, venue, differences(books, venue)
        )

    def _reach(self) -> None:
        if not self.reachable:
            raise Unavailable("risk:0 is away")


@dataclass
class MemorySupervision:
    """A Supervision that counts its nudges and says that every active deployment has its trader."""

    deployments: MemoryDeploymentStore
    nudges: int = 0
    reachable: bool = True

    async def nudge(self) -> None:
        self._reach()
        self.nudges += 1

    async def traders(self) -> list[TraderState]:
        self._reach()
        return [TraderState(trader_name(each), each.id, "running", 1, None) for each in await self.deployments.active()]

    def _reach(self) -> None:
        if not self.reachable:
            raise Unavailable("supervisor is away")


@pytest.fixture
async def ports(signer, archive, hot, clock) -> FloorPorts:
    deployments, leases = MemoryDeploymentStore(clock), MemoryLeaseStore()
    kill_switch = MemoryKillSwitch(clock.now())
    blotter = MemoryBlotter(deployments, leases, kill_switch)
    return FloorPorts(
        algorithms=MemoryAlgorithmStore(clock),
        deployments=deployments,
        blotter=blotter,
        kill_switch=kill_switch,
        risk=MemoryDesk(blotter, await leases.take("risk:0", "test")),
        supervision=MemorySupervision(deployments),
        archive=archive,
        hot=hot,
        signer=signer,
        clock=clock,
        usage=MemoryUsageLedger(),
        terms=TERMS,
    )


@pytest.fixture
def app(ports: FloorPorts):
    return build(ports)


@pytest.fixture
def caller(app, calling):
    return calling(app, PREFIX)


@pytest.fixture
def other(app, calling):
    """Somebody else."""
    return calling(app, PREFIX)


@pytest.fixture
def algorithm(ports: FloorPorts, caller, clock) -> Callable[..., Awaitable[AlgorithmRecord]]:
    """`await algorithm(status)` is one of the caller's."""

    async def of(status: str = "validated", user_id: UUID | None = None) -> AlgorithmRecord:
        kind = "moving_average_crossover"
        parameters = make(kind, {"fast_bars": 4, "slow_bars": 12}).get_params()
        record = AlgorithmRecord(
            uuid4(),
            user_id or caller.user_id,
            "Trend",
            None,
            kind,
            None,
            parameters,
            AlgorithmStatus(status),
            1,
            clock.now(),
            clock.now(),
        )
        return await ports.algorithms.create(record)

    return of


@pytest.fixture
def deploying(caller, algorithm) -> Callable[..., Awaitable[dict]]:
    """`await deploying(…)` deploys the caller's own algorithm; what is named replaces what is asked for."""

    async def deploy(**change: object) -> dict:
        body = {
            "algorithm_id": str((await algorithm()).id),
            "deployment_name": f"trend {uuid4().hex[:6]}",
            "coins": ["BTC", "ETH"],
            "mode": "paper",
            "cash": "10000.00",
            **change,
        }
        answer = await caller.post("/deploy", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    return deploy


@pytest.fixture
def playing(ports: FloorPorts, history: Frame) -> Callable[..., Awaitable[Deployment]]:
    """`await playing(deployment_id, first, last)` trades those rows of the history as the floor would."""

    async def play(deployment_id: str, first: int, last: int) -> Deployment:
        deployment = await ports.deployments.get(UUID(deployment_id))
        lease = await ports.blotter.leases.take(trader_name(deployment), "test")
        frame = history.select(deployment.coins)
        made = ports.maker.of(await code_of(deployment, ports.algorithms))(
            deployment.algorithm_type, deployment.parameters
        )
        mandate = Mandate(
            deployment.id,
            deployment.user_id,
            deployment.coins,
            deployment.rebalance_band,
            made.exits,
            ports.terms,
        )
        trader = Trader(mandate, TraderMemory(), await ports.blotter.account(deployment.id))
        for row in range(first, last):
            commands = trader.handle(QuotesArrived(frame.time(row), frame.bid[row], frame.ask[row]))
            while commands:
                match commands.pop(0):
                    case Remember(memory, decision):
                        timed = replace(decision, order_ms=(1.0, 3.0)) if decision else None
                        await ports.blotter.remember(deployment.id, memory, timed)
                    case Submit(intent):
                        commands += trader.handle(OrderEnded(await ports.risk.submit(intent, lease)))
                    case Decide(time):
                        seen = frame.rows(max(0, row + 1 - made.memory_bars), row + 1)
                        commands += trader.handle(WeightsDecided(time, made.predict(seen)[-1]))
        return deployment

    return play
