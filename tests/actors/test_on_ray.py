"""The floor as it really runs: actors in processes of their own, PostgreSQL, and CoinSpot's wire to a sandbox exchange.

Processes are killed with SIGKILL while it trades; it must make the trades that the kernel makes.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import ray

from actors import address
from actors.collector import CollectorPorts, ExchangeCollector
from actors.crew import Packed, RayCrew
from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle, TraderHandle
from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
from actors.supervisor import Supervisor
from actors.trader import TraderPorts
from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.venue import CoinspotPaperVenues
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import PostgresDeployments
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.leases import PostgresLeases
from omc.adapters.postgres.nonces import PostgresNonces
from omc.adapters.postgres.prices import PostgresPrices
from omc.adapters.system_clock import SystemClock
from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, simulate
from omc.backtest.market import Market
from omc.errors import StaleLease, Unavailable
from omc.ledger.cadence import Cadence
from omc.market.money import from_grid
from omc.market.synthetic import synthetic_tape
from omc.market.terms import Terms
from omc.risk.limits import Limits
from omc.strategy.maker import Maker
from omc.strategy.registry import make
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.exits import Exits
from omc.trading.fill import Side
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import in_postgres

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

SEED, DAYS, FLOOR_BARS = 5, 2, 200
TERMS = Terms()
COINS = ("BTC", "ETH", "DOGE")
PARAMETERS = {"fast_bars": 3, "slow_bars": 9}
TRADES = Limits(Decimal(1_000_000), Decimal(1_000_000), Decimal(1_000_000))


async def holding(what: Callable[[], Awaitable[bool]], timeout_s: float = 120.0) -> None:
    """Return when it holds; fail when it still does not after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not await what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@dataclass
