"""Sweeps: a search over parameters, asked for at once and carried out elsewhere."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Discriminator, Field, Tag

from omc.backtest.metrics import METRICS
from omc.backtest.run import RunStatus
from omc.backtest.search_space import MOST_POINTS, SearchSpace
from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import Conflict, InvalidInput, OmcError, Unavailable
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.spec import SpecIn, SpecOut, check_stored
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Finite, Metric, ParameterName, Scalar, Time, Whole

_METRIC_NAMES = Literal[tuple(METRICS)]  # type: ignore[valid-type]
_BATCH = 5_000


class Range(Body):
    """Values from `low` to `high`, drawn at random; `log` draws their magnitudes evenly."""

    low: Finite
    high: Finite
    log: bool = False
    integer: bool = False


Values = Annotated[list[Scalar], Field(min_length=1, max_length=1_000)]
Searched = Annotated[
    Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")],
    Discriminator(lambda given: "range" if isinstance(given, dict | Range) else "values"),
]


class SweepIn(SpecIn):
    """`grid` tries every combination of lists of values; `random` draws `points` from lists or ranges."""

    space: Annotated[dict[ParameterName, Searched], Field(min_length=1, max_length=20)]
    method: Literal["grid", "random"] = "grid"
    points: Annotated[Whole, Field(ge=1, le=MOST_POINTS)] | None = Field(None, description="For random: how many.")
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = 7
    objective: _METRIC_NAMES = "sharpe"  # type: ignore[valid-type]

    def plain_space(self) -> dict[str, Any]:
        """As it is stored: a list of values or a range by parameter."""
        return {
            name: values.model_dump() if isinstance(values, Range) else list(values)
            for name, values in self.space.items()
        }


class PointOut(BaseModel):
    """One tried point; `error` says why it has no metrics."""

    index: int
    parameters: dict[str, Any]
    metrics: dict[str, Metric]
    error: str | None

    @classmethod
    def of(cls, point: SweepPoint) -> Self:
        return cls(index=point.index, parameters=dict(point.parameters), metrics=dict(point.metrics), error=point.error)


class SweepOut(SpecOut):
    id: UUID
    space: dict[str, Any]
    method: Literal["grid", "random"]
    points: int
    seed: int
    objective: str
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    done: int
    best: dict[str, Any] | None
    error_message: str | None
    created_at: Time
    started_at: Time | None
    completed_at: Time | None

    @classmethod
    def of(cls, sweep: Sweep) -> Self:
        return cls(
            id=sweep.id,
            space=dict(sweep.space),
            method="grid" if sweep.method == "grid" else "random",
            points=sweep.points,
            seed=sweep.seed,
            objective=sweep.objective,
            status=sweep.status.value,
            progress=1.0 if sweep.status is RunStatus.COMPLETED else min(1.0, sweep.done / max(1, sweep.points)),
            done=sweep.done,
            best=dict(sweep.best) if sweep.best else None,
            error_message=sweep.error_message,
            created_at=sweep.created_at,
            started_at=sweep.started_at,
            completed_at=sweep.completed_at,
            **SpecOut.figures(sweep.algorithm_id, sweep.algorithm_version, sweep.spec),
        )


class ResultQuery(Paging):
    """Best first by the sweep's objective, unless told otherwise; points without the metric come last."""

    sort: Literal[("index", *METRICS)] | None = None  # type: ignore[valid-type]
    order: Literal["asc", "desc"] | None = None
    format: Literal["json", "csv"] = "json"


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["sweeps"])
    asker = Depends(bearer)

    @router.post("/algorithms/{algorithm_id}/sweeps", status_code=202)
    async def ask(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, body: SweepIn, response: Response
    ) -> Success[SweepOut]:
        """Queue a sweep of the newest version. It runs whether or not anybody waits for it."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        spec = body.spec(record)
        await check_stored(ports.archive, spec)
        asked = Sweep(
            id=uuid4(),
            user_id=user_id,
            algorithm_id=record.id,
            algorithm_version=record.version,
            spec=spec,
            space=body.plain_space(),
            method=body.method,
            points=body.points or 0,
            seed=body.seed,
            objective=body.objective,
            status=RunStatus.QUEUED,
            done=0,
            best=None,
            error_message=None,
            created_at=ports.clock.now(),
            started_at=None,
            completed_at=None,
        )
        points = (await asyncio.to_thread(SearchSpace.of, asked)).points
        if body.points not in (None, points):
            raise InvalidInput(f"points: this grid has {points}")
        stored = await uncut(_begin(ports, replace(asked, points=points)))
        response.headers["Location"] = f"/api/v1/lab/sweeps/{stored.id}"
        return Success(data=SweepOut.of(stored))

    @router.get("/sweeps")
    async def sweeps(user_id: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[SweepOut]:
        """Newest first."""
        found, total = await ports.sweeps.page(user_id, query.offset, query.per_page)
        return Page.of([SweepOut.of(each) for each in found], total, query)

    @router.get("/sweeps/{sweep_id}")
    async def sweep_of(user_id: Annotated[UUID, asker], sweep_id: UUID) -> Success[SweepOut]:
        return Success(data=SweepOut.of(await ports.sweeps.get(sweep_id, user_id)))

    @router.post("/sweeps/{sweep_id}/cancel")
    async def cancel(user_id: Annotated[UUID, asker], sweep_id: UUID) -> Success[SweepOut]:
        """Stop it; points tried so far stay. Cancelling again changes nothing."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        if sweep.status.over and sweep.status is not RunStatus.CANCELLED:
            raise Conflict(f"the sweep is {sweep.status} already")
        return Success(data=SweepOut.of(await uncut(_cancel(ports, sweep))))

    @router.get("/sweeps/{sweep_id}/results", response_model=Page[PointOut])
    async def results(
        user_id: Annotated[UUID, asker], sweep_id: UUID, query: Annotated[ResultQuery, Query()]
    ) -> Page[PointOut] | Response:
        """Every point; with `format=csv` all of them at once."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        sort = query.sort or sweep.objective
        descending = query.order == "desc" if query.order else sort != "index"
        if query.format == "csv":
            return await _csv(ports, sweep, sort, descending)
        points, total = await ports.sweeps.results(sweep_id, user_id, sort, descending, query.offset, query.per_page)
        return Page.of([PointOut.of(point) for point in points], total, query)

    return router


async def _begin(ports: LabPorts, sweep: Sweep) -> Sweep:
    stored = await ports.sweeps.create(sweep)
    try:
        await ports.runner.submit(stored.id)
    except OmcError as fault:
        await ports.sweeps.finish(stored.id, RunStatus.FAILED, f"it could not be started: {fault}")
        raise Unavailable(f"the sweep could not be started: {fault}") from fault
    return stored


async def _cancel(ports: LabPorts, sweep: Sweep) -> Sweep:
    # The row first: a runner that starts, or restarts, sees that the sweep is over.
    cancelled = await ports.sweeps.finish(sweep.id, RunStatus.CANCELLED)
    await ports.runner.cancel(sweep.id)
    return cancelled


async def _csv(ports: LabPorts, sweep: Sweep, sort: str, descending: bool) -> Response:
    points: list[SweepPoint] = []
    while True:
        part, total = await ports.sweeps.results(sweep.id, sweep.user_id, sort, descending, len(points), _BATCH)
        points += part
        if not part or len(points) >= total:
            break
    name = f"sweep-{sweep.id.hex[:8]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_csv(points), media_type="text/csv; charset=utf-8", headers=headers)


def as_csv(points: Sequence[SweepPoint]) -> str:
    """A row a point: its index, parameters, metrics and error; empty where there is no value."""
    parameters = sorted({name for point in points for name in point.parameters})
    metrics = sorted({name for point in points for name in point.metrics})
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["index", *parameters, *metrics, "error"])
    for point in points:
        values = [point.parameters.get(name) for name in parameters] + [point.metrics.get(name) for name in metrics]
        writer.writerow([point.index, *values, point.error])
    return text.getvalue()
