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
from serve_apps.once import Once
from serve_apps.prompt_tokens import PromptTokens
from serve_apps.revoked import Revoked
from serve_apps.vouched import Vouched

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
    askers = Askers(ports.signer, ports.clock, PromptTokens(ports.tokens), Revoked(ports.revocations))
    door.install(app, ports.rules, Vouched(askers))
    effects = Effects(ports)
    bearer = Bearer(askers, reads=Scope.READ, writes=Scope.TRADE)
    once = Once(ports.requests, bearer, ports.clock)
    # A halt waits for no database.
    at_any_rate = Once(ports.requests, bearer, ports.clock, needed=False)
    for doing in (deploy, deployments, tuning):
        app.include_router(doing.routes(ports, effects, bearer, once))
    for halting in (emergency, forcing):
        app.include_router(halting.routes(ports, effects, bearer, at_any_rate))
    app.include_router(locks.routes(ports, effects, bearer))
    for keyed in (limits, orders, reconciliation):
        app.include_router(keyed.routes(ports, bearer, once))
    for noun in (
        books,
        disposals,
        parity,
        performance,
        pnl,
        report,
        risk,
        status,
        venues,
        verbs,
    ):
        app.include_router(noun.routes(ports, bearer))
    return app
