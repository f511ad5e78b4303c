"""How the ledgers' collectors are doing."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import NotFound, OmcError
from omc.ledger.exchange import CollectorStatus
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.wire import Line, Metric, Time

_EXCHANGE = "exchange"


class CollectorOut(BaseModel):
    """`state` is starting, running, paused, waiting, frozen, refused, ended or unreachable; `faults` counts unusable
    answers by kind."""

    ledger: str
    state: str
    last_run_at: Time | None = None
    last_quotes_at: Time | None = None
    quotes_changed_at: Time | None = None
    """When any quote last changed, by the venue's clock: a feed that is frozen arrives and says nothing new."""
    lag_s: Metric = None
    """Seconds since quotes were last handed on, in our time; `last_quotes_at` is in the venue's, maybe a tape's."""
    rows_stored: int = 0
    faults: dict[str, int] = {}
    last_error: str | None = None
    tape_position: int | None = None
    tape_bars: int | None = None

    @classmethod
    def of(cls, status: CollectorStatus, lag_s: float | None) -> Self:
        return cls(
            ledger=status.ledger,
            state=status.state,
            last_run_at=status.last_run_at,
            last_quotes_at=status.last_quotes_at,
            quotes_changed_at=status.changed_at,
            lag_s=lag_s,
            rows_stored=status.rows_stored,
            faults=dict(status.faults),
            last_error=status.last_error,
            tape_position=status.tape_position,
            tape_bars=status.tape_bars,
        )


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/collectors", tags=["collectors"], dependencies=[Depends(bearer)])

    @router.get("")
    async def collectors(query: Annotated[Paging, Query()]) -> Page[CollectorOut]:
        """Every collector, one that does not answer included."""
        return Page.cut([await _row()], query)

    @router.get("/{ledger}")
    async def collector(ledger: Line) -> Success[CollectorOut]:
        """One of them."""
        if ledger != _EXCHANGE:
            raise NotFound("no collector keeps this ledger")
        return Success(data=await _row())

    async def _row() -> CollectorOut:
        try:
            status = await soon(ports.hot.status(), "the exchange collector")
        except OmcError as fault:
            return CollectorOut(ledger=_EXCHANGE, state="unreachable", last_error=str(fault))
        lag_s = None
        if status.handed_on_at is not None:
            lag_s = max(0.0, round((ports.clock.now() - status.handed_on_at).total_seconds(), 3))
        return CollectorOut.of(status, lag_s)

    return router
