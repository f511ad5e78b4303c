"""Orders, trades, decisions and positions, of one deployment or of all."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import InvalidInput
from omc.trading.deployment import Deployment
from omc.trading.journal import JournalEntry
from serve_apps.envelope import Page, Paging
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import deployments_of
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import OrderOut, PositionOut, TradeOut
from serve_apps.identity import Bearer
from serve_apps.wire import Closing, Opening, Time


class TradeQuery(Paging):
    """From `start` to just before `end`."""

    start: Opening | None = None
    end: Closing | None = None

    def check(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise InvalidInput("start lies after end")
        return self


class DecisionOut(BaseModel):
    """The weights wanted after a bar, and why, coin by coin; and the last of what code has printed since the decision
    before. `trigger` is what the algorithm was asked for, where it is not asked on every bar; empty where its last
    wishes stand."""

    decided_at: Time
    recorded_at: Time
    targets: dict[str, float]
    why: dict[str, str]
    printed: str
    trigger: str

    @classmethod
    def of(cls, entry: JournalEntry) -> Self:
        return cls(
            decided_at=time_of(entry.data["decided_at"]),
            recorded_at=entry.recorded_at,
            targets=dict(entry.data["targets"]),
            why=dict(entry.data["why"]),
            printed=str(entry.data.get("printed", "")),
            trigger=str(entry.data.get("trigger", "")),
        )


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["books"])
    asker = Depends(bearer)

    @router.get("/orders")
    async def orders(user_id: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[OrderOut]:
        """Of all deployments, newest first."""
        return await _orders(user_id, None, query)

    @router.get("/algorithms/{deployment_id}/orders")
    async def orders_of(
        user_id: Annotated[UUID, asker], deployment_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[OrderOut]:
        """A deployment's, newest first."""
        await ports.deployments.get(deployment_id, user_id)
        return await _orders(user_id, deployment_id, query)

    @router.get("/trades")
    async def trades(user_id: Annotated[UUID, asker], query: Annotated[TradeQuery, Query()]) -> Page[TradeOut]:
        """Of all deployments, newest first."""
        return await _trades(user_id, None, query)

    @router.get("/algorithms/{deployment_id}/trades")
    async def trades_of(
        user_id: Annotated[UUID, asker], deployment_id: UUID, query: Annotated[TradeQuery, Query()]
    ) -> Page[TradeOut]:
        """A deployment's, newest first."""
        await ports.deployments.get(deployment_id, user_id)
        return await _trades(user_id, deployment_id, query)

    @router.get("/algorithms/{deployment_id}/decisions")
    async def decisions(
        user_id: Annotated[UUID, asker], deployment_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[DecisionOut]:
        """Newest first; a bar that changed nothing is not listed."""
        await ports.deployments.get(deployment_id, user_id)
        entries, total = await ports.blotter.journal(user_id, deployment_id, ["decision"], query.offset, query.per_page)
        return Page.of([DecisionOut.of(entry) for entry in entries], total, query)

    @router.get("/positions")
    async def positions(user_id: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[PositionOut]:
        """What all deployments hold, and what they held and sold."""
        return await _positions(await deployments_of(ports.deployments, user_id), query)

    @router.get("/algorithms/{deployment_id}/positions")
    async def positions_of(
        user_id: Annotated[UUID, asker], deployment_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[PositionOut]:
        """What a deployment holds, at the newest quotes."""
        return await _positions([await ports.deployments.get(deployment_id, user_id)], query)

    async def _orders(user_id: UUID, deployment_id: UUID | None, query: Paging) -> Page[OrderOut]:
        rows, total = await ports.blotter.orders(user_id, deployment_id, query.offset, query.per_page)
        return Page.of([OrderOut.of(row) for row in rows], total, query)

    async def _trades(user_id: UUID, deployment_id: UUID | None, query: TradeQuery) -> Page[TradeOut]:
        query.check()
        found, total = await ports.blotter.trades(
            user_id, deployment_id, query.offset, query.per_page, query.start, query.end
        )
        return Page.of([TradeOut.of(trade) for trade in found], total, query)

    async def _positions(deployments: list[Deployment], query: Paging) -> Page[PositionOut]:
        rows = [
            (deployment.id, position)
            for deployment in deployments
            for _, position in sorted((await ports.blotter.account(deployment.id)).positions.items())
        ]
        shown = rows[query.offset : query.offset + query.per_page]
        held = {position.coin for _, position in shown if position.quantity}
        marks: Mapping[str, Decimal] = await marks_now(ports.hot, ports.archive, held)
        items = [PositionOut.of(owner, position, marks.get(position.coin)) for owner, position in shown]
        return Page.of(items, len(rows), query)

    return router


def time_of(value: Any) -> datetime:
    """A time out of the journal, whose durable form is text."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
