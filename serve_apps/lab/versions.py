"""What an algorithm was: every version of it, and the way back to one."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from omc.strategy.algorithm import AlgorithmVersion
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.algorithms import AlgorithmChange, AlgorithmOut, edit
from serve_apps.lab.ports import LabPorts
from serve_apps.wire import Time

VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


class VersionOut(BaseModel):
    algorithm_id: UUID
    version: int
    code: str | None
    parameters: dict[str, Any]
    content_hash: str
    created_at: Time

    @classmethod
    def of(cls, version: AlgorithmVersion) -> Self:
        return cls(
            algorithm_id=version.algorithm_id,
            version=version.version,
            code=version.code,
            parameters=dict(version.parameters),
            content_hash=version.content_hash,
            created_at=version.created_at,
        )


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["algorithms"])
    asker = Depends(bearer)

    @router.get("/algorithms/{algorithm_id}/versions")
    async def versions(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[VersionOut]:
        """Oldest first."""
        found = await ports.algorithms.versions(algorithm_id, user_id)
        return Page.cut([VersionOut.of(each) for each in found], query)

    @router.get("/algorithms/{algorithm_id}/versions/{number}")
    async def version(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, number: VersionNumber
    ) -> Success[VersionOut]:
        """One of them, with its code and parameters."""
        return Success(data=VersionOut.of(await ports.algorithms.version(algorithm_id, user_id, number)))

    @router.post("/algorithms/{algorithm_id}/versions/{number}/restore")
    async def restore(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, number: VersionNumber
    ) -> Success[AlgorithmOut]:
        """Make what a version was the newest version again, as a draft."""
        old = await ports.algorithms.version(algorithm_id, user_id, number)
        # It was taken once: what a request may carry is no question here.
        asked: dict[str, Any] = {"code": old.code, "parameters": dict(old.parameters)}
        body = AlgorithmChange.model_construct({*asked}, **asked)
        return Success(data=AlgorithmOut.of(await edit(ports, user_id, algorithm_id, body)))

    return router
