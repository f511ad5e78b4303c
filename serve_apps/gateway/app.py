"""The gateway: accounts, prices, health, and the description of everything that can be asked of the platform."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from fastapi import APIRouter, FastAPI

from omc.access.asker import Askers
from omc.access.scope import Scope
from serve_apps import audited, door, openapi
from serve_apps.gateway import (
    accounts,
    audit,
    auth,
    collectors,
    credentials,
    data,
    health,
    internal,
    ledgers,
    measures,
    pages,
    second_factor,
    tokens,
    users,
)
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.revoked import Revoked
from serve_apps.superuser import Superuser

PREFIX = "/api/v1"


def build(ports: GatewayPorts, siblings: Mapping[str, Callable[[], FastAPI]] | None = None) -> FastAPI:
    """The gateway over its ports. `siblings` builds the other apps by the prefix that they are served under, so that
    one document describes all of them; they answer no request here."""
    app = FastAPI(
        title="Oh My Coins",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=openapi.FAILURES,
    )
    audited.install(app, ports.audit, ports.clock)
    door.install(app, ports.rules)
    passwords, bearer = (
        Passwords(ports.hasher),
        Bearer(Askers(ports.signer, ports.clock, ports.tokens, Revoked(ports.revocations))),
    )
    reading = bearer.opened(reads=Scope.READ)
    router = APIRouter(prefix=PREFIX)
    router.include_router(health.routes(ports))
    router.include_router(auth.routes(ports, passwords, bearer))
    router.include_router(users.routes(ports, passwords, bearer))
    router.include_router(accounts.routes(ports, passwords, bearer))
    router.include_router(tokens.routes(ports, bearer))
    router.include_router(second_factor.routes(ports, passwords, bearer))
    router.include_router(credentials.routes(ports, bearer))
    router.include_router(data.routes(ports, reading))
    router.include_router(measures.routes(ports, reading))
    router.include_router(ledgers.routes(ports, reading))
    router.include_router(collectors.routes(ports, reading, Superuser(bearer, ports.users)))
    router.include_router(internal.routes(ports, bearer))
    router.include_router(audit.routes(ports, reading))
    document: dict[str, Any] = {}
    making = Lock()

    def whole_document() -> dict[str, Any]:
        with making:
            if not document:
                apps = {"": app, **{prefix: sibling() for prefix, sibling in (siblings or {}).items()}}
                document.update(openapi.merged(apps))
        return document

    router.include_router(pages.routes(PREFIX, whole_document))
    app.include_router(router)
    app.openapi = whole_document  # type: ignore[method-assign]
    return app