class Platform:
    """Stores, an exchange on a tape in lock-step, and the floor's actors."""

    database: Database
    exchange_url: str
    token_file: Path
    maker: Maker = field(default=Maker())

    def __post_init__(self) -> None:
        self.deployments = PostgresDeployments(self.database)
        self.blotter = PostgresBlotter(self.database)
        self.leases = PostgresLeases(self.database)
        self.prices = PostgresPrices(self.database)
        self.kill_switch = PostgresKillSwitch(self.database)

    def start(self) -> None:
        control = SandboxControl(self.exchange_url, self.token_file)
        nonces = PostgresNonces(self.database)
        source = CoinspotPrices(self.exchange_url, control)
        cadence = Cadence(every_s=0.2, longest_s=1.0, first_s=0.02)
        address.start(
            ExchangeCollector,
            address.COLLECTOR_EXCHANGE,
            CollectorPorts(source, self.prices, SystemClock(), self.deployments, control, cadence),
        )
        risk = RiskPorts(
            blotter=self.blotter,
            deployments=self.deployments,
            leases=self.leases,
            kill_switch=self.kill_switch,
            venues=CoinspotPaperVenues(control, self.exchange_url, nonces, TERMS),
            quotes=CollectorHandle(),
            clock=SystemClock(),
            terms=TERMS,
        )
        address.start(RiskActor, address.RISK, risk)
        traders = TraderPorts(
            blotter=self.blotter,
            algorithms=PostgresAlgorithms(self.database),
            deployments=self.deployments,
            leases=self.leases,
            archive=self.prices,
            quotes=CollectorHandle(),
            desk=RiskHandle(),
            maker=self.maker,
            terms=TERMS,
            cadence=cadence,
        )
        address.start(Supervisor, address.SUPERVISOR, self.deployments, RayCrew(Packed.of(traders)), CollectorHandle())

    async def stop(self) -> None:
        await address.stop(address.SUPERVISOR)
        for name in address.running():
            await address.stop(name, patience_s=10)
        # One that had to be killed is there for another moment, in which the next platform would find it.
        await holding(lambda: _is(not address.running()))

    async def deploy(self, **changes: Any) -> Deployment:
        wanted: dict[str, Any] = {
            "coins": COINS,
            "algorithm_type": "moving_average_crossover",
            "parameters": PARAMETERS,
            "limits": TRADES,
            "cash_aud": Decimal("10000.00"),
        }
        deployed = await in_postgres(self.database).deployed(**(wanted | changes))
        await SupervisorHandle().nudge()
        return deployed

    async def trades(self, of: Deployment) -> list[tuple[object, ...]]:
        found, _ = await self.blotter.trades(of.user_id, of.id, 0, 10_000)
        orders, _ = await self.blotter.orders(of.user_id, of.id, 0, 10_000)
        quoted = {row.order.intent.client_order_id: row.order.intent.quote_price_aud for row in orders}
        return [
            (
                trade.fill.executed_at,
                trade.fill.coin,
                trade.fill.side,
                trade.fill.quantity,
                quoted[trade.client_order_id],
                trade.fill.total_aud,
            )
            for trade in reversed(found)
        ]

    async def played(self, of: Deployment, until: float = 1.0) -> None:
        """Return when the trader is done with that part of the tape."""
        frame = synthetic_tape(SEED, DAYS).frame
        wanted = frame.time(len(frame) - FLOOR_BARS + round((FLOOR_BARS - 1) * until))

        async def done() -> bool:
            done_until = (await self.blotter.recall(of.id)).done_until
            return done_until is not None and done_until >= wanted

        await holding(done, timeout_s=600)


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    token_file = tmp_path / "token"
    token_file.touch(0o600)
    token_file.write_text(secrets.token_hex(16))
    start = len(synthetic_tape(SEED, DAYS).frame) - FLOOR_BARS
    tape = ["--seed", str(SEED), "--days", str(DAYS), "--start-at", str(start), "--lockstep", "--rate-limit", "0"]
    module = [sys.executable, "-m", "omc.adapters.coinspot.exchange", "--port", "0"]
    with subprocess.Popen([*module, "--token-file", str(token_file), *tape], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        yield it.stdout.readline().split()[-1], token_file
        it.terminate()


@pytest.fixture
async def platform(ray_cluster: None, fresh_database: Database, exchange: tuple[str, Path]) -> AsyncIterator[Platform]:
    it = Platform(fresh_database, *exchange)
    tape = synthetic_tape(SEED, DAYS)
    await it.prices.load(tape.frame.rows(0, len(tape.frame) - FLOOR_BARS))
    it.start()
    yield it
    await it.stop()


def kernel_trades() -> list[tuple[object, ...]]:
    frame = synthetic_tape(SEED, DAYS).frame.select(COINS)
    weights = make("moving_average_crossover", PARAMETERS).predict(frame)
    floor = slice(len(frame) - FLOOR_BARS, len(frame))
    market = Market(frame.bid[floor], frame.ask[floor], frame.bid[floor])
    costs = Costs.of(TERMS, COINS, 0.02)
    twin = simulate(market, weights[floor], costs, cash_aud=10_000.0, exits=Exits())
    return [
        (
            frame.time(floor.start + int(trade["row"])),
            COINS[trade["coin"]],
            Side.BUY if trade["side"] == BUY else Side.SELL,
            from_grid(float(trade["quantity"])),
            from_grid(float(trade["price_aud"])),
            from_grid(float(trade["total_aud"])),
        )
        for trade in twin.trades
    ]


def kill(name: str) -> None:
    actor = address.find(name)
    assert actor is not None
    os.kill(ray.get(actor.__ray_call__.remote(lambda _: os.getpid())), signal.SIGKILL)


async def test_the_floor_makes_the_trades_of_the_kernel(platform: Platform) -> None:
    deployed = await platform.deploy()
    await platform.played(deployed)
    trades = await platform.trades(deployed)
    assert trades == kernel_trades()
    assert len(trades) > 20
    assert (await RiskHandle().reconcile(deployed.id)).differences == ()
    names = {address.COLLECTOR_EXCHANGE, address.RISK, address.SUPERVISOR, trader_name(deployed)}
    assert set(address.running()) == names
    stats = await TraderHandle(trader_name(deployed)).stats()
    assert len(stats.order_ms) == len(trades)
    # It is asked once a second how it does, and says what it said last.
    await holding(lambda: _restarts(trader_name(deployed), 0))
    assert [state.name for state in await SupervisorHandle().traders()] == [trader_name(deployed)]
    status = await CollectorHandle().status()
    assert (status.state, status.tape_position) == ("ended", (status.tape_bars or 0) - 1)


async def test_processes_killed_while_it_trades_change_no_trade(platform: Platform) -> None:
    deployed = await platform.deploy()
    name = trader_name(deployed)
    for part, victim in enumerate([name, address.RISK, address.COLLECTOR_EXCHANGE, name, address.RISK], start=1):
        await platform.played(deployed, until=part / 8)
        kill(victim)
    kill(address.SUPERVISOR)
    await platform.played(deployed)
    assert await platform.trades(deployed) == kernel_trades()
    assert (await RiskHandle().reconcile(deployed.id)).differences == ()
    stats = await TraderHandle(name).stats()
    assert stats.order_ms
    await holding(lambda: _restarts(name, 2))


async def _restarts(name: str, restarts: int) -> bool:
    with contextlib.suppress(Unavailable):
        return any(
            (state.name, state.state, state.restarts) == (name, "running", restarts)
            for state in await SupervisorHandle().traders()
        )
    return False


async def test_a_paused_deployment_loses_its_trader_and_an_active_one_gets_it_back(platform: Platform) -> None:
    deployed = await platform.deploy()
    name = trader_name(deployed)
    await platform.played(deployed, until=0.05)
    await platform.deployments.set_status(deployed.id, DeploymentStatus.PAUSED, "a pause")
    await SupervisorHandle().nudge()
    await holding(lambda: _is(address.find(name) is None))
    before = (await CollectorHandle().status()).tape_position
    await platform.deployments.set_status(deployed.id, DeploymentStatus.ACTIVE, "on again")
    await SupervisorHandle().nudge()
    await platform.played(deployed)
    assert before is not None
    assert before < FLOOR_BARS + (await CollectorHandle().status()).tape_bars  # type: ignore[operator]
    orders, _ = await platform.blotter.orders(deployed.user_id, deployed.id, 0, 1000)
    denied = [row.order for row in orders if row.order.status is OrderStatus.DENIED]
    # The pause may meet an order under way, which is denied and not made up for: then the kernel trades otherwise.
    assert [order for order in denied if "paused" not in (order.message or "")] == []
    assert denied or await platform.trades(deployed) == kernel_trades()
    assert (await RiskHandle().reconcile(deployed.id)).differences == ()


async def _is(holds: bool) -> bool:
    return holds


async def test_callers_get_our_errors_and_never_rays(platform: Platform) -> None:
    deployed = await platform.deploy()
    await platform.played(deployed, until=0.5)
    await platform.leases.take(trader_name(deployed), "another")
    orders, _ = await platform.blotter.orders(deployed.user_id, deployed.id, 0, 1)
    with pytest.raises(StaleLease, match="taken by another"):
        await RiskHandle().submit(orders[0].order.intent, await _old_lease(platform, deployed))
    with pytest.raises(Unavailable, match="nobody is away"):
        await RiskHandle("nobody", patience_s=0.1).ping()


async def _old_lease(platform: Platform, of: Deployment) -> Any:
    from omc.trading.lease import Lease

    return Lease(trader_name(of), await platform.leases.current(trader_name(of)) - 1)
