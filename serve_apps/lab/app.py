"""The lab: algorithms, backtests, sweeps and promotion, at `/api/v1/lab`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from omc.access.asker import Askers
from omc.access.scope import Scope
from serve_apps import audited, door, openapi, prices
from serve_apps.identity import Bearer
from serve_apps.lab import (
    algorithms,
    backtests,
    described,
    models,
    promotion,
    quotas,
    report,
    sweeps,
    templates,
    verdict,
    versions,
)
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.worker import BacktestWorker
from serve_apps.once import Once
from serve_apps.revoked import Revoked

PREFIX = "/api/v1/lab"


def build(ports: LabPorts) -> FastAPI:
    """The lab's app over its ports; it is described in the gateway's document. While it runs, so do backtests."""
    worker = BacktestWorker(ports)

    @asynccontextmanager
    async def working(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        await worker.stop()

    app = FastAPI(
        title="Oh My Coins: lab",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=openapi.FAILURES,
        lifespan=working,
    )
    audited.install(app, ports.audit, ports.clock)
    door.install(app, ports.rules)
    bearer = Bearer(
        Askers(ports.signer, ports.clock, ports.tokens, Revoked(ports.revocations)), reads=Scope.READ, writes=Scope.LAB
    )
    once = Once(ports.requests, bearer, ports.clock)
    for noun in (templates, algorithms, described, versions, models, verdict, report, quotas):
        app.include_router(noun.routes(ports, bearer))
    for keyed in (promotion, sweeps):
        app.include_router(keyed.routes(ports, bearer, once))
    app.include_router(backtests.routes(ports, worker, bearer, once))
    app.include_router(prices.routes("/data/historical", ports.archive, ports.arrow, bearer))
    return app
