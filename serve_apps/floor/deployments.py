"""What is wanted on the floor, and the verbs that change it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from omc.trading.deployment import DeploymentStatus, Mode
from omc.trading.real_money import check_confirmed
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.real_money import check_allowed
from serve_apps.floor.schemas import DeploymentOut
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body


class ActivateIn(Body):
    confirmation: str | None = Field(
        None, max_length=200, description='For live: "trade NAME with real money", with the deployment\'s name.'
    )


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["deployments"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.get("/deployments")
    async def deployments(user_id: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[DeploymentOut]:
        """Newest first."""
        found, total = await ports.deployments.page(user_id, query.offset, query.per_page)
        return Page.of([DeploymentOut.of(each) for each in found], total, query)

    @router.get("/deployments/{deployment_id}")
    async def deployment(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[DeploymentOut]:
        """What it was deployed with, and whether it is wanted to run."""
        return Success(data=DeploymentOut.of(await ports.deployments.get(deployment_id, user_id)))

    @router.post("/algorithms/{deployment_id}/activate")
    async def activate(
        user_id: Annotated[UUID, asker],
        deployment_id: UUID,
        operation: Annotated[Operation, keyed],
        body: ActivateIn | None = None,
        code: Code = None,
    ) -> Success[DeploymentOut]:
        """Let it trade. Asking again changes nothing; with a key not even when it was paused since, and one that was
        cut off before it could do anything is a CONFLICT then. For real money it is confirmed again."""
        found = await ports.deployments.get(deployment_id, user_id)
        if found.mode is Mode.LIVE and found.status is not DeploymentStatus.ACTIVE:
            await check_allowed(ports, user_id, found.venue)
            check_confirmed(found.name, body.confirmation if body else None)
            await demand(ports.second_factors, user_id, code)
        return await _move(user_id, deployment_id, DeploymentStatus.ACTIVE, operation)

    @router.post("/algorithms/{deployment_id}/pause")
    async def pause(
        user_id: Annotated[UUID, asker], deployment_id: UUID, operation: Annotated[Operation, keyed]
    ) -> Success[DeploymentOut]:
        """Stop trading until it is activated; what it holds, it keeps."""
        return await _move(user_id, deployment_id, DeploymentStatus.PAUSED, operation)

    @router.post("/algorithms/{deployment_id}/deactivate")
    async def deactivate(
        user_id: Annotated[UUID, asker], deployment_id: UUID, operation: Annotated[Operation, keyed]
    ) -> Success[DeploymentOut]:
        """Stop trading for good; what it holds, it keeps."""
        return await _move(user_id, deployment_id, DeploymentStatus.STOPPED, operation)

    async def _move(
        user_id: UUID, deployment_id: UUID, status: DeploymentStatus, operation: Operation
    ) -> Success[DeploymentOut]:
        found = await ports.deployments.get(deployment_id, user_id)
        return Success(data=DeploymentOut.of(await uncut(effects.move(found, status, operation))))

    return router
