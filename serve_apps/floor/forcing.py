"""Getting out of what is held, and into nothing more, as freqtrade's `forceexit` and `stopentry` do."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from omc.errors import InvalidInput
from omc.risk.kill_switch import HaltLevel
from omc.trading.deployment import Deployment
from omc.trading.order import Order
from serve_apps.envelope import Success
from serve_apps.floor.effects import Effects
from serve_apps.floor.emergency import StoppedOut
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.stopping import Stopping
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.patience import soon
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line, Money, Ticker

# As long as the desk tries to sell, with what its venue may take besides. What is not done by then goes on.
_DESK_S = 90.0


class ForceExitIn(Body):
    """One coin of a deployment, or with `all` everything that it holds."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"deployment_id": "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90", "coin": "BTC"}]}
    )

    deployment_id: UUID
    coin: Ticker | None = None
    all: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.coin is not None) == self.all:
            raise ValueError("say one thing: a coin, or all as true")
        return self


class ForcedOut(BaseModel):
    client_order_id: str
    coin: str
    quantity: Money
    filled_quantity: Money
    total_aud: Money
    status: str

    @classmethod
    def of(cls, order: Order) -> Self:
        return cls(
            client_order_id=order.intent.client_order_id,
            coin=order.intent.coin,
            quantity=order.intent.quantity,
            filled_quantity=order.filled_quantity,
            total_aud=sum((fill.total_aud for fill in order.fills), order.intent.quantity * 0),
            status=order.status.value,
        )


class ForceExitOut(BaseModel):
    """What was sold. `problems` says what was not, one sentence each."""

    deployment_id: UUID
    sold: list[ForcedOut]
    problems: list[str]


class StopEntryIn(Body):
    """Of the whole account without a deployment."""

    deployment_id: UUID | None = None
    reason: Line = "no more entries, asked for by the owner"


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["verbs"], route_class=once.route)
    asker, keyed, stopping = Depends(bearer), Depends(once.operation), Stopping(ports, effects)

    @router.post("/forceexit")
    async def forceexit(
        user_id: Annotated[UUID, asker], body: ForceExitIn, operation: Annotated[Operation, keyed]
    ) -> Success[ForceExitOut]:
        """Sell at once what a deployment holds. It goes on trading, and buys none of it again until its algorithm has
        let go of the coin by a weight of 0, or the lock is lifted."""
        deployment = await ports.deployments.get(body.deployment_id, user_id)
        coins = _coins(deployment, body)
        work = ports.risk.force_exit(deployment.id, coins, str(operation.id))
        report = await uncut(soon(work, "the risk desk", _DESK_S))
        out = ForceExitOut(
            deployment_id=deployment.id,
            sold=[ForcedOut.of(order) for order in report.sold],
            problems=list(report.problems),
        )
        return Success(data=out, message=None if out.sold or out.problems else "there was nothing to sell")

    @router.post("/stopentry")
    async def stopentry(
        user_id: Annotated[UUID, asker], operation: Annotated[Operation, keyed], body: StopEntryIn | None = None
    ) -> Success[StoppedOut]:
        """Buy nothing more; sales and exits go on. It holds until it is lifted, across restarts."""
        wanted = body or StopEntryIn()
        work = stopping.stop(
            user_id,
            wanted.reason,
            False,
            deployment_id=wanted.deployment_id,
            level=HaltLevel.ADDING,
            operation=operation,
        )
        return Success(data=StoppedOut.of(await uncut(work)))

    return router


def _coins(deployment: Deployment, body: ForceExitIn) -> tuple[str, ...]:
    """None for all that it holds."""
    if body.coin is None:
        return ()
    if body.coin not in deployment.coins:
        raise InvalidInput(f"{deployment.name} does not trade {body.coin}: it trades {', '.join(deployment.coins)}")
    return (body.coin,)
