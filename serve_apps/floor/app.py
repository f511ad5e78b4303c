"""The floor: deployments and what they do, at `/api/v1/floor`."""

from fastapi import FastAPI

from omc.access.asker import Askers
from omc.access.scope import Scope
from serve_apps import audited, door, openapi
from serve_apps.floor import (
    books,
    deploy,
    deployments,
    disposals,
    emergency,
    forcing,
    limits,
    locks,
    orders,
    parity,
    performance,
    pnl,
    reconciliation,
    report,
    risk,
    status,
    tuning,
    venues,
    verbs,
)
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.revoked import Revoked

PREFIX = "/api/v1/floor"


def build(ports: FloorPorts) -> FastAPI:
    """The floor's app over its ports; it is described in the gateway's document."""
    app = FastAPI(
        title="Oh My Coins: floor",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=openapi.FAILURES,
    )
    audited.install(app, ports.audit, ports.clock)
    door.install(app, ports.rules)
    askers, effects = Askers(ports.signer, ports.clock, ports.tokens, Revoked(ports.revocations)), Effects(ports)
    bearer = Bearer(askers, reads=Scope.READ, writes=Scope.TRADE)
    app.include_router(deploy.routes(ports, effects, bearer))
    app.include_router(deployments.routes(ports, effects, bearer))
    app.include_router(tuning.routes(ports, effects, bearer))
    app.include_router(emergency.routes(ports, effects, bearer))
    app.include_router(forcing.routes(ports, effects, bearer))
    app.include_router(locks.routes(ports, effects, bearer))
    for noun in (
        books,
        disposals,
        limits,
        orders,
        parity,
        performance,
        pnl,
        reconciliation,
        report,
        risk,
        status,
        venues,
        verbs,
    ):
        app.include_router(noun.routes(ports, bearer))
    return app
