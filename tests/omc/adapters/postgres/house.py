"""One world for the contract tests of the stores, over PostgreSQL and over the twins in memory."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from omc.access.credential_store import CredentialStore, MemoryCredentialStore
from omc.access.usage import MemoryUsageLedger, UsageLedger
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.backtests import PostgresBacktests
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.credentials import PostgresCredentials
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import PostgresDeployments
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.leases import PostgresLeases
from omc.adapters.postgres.sweeps import PostgresSweeps
from omc.adapters.postgres.tries import PostgresTries
from omc.adapters.postgres.usage import PostgresUsage
from omc.adapters.postgres.users import PostgresUsers
from omc.backtest.run import BacktestRun, BacktestSpec, BacktestStore, MemoryBacktestStore, RunStatus
from omc.backtest.sweep import MemorySweepStore, Sweep, SweepStore
from omc.clock import ManualClock
from omc.market.terms import OrderKind
from omc.promotion.trials import MemoryTries, TriesLedger
from omc.risk.kill_switch import KillSwitch, MemoryKillSwitch
from omc.risk.limits import Limits
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, AlgorithmStore, MemoryAlgorithmStore
from omc.trading.blotter import Blotter, MemoryBlotter
from omc.trading.deployment import (
    Deployment,
    DeploymentStatus,
    DeploymentStore,
    MemoryDeploymentStore,
    Mode,
    trader_name,
)
from omc.trading.fill import Fill, Side
from omc.trading.lease import Lease, LeaseStore, MemoryLeaseStore
from omc.trading.order import Order, OrderIntent, OrderStatus

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
SPEC = BacktestSpec(
    algorithm_type="moving_average",
    parameters={"fast_bars": 12, "stop_loss": 0.05},
    coins=("ETH", "BTC"),
    start=datetime(2025, 1, 1, 23, 55, tzinfo=UTC),
    end=datetime(2025, 2, 1, tzinfo=UTC),
    initial_cash_aud=Decimal("1000.00"),
    rebalance_band=0.02,
)


@dataclass
class House:
    """The stores of floor and lab, and the things that they are about."""

    deployments: DeploymentStore
    blotter: Blotter
    leases: LeaseStore
    kill_switch: KillSwitch
    algorithms: AlgorithmStore
    backtests: BacktestStore
    sweeps: SweepStore
    tries: TriesLedger
    usage: UsageLedger
    credentials: CredentialStore
    database: Database | None = None
    clock: ManualClock | None = None

    def pass_time(self) -> None:
        """A moment later, by the clock of the stores."""
        if self.clock is not None:
            self.clock.advance(timedelta(seconds=1))

    async def a_moment(self) -> datetime:
        """By the clock of the stores: later than all that was done, and before all that will be."""
        self.pass_time()
        now = NOON
        if self.clock is not None:
            now = self.clock.now()
        if self.database is not None:
            async with self.database.look() as connection:
                now = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        self.pass_time()
        return now

    async def user(self) -> UUID:
        if self.database is None:
            return uuid4()
        return (await PostgresUsers(self.database).create(f"{uuid4().hex}@example.com", "hash", None)).id

    async def wanted(self, user_id: UUID | None = None, **changes: Any) -> Deployment:
        """A deployment that is not stored yet."""
        owner = user_id or await self.user()
        deployment = Deployment(
            id=uuid4(),
            user_id=owner,
            algorithm_id=uuid4(),
            algorithm_version=1,
            algorithm_type="moving_average",
            name="first",
            coins=("BTC", "ETH"),
            parameters={"fast_bars": 12, "threshold": 0.1},
            mode=Mode.PAPER,
            venue="coinspot",
            cash_aud=Decimal("1000.00"),
            limits=Limits(Decimal(100), Decimal(500), Decimal("50.5")),
            rebalance_band=0.02,
            status=DeploymentStatus.ACTIVE,
            deployed_at=NOON,
        )
        await self.algorithms.create(algorithm(owner, deployment.algorithm_id))
        return replace(deployment, **changes)

    async def deployed(self, user_id: UUID | None = None, **changes: Any) -> Deployment:
        return await self.deployments.create(await self.wanted(user_id, **changes))

    async def queued(self, **changes: Any) -> BacktestRun:
        """A backtest that waits for a worker."""
        return await self.backtests.create(await self.wanted_run(**changes))

    async def wanted_run(self, user_id: UUID | None = None, **changes: Any) -> BacktestRun:
        """A backtest that is not stored yet."""
        record = await self.algorithms.create(algorithm(user_id or await self.user()))
        run = BacktestRun(
            id=uuid4(),
            user_id=record.user_id,
            algorithm_id=record.id,
            algorithm_version=1,
            spec=SPEC,
            status=RunStatus.QUEUED,
            progress=0.0,
            results=None,
            error_message=None,
            execution_time_s=None,
            created_at=NOON,
            completed_at=None,
        )
        return replace(run, **changes)

    async def taken(self, deployment: Deployment) -> tuple[Lease, Lease]:
        """The trader's and the risk desk's lease, taken."""
        trader = await self.leases.take(trader_name(deployment), "trader")
        return trader, await self.leases.take(f"risk:{deployment.id}", "risk")

    async def sent(self, deployment: Deployment, **changes: Any) -> Order:
        """An order that was written down and is about to be sent."""
        order = await self.blotter.begin(intent(deployment, **changes))
        trader, risk = await self.taken(deployment)
        return await self.blotter.submitting(order, trader, risk)

    async def filled(self, deployment: Deployment, *fills: Fill, **changes: Any) -> Order:
        changes = {"side": fills[0].side, "coin": fills[0].coin, **changes}
        order = await self.sent(deployment, **changes)
        return await self.blotter.settle(order.become(OrderStatus.FILLED).filled_by(fills))


def in_postgres(database: Database) -> House:
    return House(
        PostgresDeployments(database),
        PostgresBlotter(database),
        PostgresLeases(database),
        PostgresKillSwitch(database),
        PostgresAlgorithms(database),
        PostgresBacktests(database),
        PostgresSweeps(database),
        PostgresTries(database),
        PostgresUsage(database),
        PostgresCredentials(database),
        database,
    )


def in_memory() -> House:
    clock, tries = ManualClock(NOON), MemoryTries()
    deployments, leases, kill_switch = MemoryDeploymentStore(clock), MemoryLeaseStore(), MemoryKillSwitch(NOON)

    def runs(algorithm_id: UUID) -> bool:
        running = [each for each in deployments.kept.values() if each.status is not DeploymentStatus.STOPPED]
        return any(each.algorithm_id == algorithm_id for each in running)

    return House(
        deployments,
        MemoryBlotter(deployments, leases, kill_switch),
        leases,
        kill_switch,
        MemoryAlgorithmStore(clock, runs),
        MemoryBacktestStore(clock, tries=tries),
        MemorySweepStore(clock, tries=tries),
        tries,
        MemoryUsageLedger(),
        MemoryCredentialStore(clock, deployments),
        clock=clock,
    )


def algorithm(user_id: UUID, algorithm_id: UUID | None = None, **changes: Any) -> AlgorithmRecord:
    record = AlgorithmRecord(
        id=algorithm_id or uuid4(),
        user_id=user_id,
        name="crossover",
        description=None,
        algorithm_type="moving_average",
        code=None,
        parameters={"fast_bars": 12, "slow_bars": 48},
        status=AlgorithmStatus.DRAFT,
        version=1,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(record, **changes)


def a_sweep(record: AlgorithmRecord, **changes: Any) -> Sweep:
    """A sweep that is not stored yet."""
    sweep = Sweep(
        id=uuid4(),
        user_id=record.user_id,
        algorithm_id=record.id,
        algorithm_version=1,
        spec=SPEC,
        space={"fast_bars": [6, 12]},
        method="grid",
        points=2,
        seed=0,
        objective="sharpe",
        status=RunStatus.QUEUED,
        done=0,
        best=None,
        error_message=None,
        created_at=NOON,
        started_at=None,
        completed_at=None,
    )
    return replace(sweep, **changes)


def intent(deployment: Deployment, **changes: Any) -> OrderIntent:
    coin, side = changes.get("coin", "BTC"), changes.get("side", Side.BUY)
    quoted_at = changes.get("quoted_at", NOON)
    values: dict[str, Any] = {
        "client_order_id": f"{deployment.id}:{quoted_at:%Y%m%dT%H%M%SZ}:{coin}:{side}",
        "deployment_id": deployment.id,
        "user_id": deployment.user_id,
        "coin": coin,
        "side": side,
        "quantity": Decimal("0.00100000"),
        "kind": OrderKind.MARKET,
        "quote_price_aud": Decimal("100000.12345678"),
        "quoted_at": quoted_at,
        "decided_at": NOON - timedelta(minutes=5),
        "reason": "weight 0.00 to 0.10",
    }
    return OrderIntent(**values | changes)


def fill(fill_id: str = "f1", side: Side = Side.BUY, **changes: Any) -> Fill:
    values: dict[str, Any] = {
        "fill_id": fill_id,
        "coin": "BTC",
        "side": side,
        "quantity": Decimal("0.00100000"),
        "total_aud": Decimal("100.10"),
        "fee_aud": Decimal("0.10000012"),
        "executed_at": NOON + timedelta(seconds=1),
    }
    return Fill(**values | changes)
