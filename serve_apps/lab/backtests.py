"""Backtests: asked for at once, run away from the request, and read back whole."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from omc.backtest.run import BacktestRun, RunStatus
from omc.errors import Conflict
from serve_apps.envelope import Page, Paging, Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.report import page_of
from serve_apps.lab.spec import SpecIn, SpecOut, check_stored
from serve_apps.lab.worker import BacktestWorker
from serve_apps.page import DESCRIBED, html
from serve_apps.uncut import uncut
from serve_apps.wire import Metric, Money, Time


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
            trades=len(results["trades"]) if results else None,
            error_message=run.error_message,
            execution_time_s=run.execution_time_s,
            created_at=run.created_at,
            completed_at=run.completed_at,
            **SpecOut.figures(run.algorithm_id, run.algorithm_version, run.spec),
        )


class SimulatedTrade(BaseModel):
    """`total_aud` is the cash that moved, its fee included; `price_aud` the quote."""

    executed_at: Time
    coin: str
    side: Literal["buy", "sell"]
    quantity: Money
    price_aud: Money
    total_aud: Money
    fee_aud: Money

    @classmethod
    def of(cls, row: list[Any]) -> Self:
        at, coin, side, *amounts = row
        quantity, price, total, fee = (Decimal(amount) for amount in amounts)
        return cls(
            executed_at=datetime.fromisoformat(at),
            coin=coin,
            side=side,
            quantity=quantity,
            price_aud=price,
            total_aud=total,
            fee_aud=fee,
        )


class Curve(BaseModel):
    """At most about 2,000 points, evenly thinned, the first and the last among them."""

    times: list[Time]
    equity_aud: list[Money]


def routes(ports: LabPorts, worker: BacktestWorker, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["backtests"])
    asker = Depends(bearer)

    @router.post("/algorithms/{algorithm_id}/backtest", status_code=202)
    async def ask(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, body: SpecIn, response: Response
    ) -> Success[BacktestOut]:
        """Queue a backtest of the newest version. It runs whether or not anybody waits for it."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        spec = body.spec(record)
        await check_stored(ports.archive, spec)
        run = BacktestRun(
            id=uuid4(),
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
        stored = await uncut(ports.backtests.create(run))
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
        return Success(data=BacktestOut.of(await ports.backtests.get(backtest_id, user_id)))

    @router.delete("/backtests/{backtest_id}")
    async def delete(user_id: Annotated[UUID, asker], backtest_id: UUID) -> Success[None]:
        """With its results; one that is queued is not run."""
        await ports.backtests.delete(backtest_id, user_id)
        return Success(data=None, message="deleted")

    @router.get("/backtests/{backtest_id}/trades")
    async def trades(
        user_id: Annotated[UUID, asker], backtest_id: UUID, query: Annotated[Paging, Query()]
    ) -> Page[SimulatedTrade]:
        """In the order of their execution."""
        _, results = await _completed(user_id, backtest_id)
        rows = results["trades"]
        shown = rows[query.offset : query.offset + query.per_page]
        return Page.of([SimulatedTrade.of(row) for row in shown], len(rows), query)

    @router.get("/backtests/{backtest_id}/equity")
    async def equity(user_id: Annotated[UUID, asker], backtest_id: UUID) -> Success[Curve]:
        _, results = await _completed(user_id, backtest_id)
        curve = results["equity"]
        return Success(
            data=Curve(
                times=[datetime.fromisoformat(each) for each in curve["times"]],
                equity_aud=[Decimal(repr(each)) for each in curve["aud"]],
            )
        )

    @router.get("/backtests/{backtest_id}/report", response_model=None, responses=DESCRIBED)
    async def report(user_id: Annotated[UUID, asker], backtest_id: UUID) -> HTMLResponse:
        """A tear sheet to print: one page that loads nothing."""
        run, results = await _completed(user_id, backtest_id)
        return html(await asyncio.to_thread(page_of, run, results))

    async def _completed(user_id: UUID, backtest_id: UUID) -> tuple[BacktestRun, Mapping[str, Any]]:
        run = await ports.backtests.get(backtest_id, user_id)
        if run.status is not RunStatus.COMPLETED or run.results is None:
            raise Conflict(f"the backtest is {run.status}: only a completed one has results")
        return run, run.results

    return router
