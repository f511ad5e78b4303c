"""The emergency stop, and the way back."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from serve_apps.envelope import Success
from serve_apps.floor.effects import Effects, Stopped
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line, Money, Time


class StopIn(Body):
    """`liquidate` also sells everything that is held."""

    liquidate: Annotated[bool, Field(strict=True)] = False
    reason: Line = "asked for by the owner"


class SoldOut(BaseModel):
    client_order_id: str
    deployment_id: UUID
    coin: str
    quantity: Money
    filled_quantity: Money
    status: str


class StoppedOut(BaseModel):
    """The halt holds from `since` on, whatever `problems` says could not be done besides."""

    halted: bool
    since: Time
    reason: str
    paused_deployments: list[UUID]
    cancelled_orders: int
    sold: list[SoldOut]
    problems: list[str]

    @classmethod
    def of(cls, stopped: Stopped) -> Self:
        return cls(
            halted=True,
            since=stopped.halt.since,
            reason=stopped.halt.reason,
            paused_deployments=[each.id for each in stopped.paused],
            cancelled_orders=stopped.report.cancelled_orders,
            sold=[
                SoldOut(
                    client_order_id=order.intent.client_order_id,
                    deployment_id=order.intent.deployment_id,
                    coin=order.intent.coin,
                    quantity=order.intent.quantity,
                    filled_quantity=order.filled_quantity,
                    status=order.status.value,
                )
                for order in stopped.report.sold
            ],
            problems=list(stopped.report.problems),
        )


class ResetOut(BaseModel):
    halted: bool


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/emergency-stop", tags=["risk"])
    asker = Depends(bearer)

    @router.post("")
    async def stop(user_id: Annotated[UUID, asker], body: StopIn | None = None) -> Success[StoppedOut]:
        """Halt the account at once, pause its deployments, cancel its open orders; it stays so across restarts."""
        wanted = body or StopIn()
        return Success(data=StoppedOut.of(await uncut(effects.stop(user_id, wanted.reason, wanted.liquidate))))

    @router.post("/reset")
    async def reset(user_id: Annotated[UUID, asker]) -> Success[ResetOut]:
        """Let the account trade again; its deployments stay paused until each is activated."""
        await uncut(ports.kill_switch.reset(user_id))
        return Success(data=ResetOut(halted=False), message="deployments stay paused until they are activated")

    return router
