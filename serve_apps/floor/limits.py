"""What deployments, an account and the platform trade within."""

from itertools import count
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from omc.errors import InvalidInput, Overtaken
from omc.risk.limits import AccountLimits, Bounds, Limits
from omc.trading.deployment import Mode
from serve_apps.envelope import Success
from serve_apps.floor.bounds import ALWAYS, BoundsIn, BoundsOut
from serve_apps.floor.owned import deployments_of, is_live
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import LimitsOut
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line

_TRIES = 10


class DeploymentLimits(BaseModel):
    deployment_id: UUID
    deployment_name: str
    risk_limits: LimitsOut


class AllLimits(BaseModel):
    """`most` is what the platform allows any deployment; null when it sets no bound. `account` holds for all of the
    owner's deployments of one mode together, those on paper apart from those live, `platform` likewise for everybody's.
    """

    most: LimitsOut | None
    account: BoundsOut
    time_zone: str
    platform: BoundsOut
    deployments: list[DeploymentLimits]


class LimitsChange(Body):
    """Of the account, or of one deployment when it is named. They hold from the next order on."""

    deployment_id: UUID | None = None
    limits: BoundsIn = BoundsIn()
    time_zone: Line | None = Field(
        None, description="Whose midnight begins the account's days, such as Australia/Sydney."
    )


def routes(ports: FloorPorts, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["risk"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.get("/risk/limits")
    async def limits(user_id: Annotated[UUID, asker]) -> Success[AllLimits]:
        """What every deployment, the account and the platform trade within."""
        return Success(data=await _all(user_id))

    @router.put("/risk/limits")
    async def change(
        user_id: Annotated[UUID, asker],
        body: LimitsChange,
        operation: Annotated[Operation, keyed],
        code: Code = None,
    ) -> Success[AllLimits]:
        """Change what is named; what is null does not bind any more. To loosen what real money is traded within takes a
        code of the second factor, where there is one."""
        if await _loosens_live(ports, user_id, body):
            await demand(ports.second_factors, user_id, code)
        await uncut(_change(ports, user_id, body, operation.id))
        return Success(data=await _all(user_id))

    async def _all(user_id: UUID) -> AllLimits:
        account = await ports.limits.limits(user_id)
        return AllLimits(
            most=LimitsOut.of(ports.most) if ports.most else None,
            account=BoundsOut.of(account.bounds),
            time_zone=account.time_zone,
            platform=BoundsOut.of(ports.platform),
            deployments=[
                DeploymentLimits(
                    deployment_id=each.id, deployment_name=each.name, risk_limits=LimitsOut.of(each.limits)
                )
                for each in await deployments_of(ports.deployments, user_id)
            ],
        )

    return router


async def _loosens_live(ports: FloorPorts, user_id: UUID, body: LimitsChange) -> bool:
    """Whether real money could be traded within wider limits than before."""
    named = body.limits.named()
    if body.deployment_id is not None:
        deployment = await ports.deployments.get(body.deployment_id, user_id)
        return deployment.mode is Mode.LIVE and deployment.limits.loosened_by(named)
    before = await ports.limits.limits(user_id)
    # Another midnight begins the day's loss anew.
    if not before.bounds.loosened_by(named) and body.time_zone in (None, before.time_zone):
        return False
    return await is_live(ports.deployments, user_id)


async def _change(ports: FloorPorts, user_id: UUID, body: LimitsChange, once: UUID) -> None:
    for tries in count(1):
        try:
            if body.deployment_id is None:
                await _change_account(ports, user_id, body, once)
            else:
                await _change_deployment(ports, user_id, body.deployment_id, body, once)
        except Overtaken:
            # Somebody else has changed others of them, which stay as he wants them.
            if tries == _TRIES:
                raise
        else:
            return


async def _change_account(ports: FloorPorts, user_id: UUID, body: LimitsChange, once: UUID) -> None:
    before = await ports.limits.limits(user_id)
    bounds = Bounds.of({**before.bounds.told(), **body.limits.named()})
    wanted = AccountLimits(bounds, body.time_zone or before.time_zone)
    await ports.limits.set_limits(user_id, wanted, before=before, once=once)


async def _change_deployment(
    ports: FloorPorts, user_id: UUID, deployment_id: UUID, body: LimitsChange, once: UUID
) -> None:
    deployment = await ports.deployments.get(deployment_id, user_id)
    if body.time_zone is not None:
        raise InvalidInput("time_zone is the account's: a deployment has none of its own")
    named = body.limits.named()
    missing = [name for name in ALWAYS if name in named and named[name] is None]
    if missing:
        raise InvalidInput(f"limits.{missing[0]}: a deployment always has one")
    wanted = Limits.of({**deployment.limits.told(), **named})
    wider = wanted.within(ports.most) if ports.most else None
    if wider:
        raise InvalidInput(f"limits.{wider} is allowed here")
    await ports.deployments.set_limits(deployment.id, wanted, before=deployment.limits, once=once)
