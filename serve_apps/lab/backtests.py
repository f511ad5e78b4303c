"""Backtests: asked for at once, run away from the request, and read back, thinned or whole."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from omc.access.quota import Quota
from omc.backtest.curves import Curves, Execution, thinned, trade_columns
from omc.backtest.run import BacktestRun, RunStatus
from omc.errors import Conflict, NotFound
from omc.feature.frame import as_datetime
from omc.market.money import from_grid
from serve_apps.asking import triggers_for
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.files import FILES, as_file
from serve_apps.lab.fitted import with_model
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.quotas import counted
from serve_apps.lab.spec import BacktestIn, SpecOut, check_stored
from serve_apps.lab.worker import BacktestWorker
from serve_apps.metering import metered
from serve_apps.once import Once, Operation
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Metric, Money, Time


class BacktestOut(SpecOut):
    """`metrics` is null until the run is completed."""

    id: UUID
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    metrics: dict[str, Metric] | None
    trades: int | None
    error_message: str | None
    execution_time_s: Metric
    created_at: Time
    completed_at: Time | None

    @classmethod
    def of(cls, run: BacktestRun) -> Self:
        results = run.results
        return cls(
            id=run.id,
            status=run.status.value,
            progress=run.progress,
            metrics=dict(results["metrics"]) if results else None,
            trades=results["trades"] if results else None,
            error_message=run.error_message,
            execution_time_s=run.execution_time_s,
            created_at=run.created_at,
            completed_at=run.completed_at,
            **SpecOut.figures(run.algorithm_id, run.algorithm_version, run.spec),
        )


class SimulatedTrade(BaseModel):
    """`total_aud` is the cash that moved, its fee included; `price_aud` what a coin cost before it. `reason` is signal,
    stop_loss, take_profit, trailing_stop, time_stop or end."""

    executed_at: Time
    coin: str
    side: Literal["buy", "sell"]
    quantity: Money
    price_aud: Money
    total_aud: Money
    fee_aud: Money
    reason: str

    @classmethod
    def of(cls, execution: Execution) -> Self:
        fill = execution.fill
        return cls(
            executed_at=fill.executed_at,
            coin=fill.coin,
            side=fill.side.value,
            quantity=fill.quantity,
            price_aud=fill.price_aud,
            total_aud=fill.total_aud,
            fee_aud=fill.fee_aud,
            reason=execution.reason,
        )


class Curve(BaseModel):
    """Thinned to `points`: the first and the last bar, and of each stretch between the lowest and the highest equity.
    `benchmark_aud` is what buying the same coins and holding them would have been worth; `rows` is how many bars the
    whole curve has."""

    times: list[Time]
    equity_aud: list[Money]
    cash_aud: list[Money]
    benchmark_aud: list[Money]
    rows: int

    @classmethod
    def of(cls, whole: Curves, points: int) -> Self:
        shown = whole.rows(thinned(whole.equity_aud, points))
        return cls(
            times=[as_datetime(time) for time in shown.times],
            equity_aud=[from_grid(value) for value in shown.equity_aud],
            cash_aud=[from_grid(value) for value in shown.cash_aud],
            benchmark_aud=[from_grid(value) for value in shown.benchmark_aud],
            rows=len(whole),
        )


class CurveQuery(Body):
    """With `format=csv` or `parquet`, every bar in one file."""

    points: int = Field(2_000, ge=4, le=20_000)
    format: Literal["json", "csv", "parquet"] = "json"


class TradeQuery(Paging):
    """With `format=csv` or `parquet`, every trade in one file."""

    format: Literal["json", "csv", "parquet"] = "json"


def routes(ports: LabPorts, worker: BacktestWorker, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["backtests"], route_class=once.route)
    asker = Depends(bearer)

    @router.post("/algorithms/{algorithm_id}/backtest", status_code=202)
    async def ask(
        user_id: Annotated[UUID, asker],
        algorithm_id: UUID,
        body: BacktestIn,
        response: Response,
        operation: Annotated[Operation, Depends(once.operation)],
    ) -> Success[BacktestOut]:
        """Queue a backtest of the newest version. It runs whether or not anybody waits for it."""
        if operation.repeated:
            with suppress(NotFound):
                return Success(data=BacktestOut.of(await ports.backtests.get(operation.id, user_id)))
        record = await ports.algorithms.get(algorithm_id, user_id)
        spec = await metered(ports, user_id, lambda meter: body.spec(record, meter.maker))
        spec = replace(spec, triggers=triggers_for(body.triggers, body.coins))
        if body.model_id is not None:
            spec = await with_model(ports.models, record, spec, body.model_id)
        await check_stored(ports.archive, spec)
        run = BacktestRun(
            id=operation.id,
            user_id=user_id,
            algorithm_id=record.id,
            algorithm_version=record.version,
            spec=spec,
            status=RunStatus.QUEUED,
            progress=0.0,
            results=None,
            error_message=None,
            execution_time_s=None,
            created_at=ports.clock.now(),
            completed_at=None,
        )
        most = ports.allowance.backtests
        with counted(Quota.BACKTESTS, most):
            stored = await uncut(ports.backtests.create(run, most))
        worker.wake()
        response.headers["Location"] = f"/api/v1/lab/backtests/{stored.id}"
        return Success(data=BacktestOut.of(stored))

    @router.get("/algorithms/{algorithm_id}/backtests")
    async def backtests(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[BacktestOut]:
        """Newest first."""
        await ports.algorithms.get(algorithm_id, user_id)
        runs, total = await ports.backtests.page(user_id, algorithm_id, query.offset, query.per_page)
        return Page.of([BacktestOut.of(run) for run in runs], total, query)

    @router.get("/backtests/{backtest_id}")
    async def backtest(user_id: Annotated[UUID, asker], backtest_id: UUID) -> Success[BacktestOut]:
        """How far it is, and its metrics once it is completed."""
        return Success(data=BacktestOut.of(await ports.backtests.get(backtest_id, user_id)))

    @router.delete("/backtests/{backtest_id}")
    async def delete(user_id: Annotated[UUID, asker], backtest_id: UUID) -> Success[None]:
        """With its results; one that is queued is not run."""
        await ports.backtests.delete(backtest_id, user_id)
        return Success(data=None, message="deleted")

    @router.get("/backtests/{backtest_id}/trades", response_model=Page[SimulatedTrade], responses=FILES)
    async def trades(
        user_id: Annotated[UUID, asker], backtest_id: UUID, query: Annotated[TradeQuery, Query()]
    ) -> Page[SimulatedTrade] | Response:
        """In the order of their execution."""
        run = await completed(ports, user_id, backtest_id)
        made = await ports.curves.trades(run.id)
        if query.format != "json":
            columns = await asyncio.to_thread(trade_columns, made)
            return await as_file(ports, columns, f"trades-{run.id.hex[:8]}", query.format)
        shown = made[query.offset : query.offset + query.per_page]
        return Page.of([SimulatedTrade.of(each) for each in shown], len(made), query)

    @router.get("/backtests/{backtest_id}/equity", response_model=Success[Curve], responses=FILES)
    async def equity(
        user_id: Annotated[UUID, asker], backtest_id: UUID, query: Annotated[CurveQuery, Query()]
    ) -> Response:
        """What everything was worth, the cash in it, and the benchmark."""
        run = await completed(ports, user_id, backtest_id)
        whole = await ports.curves.curves(run.id)
        if query.format != "json":
            return await as_file(ports, whole.columns(), f"equity-{run.id.hex[:8]}", query.format)
        # Twenty thousand points take a moment to put down in decimals: others are answered meanwhile.
        return Response(await asyncio.to_thread(_drawn, whole, query.points), media_type="application/json")

    return router


async def completed(ports: LabPorts, user_id: UUID, backtest_id: UUID) -> BacktestRun:
    """Conflict while it has no results."""
    run = await ports.backtests.get(backtest_id, user_id)
    if run.status is not RunStatus.COMPLETED or run.results is None:
        raise Conflict(f"the backtest is {run.status}: only a completed one has results")
    return run


def _drawn(whole: Curves, points: int) -> str:
    return Success(data=Curve.of(whole, points)).model_dump_json()
