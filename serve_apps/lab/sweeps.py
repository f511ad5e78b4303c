"""Sweeps: a search over parameters, asked for at once and carried out elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Discriminator, Field, Tag

from omc.backtest.folds import MOST_FOLDS, fewest_bars
from omc.backtest.metrics import METRICS
from omc.backtest.run import RunStatus
from omc.backtest.search_space import MOST_POINTS, SearchSpace
from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import Conflict, InvalidInput, OmcError, Unavailable
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.files import as_csv, as_file
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
    """`grid` tries every combination of lists of values; `random` draws `points` from lists or ranges; `optuna` asks
    for `points` where earlier ones did well. With `folds` every point is tried on one part of the window after the
    other, none of which it was chosen by; with `prune` two thirds of the points are given up after each fold."""

    space: Annotated[dict[ParameterName, Searched], Field(min_length=1, max_length=20)]
    method: Literal["grid", "random", "optuna"] = "grid"
    points: Annotated[Whole, Field(ge=1, le=MOST_POINTS)] | None = Field(
        None, description="For random and optuna: how many."
    )
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = 7
    objective: _METRIC_NAMES = "sharpe"  # type: ignore[valid-type]
    folds: Annotated[Whole, Field(ge=0, le=MOST_FOLDS)] = Field(0, description="0 for none, or at least 2.")
    scheme: Literal["anchored", "rolling"] = Field(
        "anchored", description="Whether a fold trains on all parts before it, or on the one just before."
    )
    purge_bars: Annotated[Whole, Field(ge=0, le=100_000)] = Field(0, description="Left out at the end of each part.")
    embargo_bars: Annotated[Whole, Field(ge=0, le=100_000)] = Field(
        0, description="Left out at the start of each part."
    )
    prune: Annotated[bool, Field(strict=True)] = Field(False, description="Needs folds.")

    def plain_space(self) -> dict[str, Any]:
        """As it is stored: a list of values or a range by parameter."""
        return {
            name: values.model_dump() if isinstance(values, Range) else list(values)
            for name, values in self.space.items()
        }


class PointOut(BaseModel):
    """One tried point; `error` says why it has no metrics. With folds, `fold_scores` are the objective by fold, and
    `pruned_after` is the number of folds after which it was given up."""

    index: int
    parameters: dict[str, Any]
    metrics: dict[str, Metric]
    error: str | None
    traceback: str | None
    fold_scores: list[Metric]
    pruned_after: int | None

    @classmethod
    def of(cls, point: SweepPoint) -> Self:
        return cls(
            index=point.index,
            parameters=dict(point.parameters),
            metrics=dict(point.metrics),
            error=point.error,
            traceback=point.traceback,
            fold_scores=list(point.fold_scores),
            pruned_after=point.pruned_after,
        )


class SweepOut(SpecOut):
    """`done` counts the points that are over: tried on all folds, `failed` among them, or `pruned`. `best` is the best
    so far."""

    id: UUID
    space: dict[str, Any]
    method: Literal["grid", "random", "optuna"]
    points: int
    seed: int
    objective: str
    folds: int
    scheme: Literal["anchored", "rolling"]
    purge_bars: int
    embargo_bars: int
    prune: bool
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    done: int
    failed: int
    pruned: int
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
            method=sweep.method,
            points=sweep.points,
            seed=sweep.seed,
            objective=sweep.objective,
            folds=sweep.folds,
            scheme=sweep.scheme,
            purge_bars=sweep.purge_bars,
            embargo_bars=sweep.embargo_bars,
            prune=sweep.prune,
            status=sweep.status.value,
            progress=1.0 if sweep.status is RunStatus.COMPLETED else min(1.0, sweep.done / max(1, sweep.points)),
            done=sweep.done,
            failed=sweep.failed,
            pruned=sweep.pruned,
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
    format: Literal["json", "csv", "parquet"] = "json"


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
        await check_stored(ports.archive, spec, fewest_bars(body.folds, body.purge_bars, body.embargo_bars))
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
            folds=body.folds,
            scheme=body.scheme,
            purge_bars=body.purge_bars,
            embargo_bars=body.embargo_bars,
            prune=body.prune,
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

    @router.post("/sweeps/{sweep_id}/resume", status_code=202)
    async def resume(user_id: Annotated[UUID, asker], sweep_id: UUID) -> Success[SweepOut]:
        """Go on with one that failed or was interrupted: points tried so far stay, and the rest comes to the same
        results as if nothing had happened. One that is under way is left alone."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        return Success(data=SweepOut.of(await uncut(_resume(ports, sweep))))

    @router.get("/sweeps/{sweep_id}/results", response_model=Page[PointOut])
    async def results(
        user_id: Annotated[UUID, asker], sweep_id: UUID, query: Annotated[ResultQuery, Query()]
    ) -> Page[PointOut] | Response:
        """Points in their order; with `format=csv` or `parquet` all of them at once."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        sort = query.sort or sweep.objective
        descending = query.order == "desc" if query.order else sort != "index"
        if query.format != "json":
            indices, _ = await ports.sweeps.ranking(sweep_id, user_id, sort, descending)
            return await _file(ports, sweep, indices, query.format)
        indices, total = await ports.sweeps.ranking(sweep_id, user_id, sort, descending, query.offset, query.per_page)
        points = await ports.sweeps.results(sweep_id, indices)
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


async def _resume(ports: LabPorts, sweep: Sweep) -> Sweep:
    reopened = await ports.sweeps.reopen(sweep.id)
    try:
        await ports.runner.submit(sweep.id)
    except OmcError as fault:
        await ports.sweeps.finish(sweep.id, RunStatus.FAILED, f"it could not be resumed: {fault}")
        raise Unavailable(f"the sweep could not be resumed: {fault}") from fault
    return reopened


async def _cancel(ports: LabPorts, sweep: Sweep) -> Sweep:
    # The row first: a runner that starts, or restarts, sees that the sweep is over.
    cancelled = await ports.sweeps.finish(sweep.id, RunStatus.CANCELLED)
    await ports.runner.cancel(sweep.id)
    return cancelled


async def _file(ports: LabPorts, sweep: Sweep, indices: Sequence[int], kind: Literal["csv", "parquet"]) -> Response:
    """A row a point: its index, parameters, metrics, scores by fold and error; empty where there is no value."""
    name = f"sweep-{sweep.id.hex[:8]}"
    if kind == "parquet":
        return await as_file(
            ports, _columns(sweep, [point async for point in _points(ports, sweep, indices)]), name, kind
        )

    async def lines() -> AsyncIterator[str]:
        some: list[SweepPoint] = []
        yield as_csv(_columns(sweep, some))
        async for point in _points(ports, sweep, indices):
            some.append(point)
            if len(some) == _BATCH:
                yield _body(as_csv(_columns(sweep, some)))
                some.clear()
        yield _body(as_csv(_columns(sweep, some)))

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


async def _points(ports: LabPorts, sweep: Sweep, indices: Sequence[int]) -> AsyncIterator[SweepPoint]:
    for start in range(0, len(indices), _BATCH):
        for point in await ports.sweeps.results(sweep.id, indices[start : start + _BATCH]):
            yield point


def _columns(sweep: Sweep, points: Sequence[SweepPoint]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"index": [point.index for point in points]}
    columns |= {
        name: [point.parameters.get(name) for point in points] for name in {**sweep.spec.parameters, **sweep.space}
    }
    columns |= {name: [point.metrics.get(name) for point in points] for name in METRICS}
    for fold in range(sweep.folds):
        scores = [point.fold_scores[fold] if fold < len(point.fold_scores) else None for point in points]
        columns[f"fold_{fold + 1}"] = scores
    if sweep.prune:
        columns["pruned_after"] = [point.pruned_after for point in points]
    return columns | {"error": [point.error for point in points]}


def _body(text: str) -> str:
    """Without the row of names."""
    return text.split("\r\n", 1)[1]
