"""One order: how it stands, its end before its time, and its limit moved."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from omc.errors import Unavailable
from omc.trading.blotter import OrderRow, row_id
from omc.trading.order import Order, OrderStatus
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import OrderOut
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.uncut import uncut
from serve_apps.wire import Amount, Body

# A venue that answers has cancelled by then; what has not ended goes on to its end, and is said not to have ended yet.
_PATIENCE_S = 10.0
_ACCEPTED = 202


class ReplaceIn(Body):
    price_aud: Amount


def routes(ports: FloorPorts, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["books"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.get("/orders/{order_id}")
    async def order(user_id: Annotated[UUID, asker], order_id: UUID) -> Success[OrderOut]:
        """How it stands, with its fills."""
        return Success(data=OrderOut.of(await ports.blotter.row(order_id, user_id)))

    @router.get("/orders/{order_id}/slices")
    async def slices(
        user_id: Annotated[UUID, asker], order_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[OrderOut]:
        """The orders that carry out parts of one, oldest first."""
        parent = await ports.blotter.row(order_id, user_id)
        names = [each.intent.client_order_id for each in await ports.blotter.slices(_name(parent))]
        shown = names[query.offset : query.offset + query.per_page]
        owner = parent.order.intent.deployment_id
        rows = [await ports.blotter.row(row_id(owner, name), user_id) for name in shown]
        return Page.of([OrderOut.of(row) for row in rows], len(names), query)

    @router.post("/orders/{order_id}/cancel", responses={_ACCEPTED: {"description": "It has not ended yet."}})
    async def cancel(
        user_id: Annotated[UUID, asker], order_id: UUID, response: Response, _: Annotated[Operation, keyed]
    ) -> Success[OrderOut]:
        """End an order before its time: what rests on the book is cancelled, slices that are not sent are not. Fills
        are kept, and an order that has ended stays as it is, so asking again is harmless. 202 when the venue has not
        said yet that it is gone."""
        row = await ports.blotter.row(order_id, user_id)
        if not row.order.status.final:
            await _in_time(ports.risk.cancel(_name(row), "cancelled by its owner"), response)
            row = await ports.blotter.row(order_id, user_id)
        return Success(data=OrderOut.of(row))

    @router.post("/orders/{order_id}/replace", responses={_ACCEPTED: {"description": "Nobody knows yet."}})
    async def replace(
        user_id: Annotated[UUID, asker],
        order_id: UUID,
        body: ReplaceIn,
        response: Response,
        _: Annotated[Operation, keyed],
    ) -> Success[OrderOut]:
        """Move the limit of an order that rests on the book. CONFLICT when it does not rest there, our risk book says
        no, or the venue did not move it; asked for again at the price where it stands, nothing happens. 202 when the
        venue has not said yet whether it was moved."""
        row = await ports.blotter.row(order_id, user_id)
        try:
            await _in_time(ports.risk.replace(_name(row), body.price_aud), response)
        except Unavailable:
            row = await ports.blotter.row(order_id, user_id)
            if row.order.status is not OrderStatus.REPLACING:
                raise
            response.status_code = _ACCEPTED
        return Success(data=OrderOut.of(await ports.blotter.row(order_id, user_id)))

    return router


async def _in_time(asked: Coroutine[Any, Any, Order], response: Response) -> None:
    """What was asked goes on to its end in any case; 202 when that is not soon."""
    try:
        await asyncio.wait_for(uncut(asked), _PATIENCE_S)
    except TimeoutError:
        response.status_code = _ACCEPTED


def _name(row: OrderRow) -> str:
    return row.order.intent.client_order_id
