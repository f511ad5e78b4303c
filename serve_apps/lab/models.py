"""Models of code that learns: fitted on stored prices, and kept with what they came from."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from omc.access.quota import Quota
from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.fitted_model import (
    Lineage,
    ModelRecord,
    hash_of_bars,
    hash_of_code,
    hash_of_content,
    libraries,
)
from omc.strategy.maker import Make, Maker
from omc.strategy.sandboxed import SandboxedAlgorithm
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.quotas import counted
from serve_apps.lab.spec import check_stored
from serve_apps.making import apart, whole_parameters
from serve_apps.metering import metered
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Closing, Coins, Opening, Parameters, Time


class ModelIn(Body):
    """Bars from `start_date` to `end_date`, both included, are what the newest version's `fit` is handed."""

    start_date: Opening
    end_date: Closing
    coins: Coins
    parameters: Parameters = Field({}, description="Those named here replace the algorithm's own.")


class ModelOut(BaseModel):
    """`content_hash` is of what was learned, `code_hash` of the code that learned it and `bars_hash` of every price
    that it saw, all of them SHA-256."""

    id: UUID
    algorithm_id: UUID
    version: int
    content_hash: str
    size_bytes: int
    code_hash: str
    parameters: dict[str, Any]
    coins: list[str]
    start_date: Time
    end_date: Time
    first_bar: Time
    last_bar: Time
    bars: int
    bars_hash: str
    libraries: dict[str, str]
    created_at: Time

    @classmethod
    def of(cls, record: ModelRecord) -> Self:
        lineage = record.lineage
        return cls(
            id=record.id,
            algorithm_id=record.algorithm_id,
            version=record.algorithm_version,
            content_hash=record.content_hash,
            size_bytes=record.size_bytes,
            code_hash=lineage.code_hash,
            parameters=dict(lineage.parameters),
            coins=list(lineage.coins),
            start_date=lineage.start,
            end_date=lineage.end,
            first_bar=lineage.first_bar,
            last_bar=lineage.last_bar,
            bars=lineage.bars,
            bars_hash=lineage.bars_hash,
            libraries=dict(lineage.libraries),
            created_at=record.created_at,
        )


@dataclass(frozen=True, slots=True)
class _Window:
    coins: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Fitted:
    """All parameters, what was learned with them, and the hashes of that and of what it was learned from."""

    parameters: Mapping[str, Any]
    content: bytes
    content_hash: str
    bars_hash: str


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["models"])
    asker = Depends(bearer)

    @router.post("/algorithms/{algorithm_id}/models", status_code=201)
    async def fit(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, body: ModelIn, response: Response
    ) -> Success[ModelOut]:
        """Fit a model. It answers when that is done; the same request again gives the same model."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        code = _code(record)
        window = _Window(tuple(body.coins), body.start_date, body.end_date)

        async def fitted_by(maker: Maker) -> tuple[_Fitted, Frame]:
            frame = await _prices(ports, window)
            return await _fitted(maker, record, body.parameters, frame), frame

        fitted, frame = await metered(ports, user_id, lambda meter: fitted_by(meter.maker))
        lineage = Lineage(
            code_hash=hash_of_code(code),
            parameters=fitted.parameters,
            coins=window.coins,
            start=window.start,
            end=window.end,
            first_bar=frame.time(0),
            last_bar=frame.time(-1),
            bars=len(frame),
            bars_hash=fitted.bars_hash,
            libraries=libraries(),
        )
        model = ModelRecord(
            id=uuid4(),
            user_id=user_id,
            algorithm_id=record.id,
            algorithm_version=record.version,
            content_hash=fitted.content_hash,
            size_bytes=len(fitted.content),
            lineage=lineage,
            created_at=ports.clock.now(),
        )
        allowed = ports.allowance
        with counted(Quota.MODELS, allowed.models):
            stored = await uncut(ports.models.keep(model, fitted.content, allowed.models, allowed.model_bytes))
        response.headers["Location"] = f"/api/v1/lab/models/{stored.id}"
        return Success(data=ModelOut.of(stored))

    @router.get("/algorithms/{algorithm_id}/models")
    async def models(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[ModelOut]:
        """Newest first."""
        await ports.algorithms.get(algorithm_id, user_id)
        records, total = await ports.models.page(user_id, algorithm_id, query.offset, query.per_page)
        return Page.of([ModelOut.of(each) for each in records], total, query)

    @router.get("/models/{model_id}")
    async def model(user_id: Annotated[UUID, asker], model_id: UUID) -> Success[ModelOut]:
        """What it was fitted with; what it has learned leaves the platform by no way."""
        return Success(data=ModelOut.of(await ports.models.get(model_id, user_id)))

    @router.delete("/models/{model_id}")
    async def delete(user_id: Annotated[UUID, asker], model_id: UUID) -> Success[None]:
        """Refused while a deployment that uses it is not stopped. A queued backtest of it will fail."""
        await ports.models.delete(model_id, user_id)
        return Success(data=None, message="deleted")

    return router


def _code(record: AlgorithmRecord) -> str:
    if record.code is None:
        raise InvalidInput(
            f"{record.algorithm_type} ships with the platform: it learns as it goes along, and has no model to store"
        )
    return record.code


async def _prices(ports: LabPorts, window: _Window) -> Frame:
    """All of a window. InvalidInput for one that has no price of one of its coins."""
    bounds = f"between {window.start.isoformat()} and {window.end.isoformat()}"
    if window.start >= window.end:
        raise InvalidInput(f"start_date {window.start.isoformat()} is not before end_date {window.end.isoformat()}")
    await check_stored(ports.archive, window, fewest_bars=1)
    frame = await ports.archive.read(window.coins, window.start, window.end)
    unquoted = [coin for c, coin in enumerate(window.coins) if np.isnan(frame.last[:, c]).all()]
    if unquoted:
        raise InvalidInput(f"there are no prices of {', '.join(unquoted)} {bounds}")
    return frame


async def _fitted(maker: Maker, record: AlgorithmRecord, parameters: Mapping[str, Any], frame: Frame) -> _Fitted:
    make = maker.of(record.code)
    whole = await whole_parameters(make, record.algorithm_type, {**record.parameters, **parameters})
    return await apart(_learned, make, record.algorithm_type, whole, frame)


def _learned(make: Make, algorithm_type: str, parameters: Mapping[str, Any], frame: Frame) -> _Fitted:
    with closing(make(algorithm_type, parameters)) as algorithm:
        if not isinstance(algorithm, SandboxedAlgorithm) or not algorithm.description_of_code.fits:
            raise InvalidInput(
                f"{algorithm.algorithm_type} has no method fit(self, frame, labels=None) of its own: it learns nothing "
                "that could be stored, and needs no model"
            )
        algorithm.check_coins(frame.coins)
        content = algorithm.fit(frame).export()
    return _Fitted(parameters, content, hash_of_content(content), hash_of_bars(frame))
