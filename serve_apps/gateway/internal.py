"""The exchange collector for operators and their scripts: by a superuser's token, or from this machine where that is
set."""

import re
from typing import Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from omc.access.user import UserStore
from serve_apps.caller import Proxies, caller
from serve_apps.envelope import Success
from serve_apps.gateway.collectors import CollectorOut, exchange_row
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.superuser import Superuser
from serve_apps.uncut import uncut
from serve_apps.wire import Metric, Time

_LOCAL = UUID(int=0)
# A page in a browser on this machine asks from it, too: browsers say so. So does a proxy that nobody told us of.
_FOR_OTHERS = ("origin", "referer", "sec-fetch-site", "forwarded", "via", "x-real-ip")
# A page may have had its own site's name lead to this machine: then its browser says nothing but that name.
_OUR_NAMES = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


class Operator(Superuser):
    """A superuser; or, where that is set, whoever asks from this machine with no proxy between."""

    def __init__(self, bearer: Bearer, users: UserStore, proxies: Proxies, *, local: bool) -> None:
        super().__init__(bearer, users)
        self._proxies, self._local = proxies, local

    async def __call__(self, request: Request) -> UUID:
        if self._local and "authorization" not in request.headers and self._is_here(request):
            return _LOCAL
        return await super().__call__(request)

    def _is_here(self, request: Request) -> bool:
        for_others = any(name in request.headers for name in _FOR_OTHERS)
        ours = _OUR_NAMES.fullmatch(request.headers.get("host", "")) is not None
        return ours and not for_others and caller(request.scope, self._proxies).is_local


class LastRun(BaseModel):
    """Of the exchange's collector; `lag_s` is how long ago it handed quotes on."""

    state: str
    last_run_at: Time | None
    rows_stored: int
    lag_s: Metric
    last_error: str | None

    @classmethod
    def of(cls, row: CollectorOut) -> Self:
        return cls(
            state=row.state,
            last_run_at=row.last_run_at,
            rows_stored=row.rows_stored,
            lag_s=row.lag_s,
            last_error=row.last_error,
        )


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    operator = Operator(bearer, ports.users, ports.rules.proxies, local=ports.operators_are_local)
    router = APIRouter(prefix="/internal/collector", tags=["collectors"], dependencies=[Depends(operator)])

    @router.post("/trigger")
    async def trigger_exchange() -> Success[CollectorOut]:
        """Have the exchange's collector ask now rather than when it is due."""
        await uncut(soon(ports.switches.trigger(), "the exchange collector"))
        return Success(data=await exchange_row(ports))

    @router.get("/status")
    async def exchange_status() -> Success[CollectorOut]:
        """How the exchange's collector is doing."""
        return Success(data=await exchange_row(ports))

    @router.get("/last-run")
    async def exchange_last_run() -> Success[LastRun]:
        """When it ran last, and what came of it."""
        return Success(data=LastRun.of(await exchange_row(ports)))

    return router
