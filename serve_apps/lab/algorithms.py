"""Algorithms, as their owners keep them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from omc.access.quota import Quota
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.sandbox.source import MOST_BYTES, unreadable
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.draft import drafted
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.quotas import counted
from serve_apps.metering import metered
from serve_apps.wire import Body, Line, Parameters, Text, Time

AlgorithmType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


def _text_of_code(text: str) -> str:
    finding = unreadable(text)
    if finding is not None:
        raise ValueError(str(finding))
    return text


Code = Annotated[
    str, AfterValidator(_text_of_code), Field(description=f"Python, at most {MOST_BYTES:,} bytes in UTF-8.")
]
"""What may be kept as code, whether or not it runs."""


class AlgorithmIn(Body):
    """`algorithm_type` is that of a built-in algorithm, or `custom` with code of one's own."""

    name: Line
    description: Text | None = None
    algorithm_type: AlgorithmType
    code: Code | None = None
    parameters: Parameters = Field({})


class AlgorithmChange(Body):
    """What is left out stays, but for parameters that new code does not have; `parameters` replaces all of them, those
    not named having their defaults. New code or parameters make a new version, which is a draft again."""

    name: Line | None = None
    description: Text | None = None
    code: Code | None = None
    parameters: Parameters | None = None


class AlgorithmQuery(Paging):
    status: Literal["draft", "validated", "deployable", "deployed"] | None = None


class AlgorithmOut(BaseModel):
    id: UUID
    name: str
    description: str | None
    algorithm_type: str
    code: str | None
    parameters: dict[str, Any]
    status: Literal["draft", "validated", "deployable", "deployed"]
    version: int
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, record: AlgorithmRecord) -> Self:
        return cls(
            id=record.id,
            name=record.name,
            description=record.description,
            algorithm_type=record.algorithm_type,
            code=record.code,
            parameters=dict(record.parameters),
            status=record.status.value,
            version=record.version,
            created_at=record.created_at,
            updated_at=record.updated_at,
        )


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["algorithms"])
    asker = Depends(bearer)

    @router.post("/algorithms", status_code=201)
    async def create(user_id: Annotated[UUID, asker], body: AlgorithmIn) -> Success[AlgorithmOut]:
        """A new draft. Its parameters are stored whole, defaults included, so that they never change by themselves.
        Code that cannot be loaded yet is stored as it is, with the parameters as they were given."""
        ports.allowance.check_code(body.code)
        now, most = ports.clock.now(), ports.allowance.algorithms
        record = AlgorithmRecord(
            id=uuid4(),
            user_id=user_id,
            name=body.name,
            description=body.description,
            algorithm_type=body.algorithm_type,
            code=body.code,
            parameters=await _drafted(ports, user_id, body.algorithm_type, body.code, body.parameters),
            status=AlgorithmStatus.DRAFT,
            version=1,
            created_at=now,
            updated_at=now,
        )
        with counted(Quota.ALGORITHMS, most):
            return Success(data=AlgorithmOut.of(await ports.algorithms.create(record, most)))

    @router.get("/algorithms")
    async def algorithms(
        user_id: Annotated[UUID, asker], query: Annotated[AlgorithmQuery, Query()]
    ) -> Page[AlgorithmOut]:
        """One's own, of one status or of all."""
        statuses = [AlgorithmStatus(query.status)] if query.status else []
        records, total = await ports.algorithms.page(user_id, query.offset, query.per_page, statuses)
        return Page.of([AlgorithmOut.of(record) for record in records], total, query)

    @router.get("/algorithms/{algorithm_id}")
    async def algorithm(user_id: Annotated[UUID, asker], algorithm_id: UUID) -> Success[AlgorithmOut]:
        """One of them, at its newest version."""
        return Success(data=AlgorithmOut.of(await ports.algorithms.get(algorithm_id, user_id)))

    @router.put("/algorithms/{algorithm_id}")
    async def change(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, body: AlgorithmChange
    ) -> Success[AlgorithmOut]:
        """Change what is named, and nothing else. New code or parameters make a new version, which is a draft again."""
        return Success(data=AlgorithmOut.of(await edit(ports, user_id, algorithm_id, body)))

    @router.delete("/algorithms/{algorithm_id}")
    async def delete(user_id: Annotated[UUID, asker], algorithm_id: UUID) -> Success[None]:
        """With its versions, backtests and sweeps; refused while a deployment of it is not stopped."""
        await ports.algorithms.delete(algorithm_id, user_id)
        return Success(data=None, message="deleted")

    return router


async def edit(ports: LabPorts, user_id: UUID, algorithm_id: UUID, body: AlgorithmChange) -> AlgorithmRecord:
    """Store a change; its parameters are checked and stored whole, as a new algorithm's are. Conflict when another edit
    was stored meanwhile, which this one knows nothing of."""
    record = await ports.algorithms.get(algorithm_id, user_id)
    given = body.model_fields_set
    code = body.code if "code" in given else record.code
    parameters = record.parameters
    if code != record.code:
        ports.allowance.check_code(code)
    if body.parameters is not None or code != record.code:
        wanted = record.parameters if body.parameters is None else body.parameters
        left = body.parameters is None
        parameters = await _drafted(ports, user_id, record.algorithm_type, code, wanted, left=left)
    return await ports.algorithms.update(
        replace(
            record,
            name=body.name or record.name,
            description=body.description if "description" in given else record.description,
            code=code,
            parameters=parameters,
        ),
        seen=record,
    )


async def _drafted(
    ports: LabPorts,
    user_id: UUID,
    algorithm_type: str,
    code: str | None,
    parameters: Mapping[str, Any],
    *,
    left: bool = False,
) -> dict[str, Any]:
    """The parameters to keep. What code of one's own takes to say them is charged."""
    if code is None:
        return await drafted(ports.maker, algorithm_type, None, parameters)
    return await metered(
        ports, user_id, lambda meter: drafted(meter.maker, algorithm_type, code, parameters, left=left)
    )
