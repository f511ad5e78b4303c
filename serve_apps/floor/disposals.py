"""What was disposed of, parcel by parcel, for whoever is taxed on it."""

import asyncio
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from omc.errors import InvalidInput
from omc.portfolio.disposals import disposals
from omc.portfolio.financial_year import FinancialYear
from omc.portfolio.lots import Disposal
from omc.risk.limits import AccountLimits
from omc.trading.deployment import Deployment
from serve_apps.columns import as_csv
from serve_apps.envelope import Page
from serve_apps.floor.owned import fills_of
from serve_apps.floor.pnl import WindowPage, chosen
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.wire import Money, Ticker, Time


class DisposalQuery(WindowPage):
    """`year` is an Australian financial year, such as 2025-26, by the calendar of the account's time zone. `pooled`
    matches sales with the oldest parcels of all deployments, rather than of the one that sold."""

    year: str | None = None
    coin: Ticker | None = None
    pooled: bool = False
    format: Literal["json", "csv"] = "json"

    def check(self) -> Self:
        if self.year and (self.start or self.end):
            raise InvalidInput("say a year, or start and end")
        return super().check()


class DisposalOut(BaseModel):
    """Coins of one parcel that one fill sold, the days being those of the account's time zone. The cost base has the
    purchase's fee inside, the proceeds are after the sale's. `over_twelve_months` says only how long it was held."""

    deployment_id: UUID
    deployment_name: str
    coin: str
    quantity: Money
    acquired_on: date
    disposed_on: date
    held_days: int
    over_twelve_months: bool
    cost_base_aud: Money
    proceeds_aud: Money
    gain_aud: Money
    bought_fee_aud: Money
    sold_fee_aud: Money
    acquired_at: Time
    disposed_at: Time
    bought_by: str
    sold_by: str

    @classmethod
    def of(cls, deployment: Deployment, disposal: Disposal, limits: AccountLimits) -> Self:
        zone = limits.zone_of("account")
        return cls(
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            coin=disposal.coin,
            quantity=disposal.quantity,
            acquired_on=disposal.acquired_at.astimezone(zone).date(),
            disposed_on=disposal.disposed_at.astimezone(zone).date(),
            held_days=disposal.held_days(zone),
            over_twelve_months=disposal.over_twelve_months(zone),
            cost_base_aud=disposal.cost_base_aud,
            proceeds_aud=disposal.proceeds_aud,
            gain_aud=disposal.gain_aud,
            bought_fee_aud=disposal.bought_fee_aud,
            sold_fee_aud=disposal.sold_fee_aud,
            acquired_at=disposal.acquired_at,
            disposed_at=disposal.disposed_at,
            bought_by=disposal.bought_by,
            sold_by=disposal.sold_by,
        )


_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/pnl", tags=["pnl"])

    @router.get("/disposals", response_model=Page[DisposalOut], responses=_CSV)
    async def listed(
        user_id: Annotated[UUID, Depends(bearer)], query: Annotated[DisposalQuery, Query()]
    ) -> Page[DisposalOut] | Response:
        """First in, first out, oldest disposal first. With `format=csv` all of them, in one file."""
        rows = await _rows(user_id, query)
        if query.format == "json":
            return Page.cut(rows, query)
        columns = {name: [getattr(row, name) for row in rows] for name in DisposalOut.model_fields}
        name = f"disposals-{query.year}" if query.year else "disposals"
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        text = await asyncio.to_thread(as_csv, columns)
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    async def _rows(user_id: UUID, query: DisposalQuery) -> list[DisposalOut]:
        deployments = {each.id: each for each in await chosen(ports, user_id, query)}
        limits = await ports.limits.limits(user_id)
        start, end = query.start, query.end
        if query.year is not None:
            year, zone = FinancialYear.named(query.year), limits.zone_of("account")
            start, end = year.start(zone), year.end(zone)
        # Whatever is sold later takes no parcel from what was sold before.
        fills = [(each.id, fill) for each in deployments.values() for fill in await fills_of(ports.blotter, each, end)]
        found = await asyncio.to_thread(disposals, fills, pooled=query.pooled)
        return [
            DisposalOut.of(deployments[owner], disposal, limits)
            for owner, disposal in found
            if (start is None or disposal.disposed_at >= start) and query.coin in (None, disposal.coin)
        ]

    return router
