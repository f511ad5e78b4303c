"""Sweeps: a search over parameters, asked for at once and carried out elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from omc.access.quota import Quota
from omc.backtest.folds import fewest_bars
from omc.backtest.metrics import METRICS
from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import Conflict, InvalidInput, NotFound, OmcError, Unavailable
from omc.feature.frame import FloatArray
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.files import FILES, as_csv, as_file
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.quotas import counted
from serve_apps.lab.spec import check_stored
from serve_apps.lab.sweep_schemas import PointOut, ResultQuery, SweepIn, SweepOut
from serve_apps.making import apart
from serve_apps.metering import check_cpu, metered
from serve_apps.once import Once, Operation
from serve_apps.uncut import uncut

_BATCH = 2_000


def routes(ports: LabPorts, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["sweeps"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.post("/algorithms/{algorithm_id}/sweeps", status_code=202)
    async def ask(
        user_id: Annotated[UUID, asker],
        algorithm_id: UUID,
        body: SweepIn,
        response: Response,
        operation: Annotated[Operation, keyed],
    ) -> Success[SweepOut]:
        """Queue a sweep of the newest version. It runs whether or not anybody waits for it."""
        if operation.repeated and (begun := await _begun(ports, operation.id, user_id)) is not None:
            return Success(data=SweepOut.of(begun))
        record = await ports.algorithms.get(algorithm_id, user_id)
        spec = await metered(ports, user_id, lambda meter: body.spec(record, meter.maker))
        await check_stored(ports.archive, spec, fewest_bars(body.folds, body.purge_bars, body.embargo_bars))
        asked = Sweep(
            id=operation.id,
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
        space = await metered(ports, user_id, lambda meter: apart(SearchSpace.of, asked, meter.maker.of(record.code)))
        points = space.points
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
        """How far it is, and what it searches."""
        return Success(data=SweepOut.of(await ports.sweeps.get(sweep_id, user_id)))

    @router.post("/sweeps/{sweep_id}/cancel")
    async def cancel(
        user_id: Annotated[UUID, asker], sweep_id: UUID, _: Annotated[Operation, keyed]
    ) -> Success[SweepOut]:
        """Stop it; points tried so far stay. Cancelling again changes nothing."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        if sweep.status.over and sweep.status is not RunStatus.CANCELLED:
            raise Conflict(f"the sweep is {sweep.status} already")
        return Success(data=SweepOut.of(await uncut(_cancel(ports, sweep))))

    @router.post("/sweeps/{sweep_id}/resume", status_code=202)
    async def resume(
        user_id: Annotated[UUID, asker], sweep_id: UUID, _: Annotated[Operation, keyed]
    ) -> Success[SweepOut]:
        """Go on with one that failed or was interrupted: points tried so far stay, and the rest comes to the same
        results as if nothing had happened. One that is under way is left alone."""
        sweep = await ports.sweeps.get(sweep_id, user_id)
        return Success(data=SweepOut.of(await uncut(_resume(ports, sweep))))

    @router.get("/sweeps/{sweep_id}/results", response_model=Page[PointOut], responses=FILES)
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


async def _begun(ports: LabPorts, sweep_id: UUID, user_id: UUID) -> Sweep | None:
    """One that was stored before, and may not have been started."""
    try:
        sweep = await ports.sweeps.get(sweep_id, user_id)
    except NotFound:
        return None
    if sweep.status is RunStatus.FAILED:
        return await uncut(_resume(ports, sweep))
    if not sweep.status.over:
        await ports.runner.submit(sweep.id)
    return sweep


async def _begin(ports: LabPorts, sweep: Sweep) -> Sweep:
    most = ports.allowance.sweeps
    with counted(Quota.SWEEPS, most):
        stored = await ports.sweeps.create(sweep, most)
    try:
        await ports.runner.submit(stored.id)
    except OmcError as fault:
        await ports.sweeps.finish(stored.id, RunStatus.FAILED, f"it could not be started: {fault}")
        raise Unavailable(f"the sweep could not be started: {fault}") from fault
    return stored


async def _resume(ports: LabPorts, sweep: Sweep) -> Sweep:
    if sweep.status is RunStatus.FAILED:
        await check_cpu(ports, sweep.user_id)
    most = ports.allowance.sweeps
    with counted(Quota.SWEEPS, most):
        reopened = await ports.sweeps.reopen(sweep.id, most=most)
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
    """A row a point: its index, parameters, metrics, scores by fold and error; empty where there is no value. Points
    are read, and written, some at a time, away from the event loop."""
    name = f"sweep-{sweep.id.hex[:8]}"
    if kind == "parquet":
        parts = [part async for part in _parts(ports, sweep, indices)]
        return await as_file(ports, await asyncio.to_thread(_joined, parts or [_columns(sweep, [])]), name, kind)

    async def lines() -> AsyncIterator[str]:
        yield as_csv(_columns(sweep, []))
        async for part in _parts(ports, sweep, indices):
            yield _body(await asyncio.to_thread(as_csv, part))

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


async def _parts(ports: LabPorts, sweep: Sweep, indices: Sequence[int]) -> AsyncIterator[dict[str, Any]]:
    for start in range(0, len(indices), _BATCH):
        points = await ports.sweeps.results(sweep.id, indices[start : start + _BATCH])
        yield await asyncio.to_thread(_columns, sweep, points)


def _columns(sweep: Sweep, points: Sequence[SweepPoint]) -> dict[str, Any]:
    columns: dict[str, Any] = {"index": np.array([point.index for point in points], np.int64)}
    columns |= {
        name: [point.parameters.get(name) for point in points] for name in {**sweep.spec.parameters, **sweep.space}
    }
    columns |= {name: _numbers(point.metrics.get(name) for point in points) for name in METRICS}
    for fold in range(sweep.folds):
        columns[f"fold_{fold + 1}"] = _numbers(
            point.fold_scores[fold] if fold < len(point.fold_scores) else None for point in points
        )
    if sweep.prune:
        columns["pruned_after"] = [point.pruned_after for point in points]
    return columns | {"error": [point.error for point in points]}


def _numbers(values: Iterable[float | None]) -> FloatArray:
    """NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        name: np.concatenate([part[name] for part in parts])
        if isinstance(first, np.ndarray)
        else [value for part in parts for value in part[name]]
        for name, first in parts[0].items()
    }


def _body(text: str) -> str:
    """Without the row of names."""
    return text.split("\r\n", 1)[1]
