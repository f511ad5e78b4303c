"""Limits, how near they are, and whether our books are the venue's."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import OmcError
from omc.market.money import ZERO
from omc.trading.deployment import Deployment
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import deployments_of
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import LimitsOut
from serve_apps.identity import Bearer
from serve_apps.patience import newest_board, soon
from serve_apps.wire import Body, Money, Time

_DESK_S = 10.0


class DeploymentLimits(BaseModel):
    deployment_id: UUID
    deployment_name: str
    risk_limits: LimitsOut


class AllLimits(BaseModel):
    """`most` is what the platform allows any deployment; null when it sets no bound."""

    most: LimitsOut | None
    deployments: list[DeploymentLimits]


class DeploymentRisk(BaseModel):
    """`realized_today_aud` is after fees; buying stops when a day's loss reaches its limit."""

    deployment_id: UUID
    deployment_name: str
    status: str
    realized_today_aud: Money
    daily_loss_limit_aud: Money
    largest_position_aud: Money
    position_limit_aud: Money


class RiskStatus(BaseModel):
    halted: bool
    since: Time | None
    reason: str | None
    deployments: list[DeploymentRisk]


class ReconciliationOut(BaseModel):
    """Balances by coin, cash under AUD. `error` says why a comparison could not be made."""

    deployment_id: UUID
    deployment_name: str
    compared_at: Time | None = None
    ours: dict[str, Money] = {}
    venue: dict[str, Money] = {}
    differences: list[str] = []
    error: str | None = None


class ReconciliationQuery(Body):
    deployment_id: UUID | None = None


class ReconciliationPage(ReconciliationQuery, Paging):
    pass


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["risk"])
    asker = Depends(bearer)

    @router.get("/risk/limits")
    async def limits(user_id: Annotated[UUID, asker]) -> Success[AllLimits]:
        """What every deployment trades within."""
        return Success(
            data=AllLimits(
                most=LimitsOut.of(ports.most) if ports.most else None,
                deployments=[
                    DeploymentLimits(
                        deployment_id=each.id, deployment_name=each.name, risk_limits=LimitsOut.of(each.limits)
                    )
                    for each in await deployments_of(ports.deployments, user_id)
                ],
            )
        )

    @router.get("/risk/status")
    async def status(user_id: Annotated[UUID, asker]) -> Success[RiskStatus]:
        """Whether the account is halted, and how much of its limits is used."""
        halt = await ports.kill_switch.halted(user_id)
        today = await _midnight()
        rows = [await _risk(each, today) for each in await deployments_of(ports.deployments, user_id)]
        return Success(
            data=RiskStatus(
                halted=halt is not None,
                since=halt.since if halt else None,
                reason=halt.reason if halt else None,
                deployments=rows,
            )
        )

    @router.get("/reconciliation")
    async def reconciliation(
        user_id: Annotated[UUID, asker], query: Annotated[ReconciliationPage, Query()]
    ) -> Page[ReconciliationOut]:
        """Our books beside the venue's, deployment by deployment, compared now."""
        if query.deployment_id is not None:
            found, total = [await ports.deployments.get(query.deployment_id, user_id)], 1
        else:
            found, total = await ports.deployments.page(user_id, query.offset, query.per_page)
        return Page.of([await compared(ports, each) for each in found], total, query)

    async def _midnight() -> datetime:
        """When the market's day began: a played tape has its own days."""
        board = await newest_board(ports.hot)
        now = board.time if board else ports.clock.now()
        return now.replace(hour=0, minute=0, second=0, microsecond=0)

    async def _risk(deployment: Deployment, today: datetime) -> DeploymentRisk:
        account = await ports.blotter.account(deployment.id)
        held = {coin: position for coin, position in account.positions.items() if position.quantity}
        marks = await marks_now(ports.hot, ports.archive, held)
        worth: list[Decimal] = [
            position.quantity * marks[coin] if coin in marks else position.cost_aud for coin, position in held.items()
        ]
        return DeploymentRisk(
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            status=deployment.status.value,
            realized_today_aud=await ports.blotter.realized_since(deployment.id, today),
            daily_loss_limit_aud=deployment.limits.daily_loss_aud,
            largest_position_aud=max(worth, default=ZERO),
            position_limit_aud=deployment.limits.position_notional_aud,
        )

    return router


async def compared(ports: FloorPorts, deployment: Deployment) -> ReconciliationOut:
    """The books of one deployment beside the venue's; that they cannot be compared is said in the row."""
    row = ReconciliationOut(deployment_id=deployment.id, deployment_name=deployment.name)
    try:
        result = await soon(ports.risk.reconcile(deployment.id), "the risk desk", _DESK_S)
    except OmcError as fault:
        return row.model_copy(update={"error": str(fault)})
    return row.model_copy(
        update={
            "compared_at": result.compared_at,
            "ours": dict(result.ours),
            "venue": dict(result.venue),
            "differences": list(result.differences),
        }
    )
