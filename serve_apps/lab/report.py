"""Tear sheets: of a backtest, its history and its figures on one page; of a sweep, everything that it tried."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from omc.backtest.curves import History
from omc.backtest.deflated import Deflated
from omc.backtest.run import BacktestRun
from omc.backtest.tearsheet.backtest import Past, tearsheet
from omc.backtest.tearsheet.costs import costs_of
from omc.backtest.tearsheet.equity import BENCHMARK, Curve
from omc.backtest.tearsheet.figures import dollars, figure_of, name_of, parameters_of, readable
from omc.backtest.tearsheet.trades import resampled
from omc.errors import NotFound
from omc.feature.frame import Frame, bar_s
from omc.promotion.trials import Tally
from serve_apps.identity import Bearer
from serve_apps.lab import sweep_page
from serve_apps.lab.backtests import completed
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.verdict import judged
from serve_apps.page import DESCRIBED, html

_MINUTE = "%Y-%m-%d %H:%M"
_HEADLINE = ("total_return", "sharpe", "max_drawdown", "trades", "fees_aud")


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["reports"])

    @router.get("/backtests/{backtest_id}/report", response_class=HTMLResponse, responses=DESCRIBED)
    async def report(user_id: Annotated[UUID, Depends(bearer)], backtest_id: UUID) -> HTMLResponse:
        """A tear sheet: one page that loads nothing, to look at and to keep."""
        run = await completed(ports, user_id, backtest_id)
        history = History(await ports.curves.curves(run.id), await ports.curves.trades(run.id))
        prices, tally = await _prices(ports, run), await ports.tries.tally(run.algorithm_id)
        return html(await asyncio.to_thread(page_of, run, history, prices, tally))

    @router.get("/sweeps/{sweep_id}/report", response_class=HTMLResponse, responses=DESCRIBED)
    async def sweep_report(user_id: Annotated[UUID, Depends(bearer)], sweep_id: UUID) -> HTMLResponse:
        """A tear sheet of what was tried so far: one page that loads nothing, to look at and to keep."""
        search, verdict = await judged(ports, await ports.sweeps.get(sweep_id, user_id))
        return html(await asyncio.to_thread(sweep_page.page_of, search, verdict))

    return router


async def _prices(ports: LabPorts, run: BacktestRun) -> Frame | None:
    """What it traded on, as far as that is still stored."""
    try:
        return await ports.archive.read(run.spec.coins, run.spec.start, run.spec.end)
    except NotFound:
        return None


def page_of(run: BacktestRun, history: History, prices: Frame | None, tally: Tally) -> str:
    """The whole page."""
    spec, curves, results = run.spec, history.curves, run.results or {}
    metrics = results.get("metrics", {})
    left = Deflated.of(metrics, bar_s(curves.times), tally)
    past = Past(
        curves={
            "backtest": Curve(curves.times, curves.equity_aud),
            BENCHMARK: Curve(curves.times, curves.benchmark_aud),
        },
        trades=[each.fill for each in history.trades],
        reasons=[each.reason for each in history.trades],
        prices=resampled(prices) if prices is not None else {},
        bar_s=bar_s(curves.times),
        costs_aud=costs_of(metrics),
        intervals=_intervals(results.get("monte_carlo")),
        headline={
            **{name_of(name): figure_of(name, metrics.get(name)) for name in _HEADLINE},
            BENCHMARK.capitalize(): f"{curves.benchmark_aud[-1] / curves.benchmark_aud[0] - 1:.2%}",
        },
        metrics=readable(metrics),
        facts={
            "Parameters": parameters_of(spec.parameters),
            "Cash to begin with": dollars(spec.initial_cash_aud),
            "Rebalance band": f"{spec.rebalance_band:.2%}",
            "Slippage": f"{spec.slippage_bps:g} bps",
            "Latency": f"{spec.latency_bars} bars",
            "Computed in": "–" if run.execution_time_s is None else f"{run.execution_time_s:.2f} s",
        },
        deflated=left,
    )
    about = (
        f"{spec.algorithm_type}, version {run.algorithm_version}, on {', '.join(spec.coins)} "
        f"from {spec.start:{_MINUTE}} to {spec.end:{_MINUTE}} UTC"
    )
    return tearsheet(f"Backtest {run.id}", past, about=about)


def _intervals(drawn: Mapping[str, Any] | None) -> list[tuple[str, str, str, str]]:
    """What the same trades could have come to, in words."""
    if drawn is None:
        return []
    told = {
        "final_return": "Return, of as many trades drawn from these",
        "max_drawdown": "Deepest fall, of as many trades drawn from these",
        "shuffled_drawdown": "Deepest fall, of these trades in another order",
    }
    rows = []
    for name, words in told.items():
        low, median, high = (f"{drawn[name][end]:.2%}" for end in ("low", "median", "high"))
        rows.append((words, low, median, high))
    return [*rows, ("Probability of a loss", "", f"{drawn['probability_of_loss']:.1%}", "")]
