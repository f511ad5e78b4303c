"""The whole platform in one process: the four apps routed as Serve routes them, real PostgreSQL, the sandbox exchange
on its socket, and the floor's real actors, called as the handles call them but for Ray.

Nobody trades and nobody sweeps: what is deployed stays where it is, and what is asked of the cluster waits. So a test
knows what there is, and nothing happens behind its back but backtests.
"""

import inspect
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from actors import address, handle
from actors.collector import CollectorPorts, ExchangeCollector
from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
from actors.supervisor import Supervisor
from cluster import processes, vault_key
from cluster.ports import LOOPBACK, free_port
from cluster.serving import Serving
from cluster.wiring import Wiring, wiring
from omc.access.password import MemoryPasswordHasher
from omc.adapters.key_file import ensure_key
from omc.adapters.postgres import dsn
from omc.errors import Unavailable
from omc.ledger.cadence import Cadence
from omc.trading.deployment import Deployment
from omc.trading.floor import TraderState
from serve_apps.floor import app as floor
from serve_apps.gateway import app as gateway
from serve_apps.gateway.streams import app as streams
from serve_apps.lab import app as lab

DAYS = 3
# Whoever tries everything asks more often than anybody else may.
UNHURRIED = {
    "rate_account": 60_000_000,
    "rate_account_burst": 1_000_000,
    "rate_token": 60_000_000,
    "rate_token_burst": 1_000_000,
    "rate_address": 60_000_000,
    "rate_address_burst": 1_000_000,
}


class Here:
    """An actor of this process, asked as one of another is."""

    def __init__(self, actor: object) -> None:
        self._actor = actor

    def __getattr__(self, name: str) -> "Method":
        return Method(getattr(self._actor, name))


@dataclass(frozen=True)
class Method:
    ask: Callable[..., Any]

    async def remote(self, *arguments: object) -> object:
        answer = self.ask(*arguments)
        return await answer if inspect.isawaitable(answer) else answer


class NobodyTrades:
    """A Crew without anybody."""

    async def running(self) -> list[str]:
        return []

    async def start(self, deployment: Deployment) -> None:
        """Its trader never comes."""

    async def stop(self, name: str) -> None:
        """There is none."""

    async def state(self, name: str) -> TraderState:
        raise Unavailable(f"{name} is away")


class NobodySweeps:
    """A SweepRunner whose sweeps wait."""

    async def submit(self, sweep_id: UUID) -> None:
        """It stays queued."""

    async def cancel(self, sweep_id: UUID) -> None:
        """There is nothing to stop."""


@dataclass
class OneProcess:
    wired: Wiring
    app: "Routed"
    document: dict[str, Any]
    risk: RiskActor


@dataclass(frozen=True)
class Routed:
    """The app of the longest prefix answers, told of the prefix, as behind Serve's proxy."""

    apps: Mapping[str, FastAPI]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        within = [prefix for prefix in self.apps if path == prefix or path.startswith(f"{prefix}/")]
        prefix = max(within, key=len)
        await self.apps[prefix]({**scope, "root_path": prefix}, receive, send)


@asynccontextmanager
async def one_process(home: Path, database: Path | str, **settings: object) -> AsyncIterator[OneProcess]:
    """The platform on `home` and on the migrated database of that address, or of the address in that file."""
    port = free_port()
    chosen = {"synthetic_days": DAYS, "sandbox_port": port, "lockstep": True, "poll_s": 0.5, **UNHURRIED}
    wired = wiring(home=home, **chosen, live_exchange_url=f"http://{LOOPBACK}:{port}", **settings)
    wired.home.prepare()
    dsn.write(wired.home.dsn_file, dsn.read(database) if isinstance(database, Path) else database)
    for key in (wired.home.jwt_key, wired.home.sandbox_token):
        ensure_key(key)
    async with AsyncExitStack() as stack:
        # Others that share the database seal under keys of their own.
        vault_key.lay_out(wired, frozenset())
        stack.push_async_callback(wired.database.close)
        tape = wired.tape()
        first = tape.split_row(wired.tape_days(tape))
        await wired.prices.load(tape.frame.rows(0, first))
        command = [sys.executable, *wired.sandbox_command(first)]
        exchange = processes.start(command, wired.home.logs / "sandbox-exchange.log")
        stack.callback(processes.end, [exchange.pid])
        risk = await stack.enter_async_context(_actors(wired))
        apps = _apps(wired)
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield OneProcess(wired, Routed(apps), apps[""].openapi(), risk)


@asynccontextmanager
async def _actors(wired: Wiring) -> AsyncIterator[RiskActor]:
    cadence = Cadence(every_s=0.5, longest_s=1.0, first_s=0.02)
    ports = CollectorPorts(
        wired.price_source, wired.prices, wired.clock, wired.deployments, wired.sandbox_control, cadence
    )
    collector = ExchangeCollector(ports)
    risk = RiskActor(
        RiskPorts(
            blotter=wired.blotter,
            deployments=wired.deployments,
            leases=wired.leases,
            kill_switch=wired.kill_switch,
            halt_files=wired.halt_files,
            risk=wired.risk,
            platform=wired.platform_bounds,
            venue_book=wired.venue_book,
            venues=wired.venues,
            quotes=collector,
            clock=wired.clock,
            terms=wired.terms,
            tape=wired.sandbox_control,
            archive=wired.prices,
            examiner=wired.live_venues,
        ),
        retire=lambda: None,
    )
    supervisor = Supervisor(wired.deployments, NobodyTrades(), collector)
    found: dict[str, Any] = handle._found
    here = {address.COLLECTOR_EXCHANGE: collector, address.RISK: risk, address.SUPERVISOR: supervisor}
    found.update({name: Here(actor) for name, actor in here.items()})
    try:
        yield risk
    finally:
        for name in here:
            found.pop(name, None)
        await supervisor.stop()
        await risk.stop()
        await collector.stop()


def _apps(wired: Wiring) -> dict[str, FastAPI]:
    """By prefix, the longest first."""
    serving = Serving(wired, f"http://{LOOPBACK}:1", f"{LOOPBACK}:1")
    lab_ports = replace(serving._lab(), runner=NobodySweeps())
    floor_ports = serving._floor()
    siblings = {lab.PREFIX: lambda: lab.build(lab_ports), floor.PREFIX: lambda: floor.build(floor_ports)}
    return {
        lab.PREFIX: lab.build(lab_ports),
        floor.PREFIX: floor.build(floor_ports),
        streams.PREFIX: streams.build(serving._streams()),
        "": gateway.build(replace(serving._gateway(), hasher=MemoryPasswordHasher()), siblings),
    }
