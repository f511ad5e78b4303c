"""How the ledgers' collectors are doing, and the switches that operators have."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import NotFound, OmcError
from omc.ledger.exchange import CollectorStatus
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.superuser import Superuser
from serve_apps.uncut import uncut
from serve_apps.wire import Line, Metric, Time

EXCHANGE = "exchange"


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


def routes(ports: GatewayPorts, bearer: Bearer, superuser: Superuser) -> APIRouter:
    router = APIRouter(prefix="/collectors", tags=["collectors"])
    reader, operator = [Depends(bearer)], [Depends(superuser)]

    @router.get("", dependencies=reader)
    async def collectors(query: Annotated[Paging, Query()]) -> Page[CollectorOut]:
        """Every collector, one that does not answer included."""
        return Page.cut([await exchange_row(ports)], query)

    @router.get("/{ledger}", dependencies=reader)
    async def collector(ledger: Line) -> Success[CollectorOut]:
        """One of them."""
        return Success(data=await _row(ledger))

    @router.post("/{ledger}/trigger", dependencies=operator)
    async def trigger(ledger: Line) -> Success[CollectorOut]:
        """Have it ask its sources now rather than when they are due. For superusers."""
        return await _switched(ledger, ports.switches.trigger)

    @router.post("/{ledger}/pause", dependencies=operator)
    async def pause(ledger: Line) -> Success[CollectorOut]:
        """Have it ask nothing more until it is resumed, or started anew. For superusers."""
        return await _switched(ledger, ports.switches.pause)

    @router.post("/{ledger}/resume", dependencies=operator)
    async def resume(ledger: Line) -> Success[CollectorOut]:
        """Have it go on. For superusers."""
        return await _switched(ledger, ports.switches.resume)

    async def _row(ledger: str) -> CollectorOut:
        if ledger != EXCHANGE:
            raise NotFound("no collector keeps this ledger")
        return await exchange_row(ports)

    async def _switched(ledger: str, switch: Callable[[], Coroutine[Any, Any, None]]) -> Success[CollectorOut]:
        await _row(ledger)
        await uncut(soon(switch(), "the exchange collector"))
        return Success(data=await _row(ledger))

    return router


async def exchange_row(ports: GatewayPorts) -> CollectorOut:
    """How the exchange's collector is doing; that it does not answer is said in the row."""
    try:
        status = await soon(ports.hot.status(), "the exchange collector")
    except OmcError as fault:
        return CollectorOut(ledger=EXCHANGE, state="unreachable", last_error=str(fault))
    lag_s = None
    if status.handed_on_at is not None:
        lag_s = max(0.0, round((ports.clock.now() - status.handed_on_at).total_seconds(), 3))
    return CollectorOut.of(status, lag_s)
