"""The kill switch with the real database stopped: halted at once, told the database when it is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
from omc.access.usage import MemoryUsageLedger
from omc.adapters.halt_files import FolderHaltFiles
from omc.adapters.jwt import JwtSigner
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.risk import PostgresRiskStore
from omc.adapters.postgres.server import EmbeddedPostgres
from omc.errors import Halted, Unavailable
from omc.ledger.exchange import MemoryPriceArchive
from omc.market.terms import Terms
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, Turn, client_order_id
from omc.trading.paper.exchange import MemoryExchange
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.stopping import Stopping
from tests.actors.mortal import COINS, QUICK, TERMS, market
from tests.omc.adapters.postgres.house import House, in_postgres

pytestmark = pytest.mark.postgres


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Quiet:
    """A Supervision, and the quotes of an exchange."""

    def __init__(self, exchange: MemoryExchange) -> None:
        self.exchange = exchange

    async def newest(self) -> Any:
        return self.exchange.paper.board

    async def nudge(self) -> None: ...

    async def traders(self) -> list[Any]:
        return []


class Told:
    """A RiskDesk of which the request that stops needs three methods."""

    def __init__(self, desk: RiskActor) -> None:
        self.desk = desk

    async def trip(self, halt: Any) -> None:
        self.desk.trip(halt)

    async def halt(self, *asked: Any) -> Any:
        return await self.desk.halt(*asked)

    async def release(self, *asked: Any) -> None:
        await self.desk.release(*asked)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path) as running:
        await asyncio.to_thread(migrate, Database(running.dsn_file))
        yield running


async def until(holds: Any) -> None:
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.02)


def buys(of: Deployment, exchange: MemoryExchange, price: Decimal, name: str) -> OrderIntent:
    at = exchange.paper.board.time
    return OrderIntent(
        f"{client_order_id(of.id, at, 'ETH', Turn.PURCHASE)}:{name}",
        of.id,
        of.user_id,
        "ETH",
        Side.BUY,
        Decimal(100),
        TERMS.kind("ETH"),
        price,
        at,
        at,
        "a test's",
    )


async def test_a_stop_without_the_database(server: EmbeddedPostgres, tmp_path: Path) -> None:
    database = Database(server.dsn_file)
    stores: House = in_postgres(database)
    deployment = await stores.deployed(coins=COINS, cash_aud=Decimal("10000.00"))
    deployment = await stores.deployments.set_limits(
        deployment.id,
        replace(deployment.limits, order_notional_aud=Decimal(10**6), position_notional_aud=Decimal(10**6)),
    )
    tape, _ = market(3, gaps=0.0)
    exchange = MemoryExchange.playing(tape, TERMS)
    files, rows, quiet = FolderHaltFiles(tmp_path), PostgresKillSwitch(database), Quiet(exchange)
    ports = RiskPorts(
        blotter=stores.blotter,
        deployments=stores.deployments,
        leases=stores.leases,
        kill_switch=rows,
        venues=exchange,
        quotes=quiet,  # type: ignore[arg-type]
        clock=Clock(),
        terms=TERMS,
        cadence=QUICK,
        halt_files=files,
        look_every_s=0.02,
        risk=PostgresRiskStore(database),
    )
    desk = RiskActor(ports, retire=lambda: None)
    http = FloorPorts(
        algorithms=stores.algorithms,
        deployments=stores.deployments,
        blotter=stores.blotter,
        kill_switch=rows,
        risk=Told(desk),  # type: ignore[arg-type]
        supervision=quiet,
        archive=MemoryPriceArchive(),
        hot=quiet,  # type: ignore[arg-type]
        signer=JwtSigner(tmp_path / "jwt.key"),
        clock=Clock(),
        terms=Terms(),
        usage=MemoryUsageLedger(),
        halt_files=files,
        limits=PostgresRiskStore(database),
    )
    lease = await stores.leases.take(trader_name(deployment), "test")
    stopping = Stopping(http, Effects(http))
    try:
        await desk._task
        ask = exchange.paper.quote("ETH").ask_aud
        bought = await desk.submit(buys(deployment, exchange, ask, "first"), lease)
        assert isinstance(bought, Order)
        exchange.paper.place(
            str(deployment.id), Side.BUY, "ETH", quantity=Decimal(500), price_aud=(ask / 2).quantize(Decimal("0.01"))
        )
        await database.close()
        server.stop()
        stopped = await stopping.stop(deployment.user_id, "smoke", liquidate=False)
        assert stopped.kept_in == ("file", "risk desk")
        assert stopped.report.cancelled_orders == 1
        assert exchange.paper.wallet(str(deployment.id)).orders == {}
        assert any("not in the database" in each for each in stopped.report.problems)
        gate = desk._senders.exposures.halts.gate(buys(deployment, exchange, ask, "second"), liquidating=False)
        assert gate is not None
        with pytest.raises(Halted, match="smoke"):
            gate()
        with pytest.raises(Unavailable):
            await desk.submit(buys(deployment, exchange, ask, "third"), lease)
        with pytest.raises(Unavailable):
            await stopping.reset(deployment.user_id, "not yet")
        assert [halt.reason for halt in files.on()] == ["smoke"]
        await asyncio.to_thread(server.start)

        async def stored() -> bool:
            with suppress(Unavailable):
                halted = await rows.halted(deployment.user_id)
                status = (await stores.deployments.get(deployment.id)).status
                return halted is not None and halted.reason == "smoke" and status is DeploymentStatus.PAUSED
            return False

        await until(stored)
        released = await stopping.reset(deployment.user_id, "it is out")
        assert (released.still, released.problems, files.on()) == (None, (), [])
        entries, _ = await stores.blotter.journal(deployment.user_id, None, ("halt", "reset"), 0, 9)
        assert [entry.kind for entry in entries] == ["reset", "halt"]
    finally:
        for task in (desk._task, *desk._settling):
            task.cancel()
        await database.close()
