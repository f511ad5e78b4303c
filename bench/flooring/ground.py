"""What the floor stands on while it is measured: PostgreSQL, a sandbox exchange and Ray, all of its own."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from omc.adapters.key_file import ensure_key

ROOT = Path(__file__).resolve().parents[2]
_FIRST_BAR = 300


@contextmanager
def cluster() -> Iterator[None]:
    """A Ray cluster on the loopback. Nothing may have imported Ray before: it reads its environment then."""
    folder = Path(tempfile.mkdtemp(prefix="omc-f-", dir="/tmp"))
    from cluster import ray_head

    ensure_key(folder / "token")
    os.environ |= {**ray_head.environment(folder / "token", multi_node=False), "PYTHONPATH": str(ROOT)}
    import ray

    ray.init(
        num_cpus=4,
        include_dashboard=False,
        object_store_memory=200_000_000,
        log_to_driver=False,
        logging_level=logging.WARNING,
        _temp_dir=str(folder / "r"),
    )
    try:
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


async def until(holds: Callable[[], Awaitable[bool]], what: str, within_s: float) -> None:
    """Return when it holds; end the benchmark, naming it, when it does not in time."""
    deadline = time.monotonic() + within_s
    while not await holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {within_s:.0f} s")
        await asyncio.sleep(0.25)


@dataclass
class Ground:
    """A home with everything that a platform has, but for its HTTP."""

    wired: Any
    server: Any
    stamps: Any
    restless: bool

    def start(self) -> None:
        """The floor's actors, as `cluster.floor` starts them, with ports that take the time."""
        from actors import address
        from actors.collector import CollectorPorts, ExchangeCollector
        from actors.crew import Packed, RayCrew
        from actors.handle import CollectorHandle
        from actors.orders.sender import RiskPorts
        from actors.risk import RiskActor
        from actors.supervisor import Supervisor
        from actors.trader import TraderPorts
        from bench.flooring import ports
        from omc.ledger.cadence import Cadence
        from omc.strategy.maker import Maker

        wired, stamps, quotes = self.wired, self.stamps, CollectorHandle()
        address.start(
            ExchangeCollector,
            address.COLLECTOR_EXCHANGE,
            CollectorPorts(
                source=ports.TimedPrices(wired.price_source, stamps),
                archive=wired.prices,
                clock=wired.clock,
                deployments=wired.deployments,
                tape=wired.sandbox_control,
                cadence=Cadence(every_s=wired.poll_s),
            ),
        )
        blotter = ports.TimedBlotter(wired.database, stamps)
        dsn_file = wired.home.dsn_file
        risk = RiskPorts(
            blotter=blotter,
            deployments=wired.deployments,
            leases=wired.leases,
            kill_switch=wired.kill_switch,
            halt_files=wired.halt_files,
            sell_out_slippage_bps=wired.sell_out_slippage_bps,
            risk=wired.risk,
            platform=wired.platform_bounds,
            venue_book=wired.venue_book,
            reconcile_every_s=wired.reconcile_every_s,
            venues=ports.TimedVenues(wired.sandbox_control, wired.exchange_url, dsn_file, wired.terms, stamps),
            quotes=quotes,
            clock=wired.clock,
            terms=wired.terms,
            tape=wired.sandbox_control,
        )
        address.start(RiskActor, address.RISK, risk)
        trader = TraderPorts(
            blotter=blotter,
            algorithms=wired.algorithms,
            deployments=wired.deployments,
            leases=wired.leases,
            archive=wired.prices,
            quotes=ports.TimedQuotes(quotes, stamps),
            desk=ports.TimedDesk(stamps=stamps),
            models=wired.models,
            terms=wired.terms,
            maker=cast(Maker, ports.RestlessMaker()) if self.restless else Maker(),
        )
        address.start(Supervisor, address.SUPERVISOR, wired.deployments, RayCrew(Packed.of(trader)), quotes)

    def stop(self) -> None:
        """At once: nothing of it is needed any more."""
        import ray

        from actors import address

        for name in (address.SUPERVISOR, *address.running()):
            actor = address.find(name)
            if actor is not None:
                with suppress(Exception):
                    ray.kill(actor, no_restart=True)

    async def deploy(self, count: int, **changes: Any) -> list[Any]:
        """So many deployments of one owner, and their traders."""
        from actors.handle import SupervisorHandle
        from omc.adapters.postgres.users import PostgresUsers
        from omc.risk.limits import Limits
        from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
        from omc.trading.deployment import Deployment, DeploymentStatus, Mode

        wired, clock = self.wired, self.wired.clock
        owner = (await PostgresUsers(wired.database).create(f"{uuid4().hex}@example.com", "hash", None)).id
        wanted: dict[str, Any] = {"coins": ("BTC",), "algorithm_type": "restless", "parameters": {}} | changes
        record = AlgorithmRecord(
            id=uuid4(),
            user_id=owner,
            name="measured",
            description=None,
            algorithm_type=wanted["algorithm_type"],
            code=None,
            parameters=wanted["parameters"],
            status=AlgorithmStatus.DRAFT,
            version=1,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
        await wired.algorithms.create(record)
        wide = Decimal(10_000_000)
        deployed = [
            await wired.deployments.create(
                Deployment(
                    id=uuid4(),
                    user_id=owner,
                    algorithm_id=record.id,
                    algorithm_version=1,
                    name=f"t{number}",
                    mode=Mode.PAPER,
                    venue="coinspot",
                    cash_aud=Decimal("10000.00"),
                    limits=Limits(wide, wide, wide),
                    rebalance_band=0.0,
                    status=DeploymentStatus.ACTIVE,
                    deployed_at=clock.now(),
                    **wanted,
                )
            )
            for number in range(count)
        ]
        await SupervisorHandle(patience_s=120.0).nudge()
        return deployed

    async def rows(self, query: str, *values: object) -> list[Any]:
        """From the database itself, by a connection of its own."""
        import asyncpg

        from omc.adapters.postgres import dsn

        connection = await asyncpg.connect(dsn.read(self.wired.home.dsn_file))
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def orders(self, owner: UUID) -> dict[str, int]:
        """How many of its orders stand how."""
        rows = await self.rows("SELECT status, count(*) AS n FROM orders WHERE user_id = $1 GROUP BY 1", owner)
        return {row["status"]: row["n"] for row in rows}


@contextmanager
def ground(*, restless: bool = True, **settings: Any) -> Iterator[Ground]:
    """Everything is gone afterwards. `settings` are the platform's."""
    from bench.flooring.stamps import Stamps
    from cluster.ports import free_port
    from cluster.wiring import wiring
    from omc.adapters.postgres.database import Database
    from omc.adapters.postgres.migrate import migrate
    from omc.adapters.postgres.server import EmbeddedPostgres

    folder = Path(tempfile.mkdtemp(prefix="omc-floor-"))
    wired = wiring(home=folder / "home", sandbox_port=free_port(), **settings)
    wired.home.prepare()
    stamps = Stamps(folder / "stamps")
    stamps.folder.mkdir()
    ensure_key(wired.home.sandbox_token)
    server = EmbeddedPostgres(wired.home.folder)
    it = Ground(wired, server, stamps, restless)
    command = [sys.executable, *wired.sandbox_command(_FIRST_BAR)]
    try:
        server.start()
        migrate(Database(server.dsn_file))
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as exchange:
            try:
                assert exchange.stdout is not None
                if not exchange.stdout.readline().startswith("ready"):
                    raise SystemExit("the sandbox exchange did not start")
                it.start()
                yield it
            finally:
                it.stop()
                exchange.send_signal(signal.SIGTERM)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
