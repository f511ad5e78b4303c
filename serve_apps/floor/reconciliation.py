"""Whether our books are the venue's, which orders wait for a person, and what that person says."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from omc.errors import NotFound, OmcError
from omc.trading.deployment import Deployment, Mode
from omc.trading.floor import Choice, Reconciliation
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.held import HeldOut
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.patience import soon
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Metric, Money, Time

_DESK_S = 30.0
"""What is missing is looked at several times, as lists may lag."""
_PERSON_S = 30.0
"""Whoever decides waits for the venue to be looked at again."""
_ACCEPTED = 202
VenueId = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class ReconciliationOut(BaseModel):
    """The last comparison of the account that a deployment trades. Balances by coin, cash under AUD; `external` is at
    the venue and not ours. `closed` says why nothing is bought on the account, `error` why it could not be compared."""

    deployment_id: UUID
    deployment_name: str
    account: str
    compared_at: Time | None = None
    age_s: Metric = None
    ours: dict[str, Money] = {}
    venue: dict[str, Money] = {}
    external: dict[str, Money] = {}
    differences: list[str] = []
    told: list[str] = []
    held: list[HeldOut] = []
    closed: str | None = None
    error: str | None = None

    def after(self, found: Reconciliation, now: datetime) -> Self:
        return self.model_copy(
            update={
                "compared_at": found.compared_at,
                "age_s": max(0.0, round((now - found.compared_at).total_seconds(), 3)),
                "ours": dict(found.ours),
                "venue": dict(found.venue),
                "external": dict(found.external),
                "differences": list(found.differences),
                "told": list(found.told),
                "closed": found.closed,
                "error": found.unread,
            }
        )


class ReconciliationQuery(Paging):
    deployment_id: UUID | None = None
    now: bool = Field(False, description="Compare anew rather than show the last comparison.")


class ResolveIn(Body):
    """What an order became: some of its candidates' fills, an open order at the venue, or none of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"none": True}]})

    fill_ids: Annotated[list[VenueId], Field(max_length=500)] | None = None
    venue_order_id: VenueId | None = None
    none: Annotated[bool, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        said = (bool(self.fill_ids), self.venue_order_id is not None, self.none is True)
        if sum(said) != 1 or self.none is False or self.fill_ids == []:
            raise ValueError("say one thing: fill_ids, venue_order_id, or none as true")
        return self

    @property
    def choice(self) -> Choice:
        return Choice(tuple(sorted(set(self.fill_ids or ()))), self.venue_order_id)


class ResolvedOut(BaseModel):
    order_id: UUID
    client_order_id: str
    status: str
    filled_quantity: Money
    message: str | None


class AcceptIn(Body):
    """The account is the one that the deployment trades; an owner's account is shared by all that trade it."""

    deployment_id: UUID


def routes(ports: FloorPorts, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(prefix="/reconciliation", tags=["risk"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.get("")
    async def reconciliation(
        user_id: Annotated[UUID, asker], query: Annotated[ReconciliationQuery, Query()]
    ) -> Page[ReconciliationOut]:
        """Our books beside the venue's, deployment by deployment, with the orders that wait for a person."""
        if query.deployment_id is not None:
            found, total = [await ports.deployments.get(query.deployment_id, user_id)], 1
        else:
            found, total = await ports.deployments.page(user_id, query.offset, query.per_page)
        held = await _held(ports, user_id)
        rows = await _anew(ports, found) if query.now else [await last(ports, each) for each in found]
        shown = [
            row.model_copy(update={"held": [each for each in held if each.deployment_id == row.deployment_id]})
            for row in rows
        ]
        return Page.of(shown, total, query)

    @router.post("/{order_id}/resolve")
    async def resolve(
        user_id: Annotated[UUID, asker], order_id: UUID, body: ResolveIn, _: Annotated[Operation, keyed]
    ) -> Success[ResolvedOut]:
        """Say what an order became that only you can tell. It is settled so, and what was not its own is yours."""
        held = await ports.venue_book.held_order(order_id, user_id)
        settled = ports.risk.resolve(held.client_order_id, body.choice, str(user_id))
        order = await uncut(soon(settled, "the risk desk", _PERSON_S))
        return Success(
            data=ResolvedOut(
                order_id=order_id,
                client_order_id=held.client_order_id,
                status=order.status.value,
                filled_quantity=order.filled_quantity,
                message=order.message,
            )
        )

    @router.post("/accept", responses={_ACCEPTED: {"description": "It is not done yet."}})
    async def accept(
        user_id: Annotated[UUID, asker],
        body: AcceptIn,
        response: Response,
        operation: Annotated[Operation, keyed],
        code: Code = None,
    ) -> Success[ReconciliationOut]:
        """Make our books the venue's: what we claim and it has not is taken out of them, and the account opens.
        CONFLICT while an order is in doubt, or is under way and may still sell what is missing. 202 when the venue has
        not shown yet what it holds: it goes on, and the same Idempotency-Key again accepts nothing more and is answered
        what came of it. An account of real money takes a code of the second factor, where there is one."""
        deployment = await ports.deployments.get(body.deployment_id, user_id)
        # An account is traded by several: it opens for all of them, whichever of them is named.
        if deployment.mode is Mode.LIVE:
            await demand(ports.second_factors, user_id, code)
        accepting = uncut(ports.risk.accept(deployment.id, str(user_id), operation.id))
        try:
            found = await asyncio.wait_for(accepting, _PERSON_S)
        except TimeoutError:
            response.status_code = _ACCEPTED
            return Success(data=await last(ports, deployment))
        return Success(data=_row(deployment).after(found, ports.clock.now()))

    return router


async def _anew(ports: FloorPorts, found: Sequence[Deployment]) -> list[ReconciliationOut]:
    """Each account once, however many deployments trade it."""
    rows: dict[str, ReconciliationOut] = {}
    for each in found:
        if each.account not in rows:
            rows[each.account] = await compared(ports, each)
    named = {each.id: {"deployment_id": each.id, "deployment_name": each.name} for each in found}
    return [rows[each.account].model_copy(update=named[each.id]) for each in found]


async def last(ports: FloorPorts, deployment: Deployment) -> ReconciliationOut:
    """The last comparison of a deployment's account; where there was none yet, one is made."""
    known = await ports.venue_book.known(deployment.account)
    if known is None or known.compared is None:
        return await compared(ports, deployment)
    return _row(deployment).after(known.compared, ports.clock.now())


async def compared(ports: FloorPorts, deployment: Deployment) -> ReconciliationOut:
    """The books of one deployment's account beside the venue's, now; that they cannot be compared is said in the
    row."""
    row = _row(deployment)
    try:
        found = await soon(ports.risk.reconcile(deployment.id), "the risk desk", _DESK_S)
    except OmcError as fault:
        return row.model_copy(update={"error": str(fault)})
    return row.after(found, ports.clock.now())


def _row(deployment: Deployment) -> ReconciliationOut:
    return ReconciliationOut(deployment_id=deployment.id, deployment_name=deployment.name, account=deployment.account)


async def _held(ports: FloorPorts, user_id: UUID) -> list[HeldOut]:
    rows: list[HeldOut] = []
    for each in await ports.venue_book.held(user_id=user_id):
        order = await ports.blotter.order(each.client_order_id)
        if order is None:
            raise NotFound(f"there is no order {each.client_order_id}")
        rows.append(HeldOut.of(each, order))
    return rows
