"""The emergency stop, and the way back."""

from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, model_validator

from omc.risk.kill_switch import Halt, HaltLevel
from serve_apps.envelope import Success
from serve_apps.floor.effects import Effects
from serve_apps.floor.owned import is_live
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.stopping import Stopped, Stopping
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Instant, Line, Money, Time


class StopIn(Body):
    """Of the whole account without a deployment. `adding` stops what adds to positions, and leaves sales alone;
    `liquidate` also sells everything that is held."""

    liquidate: Annotated[bool, Field(strict=True)] = False
    reason: Line = "asked for by the owner"
    deployment_id: UUID | None = None
    level: Literal["all", "adding"] = "all"

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.liquidate and self.level == "adding":
            raise ValueError("liquidate sells everything, and a halt of adding leaves sales alone: ask for one of them")
        return self


class ResetIn(Body):
    reason: Line = "asked for by the owner"
    deployment_id: UUID | None = None
    until: Instant | None = Field(None, description="The `since` of the halt that is meant: a newer one stays.")


class SoldOut(BaseModel):
    client_order_id: str
    deployment_id: UUID
    coin: str
    quantity: Money
    filled_quantity: Money
    status: str


class HaltOut(BaseModel):
    """One halt that is on; `adding` leaves sales alone."""

    scope: Literal["platform", "account", "deployment"]
    level: Literal["all", "adding"]
    deployment_id: UUID | None
    since: Time
    reason: str

    @classmethod
    def of(cls, halt: Halt) -> Self:
        return cls(
            scope=halt.scope.value,
            level=halt.level.value,
            deployment_id=halt.deployment_id,
            since=halt.since,
            reason=halt.reason,
        )


class StoppedOut(BaseModel):
    """The halt holds from `since` on, whatever `problems` says could not be done besides. `kept_in` says where: a file
    or the database suffices, the risk desk's memory ends with it."""

    halted: bool
    scope: Literal["platform", "account", "deployment"]
    level: Literal["all", "adding"]
    since: Time
    reason: str
    kept_in: list[str]
    paused_deployments: list[UUID]
    cancelled_orders: int
    sold: list[SoldOut]
    problems: list[str]

    @classmethod
    def of(cls, stopped: Stopped) -> Self:
        return cls(
            halted=True,
            scope=stopped.halt.scope.value,
            level=stopped.halt.level.value,
            since=stopped.halt.since,
            reason=stopped.halt.reason,
            kept_in=list(stopped.kept_in),
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
    """`still` is what halts it all the same."""

    halted: bool
    still: HaltOut | None = None
    problems: list[str] = []


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(prefix="/emergency-stop", tags=["risk"], route_class=once.route)
    asker, keyed, stopping = Depends(bearer), Depends(once.operation), Stopping(ports, effects)

    @router.post("")
    async def stop(
        user_id: Annotated[UUID, asker], operation: Annotated[Operation, keyed], body: StopIn | None = None
    ) -> Success[StoppedOut]:
        """Halt the account at once, pause its deployments, cancel its open orders; it stays so across restarts."""
        wanted = body or StopIn()
        work = stopping.stop(
            user_id,
            wanted.reason,
            wanted.liquidate,
            deployment_id=wanted.deployment_id,
            level=HaltLevel(wanted.level),
            operation=operation,
        )
        return Success(data=StoppedOut.of(await uncut(work)))

    @router.post("/reset")
    async def reset(
        user_id: Annotated[UUID, asker],
        operation: Annotated[Operation, keyed],
        body: ResetIn | None = None,
        code: Code = None,
    ) -> Success[ResetOut]:
        """Let it trade again; deployments stay paused until each is activated. Losses that halted it are
        measured anew from here, and all others go on to count. A halt that began after `until` is not reset, nor one
        that began after this request, where it comes again with its key. What may trade real money by it takes a
        code of the second factor, where there is one."""
        wanted = body or ResetIn()
        if await is_live(ports.deployments, user_id, wanted.deployment_id):
            await demand(ports.second_factors, user_id, code)
        until = wanted.until or (operation.began_at if operation.repeated else None)
        released = await uncut(stopping.reset(user_id, wanted.reason, wanted.deployment_id, until=until))
        still = released.still
        return Success(
            data=ResetOut(
                halted=still is not None,
                still=HaltOut.of(still) if still else None,
                problems=list(released.problems),
            ),
            message="deployments stay paused until they are activated",
        )

    return router
