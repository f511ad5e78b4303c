"""The floor over twins, and a market day played through it by the very core that the actors run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.access.once import MemoryRequests
from omc.access.usage import MemoryUsageLedger
from omc.errors import Unavailable
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.risk.kill_switch import Halt, HaltLevel, MemoryKillSwitch
from omc.risk.store import MemoryRiskStore
from omc.risk.verdict import Denied
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, MemoryAlgorithmStore
from omc.strategy.registry import make
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployed_code import code_of
from omc.trading.deployment import Deployment, MemoryDeploymentStore, trader_name
from omc.trading.dialogue import Decide, OrderEnded, QuotesArrived, Remember, Submit, WeightsDecided
from omc.trading.fill import Fill
from omc.trading.floor import Choice, HaltReport, Reconciliation, TraderState
from omc.trading.lease import Lease, MemoryLeaseStore
from omc.trading.mandate import Mandate
from omc.trading.notice import NoticeKind
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.books import differences, ours
from omc.trading.reconciliation.resolution import resolution_of, resolved
from omc.trading.reconciliation.venue_book import MemoryVenueBook
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
    venue_book: MemoryVenueBook
    reachable: bool = True
    halts: list[tuple[UUID, bool]] = field(default_factory=list)
    tripped: list[Halt] = field(default_factory=list)
    released: list[tuple[UUID | None, UUID | None]] = field(default_factory=list)
    accepted: list[tuple[UUID, str, UUID | None]] = field(default_factory=list)
    reconciled: list[UUID] = field(default_factory=list)
    accepting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set unless a venue takes its time."""

    def __post_init__(self) -> None:
        self.accepting.set()

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

    async def trip(self, halt: Halt) -> None:
        self._reach()
        self.tripped.append(halt)

    async def halt(
        self,
        user_id: UUID,
        liquidate: bool,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
    ) -> HaltReport:
        self._reach()
        self.halts.append((user_id, liquidate))
        return HaltReport(2, (), ("one sentence of what could not be done",))

    async def release(self, user_id: UUID | None, deployment_id: UUID | None = None) -> None:
        self._reach()
        self.released.append((user_id, deployment_id))

    async def force_exit(self, deployment_id: UUID, coins: Sequence[str], key: str | None = None) -> HaltReport:
        self._reach()
        notice = await self.blotter.notify(deployment_id, NoticeKind.OUT, coins or ("BTC", "ETH"), key)
        await self.blotter.done(notice)
        return HaltReport(0, (), (f"{', '.join(notice.coins)}: not quoted",))

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        self._reach()
        self.reconciled.append(deployment_id)
        books = ours(await self.blotter.account(deployment_id))
        venue = {**books, "DOGE": Decimal(5)}
        return Reconciliation(
            deployment_id, self.blotter.deployments.clock.now(), books, venue, differences(books, venue)
        )

    async def resolve(self, client_order_id: str, choice: Choice, by: str) -> Order:
        self._reach()
        order = await self.blotter.order(client_order_id)
        assert order is not None
        (held,) = await self.venue_book.held(user_id=order.intent.user_id)
        became = resolved(order, held, choice)
        await self.venue_book.resolve(client_order_id, resolution_of(choice, by))
        return await self.blotter.settle(became)

    async def accept(self, deployment_id: UUID, by: str, once: UUID | None = None) -> Reconciliation:
        self._reach()
        self.accepted.append((deployment_id, by, once))
        await self.accepting.wait()
        return await self.reconcile(deployment_id)

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
    kill_switch = MemoryKillSwitch(clock.now(), journal=deployments.journal)
    blotter = MemoryBlotter(deployments, leases, kill_switch)
    venue_book = MemoryVenueBook(clock, deployments.journal)
    return FloorPorts(
        algorithms=MemoryAlgorithmStore(clock),
        deployments=deployments,
        blotter=blotter,
        kill_switch=kill_switch,
        limits=MemoryRiskStore(deployments, blotter),
        risk=MemoryDesk(blotter, await leases.take("risk:0", "test"), venue_book),
        venue_book=venue_book,
        supervision=MemorySupervision(deployments),
        archive=archive,
        hot=hot,
        signer=signer,
        clock=clock,
        usage=MemoryUsageLedger(),
        terms=TERMS,
        requests=MemoryRequests(clock),
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
    """`await playing(deployment_id, first, last)` trades those rows of the history as the floor would, from what was
    remembered before."""

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
        trader = Trader(mandate, await ports.blotter.recall(deployment.id), await ports.blotter.account(deployment.id))
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
