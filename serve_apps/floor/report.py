"""A deployment's page: what the floor did beside what the backtest says of the same bars."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from omc.backtest import metrics
from omc.backtest.pairing import Comparison
from omc.backtest.record import history
from omc.backtest.study import Study
from omc.backtest.tearsheet.backtest import Past, tearsheet
from omc.backtest.tearsheet.costs import costs_of
from omc.backtest.tearsheet.equity import BENCHMARK, Curve
from omc.backtest.tearsheet.figures import dollars, parameters_of, readable
from omc.backtest.tearsheet.page import Verdict
from omc.backtest.tearsheet.trades import resampled
from omc.portfolio.pnl import ProfitAndLoss
from omc.trading.deployment import Deployment, Mode
from serve_apps.floor.compared import comparison
from serve_apps.floor.life import Life, backtest_of, life_of
from serve_apps.floor.pnl import earned_by
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.reconciliation import ReconciliationOut, compared
from serve_apps.floor.schemas import Latency
from serve_apps.floor.status import Counts, counts_of, latency
from serve_apps.identity import Bearer
from serve_apps.page import DESCRIBED, html

_MINUTE = "%Y-%m-%d %H:%M"


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["performance"])

    @router.get("/algorithms/{deployment_id}/report", response_class=HTMLResponse, responses=DESCRIBED)
    async def report(user_id: Annotated[UUID, Depends(bearer)], deployment_id: UUID) -> HTMLResponse:
        """The floor and its backtest on one page to print, which loads nothing."""
        deployment = await ports.deployments.get(deployment_id, user_id)
        life = await life_of(ports, deployment)
        facts = _facts(
            deployment,
            await earned_by(ports, deployment),
            await counts_of(ports, deployment),
            await latency(ports, deployment),
        )
        books = await compared(ports, deployment)
        lived = None
        if life is not None:
            done = await backtest_of(ports, deployment, life)
            lived = life, done, await comparison(ports, deployment, life, done)
        return html(await asyncio.to_thread(_page, deployment, lived, books, facts))

    return router


def _page(
    deployment: Deployment,
    lived: tuple[Life, Study, Comparison] | None,
    books: ReconciliationOut,
    facts: dict[str, str],
) -> str:
    title = f"{deployment.name}: the floor and its backtest"
    about = f"{deployment.algorithm_type} on {', '.join(deployment.coins)}, {deployment.mode} at {deployment.venue}"
    if lived is None:
        return tearsheet(title, Past(facts=facts), about=about)
    life, done, told = lived
    equity, window = life.equity(), life.window
    kept = history(done)
    past = Past(
        curves={
            "floor": Curve(window.times, equity),
            "backtest": Curve(kept.curves.times, kept.curves.equity_aud),
            BENCHMARK: Curve(kept.curves.times, kept.curves.benchmark_aud),
        },
        trades=life.fills,
        prices=resampled(window),
        bar_s=window.bar_s,
        costs_aud=costs_of(done.metrics),
        headline={
            "Return": f"{metrics.total_return(equity):.2%}",
            "Largest drawdown": f"{metrics.max_drawdown(equity):.2%}",
            "Trades": f"{len(life.fills):,}",
            BENCHMARK.capitalize(): f"{metrics.total_return(kept.curves.benchmark_aud):.2%}",
        },
        metrics=readable(done.metrics),
        facts=facts,
    )
    about = f"{about}, {len(window):,} bars from {life.spec.start:{_MINUTE}} to {life.spec.end:{_MINUTE}} UTC"
    return tearsheet(title, past, about=about, verdict=_verdict(deployment, told, books))


def _verdict(deployment: Deployment, told: Comparison, books: ReconciliationOut) -> Verdict:
    """Parity of the trades, and our books against the venue's: that these could not be compared speaks against it. An
    exchange has other prices than its quotes, so there a trade at another price is told by what it cost."""
    wrong = [*books.differences, *([books.error] if books.error else [])]
    trades, different = len(told.both), told.differences()
    whole = not told.only_kernel and not told.only_floor
    if deployment.mode is Mode.LIVE and whole and different and not wrong:
        return Verdict(
            True,
            f"The floor made the {trades:,} trades that the backtest says, {told.latest_s or 0.0:.1f} s later at most, "
            f"and for {dollars(told.cost_aud)} more than at the backtest's prices and fees "
            f"({told.cost_bps or 0.0:+.1f} bps of what was traded); our books are the exchange's.",
            tuple(different),
        )
    if different or wrong:
        cost = f" Of the {trades:,} trades of both, the floor's cost {dollars(told.cost_aud)} more."
        return Verdict(
            False,
            f"The floor and the backtest, or our books and the exchange's, differ.{cost if trades else ''}",
            (*different, *wrong),
        )
    return Verdict(
        True,
        f"The floor made the {trades:,} trades that the backtest says, to the eighth decimal and the cent, "
        "and our books are the exchange's.",
    )


def _facts(deployment: Deployment, earned: ProfitAndLoss, counts: Counts, speed: Latency) -> dict[str, str]:
    limits = deployment.limits
    return {
        "Equity": dollars(deployment.cash_aud + earned.net_aud),
        "Realized P&L": dollars(earned.realized_aud),
        "Unrealized P&L": dollars(earned.unrealized_aud),
        "Fees": dollars(earned.fees_aud),
        "Intents, denied, fills": f"{counts.intents:,}, {counts.denied:,}, {counts.trades:,}",
        "From decision to order": "–" if speed.p50 is None else f"{speed.p50} ms (p50), {speed.p99} ms (p99)",
        "Largest order allowed": dollars(limits.order_notional_aud),
        "Largest position allowed": dollars(limits.position_notional_aud),
        "Largest loss of a day allowed": dollars(limits.daily_loss_aud),
        "Parameters": parameters_of(deployment.parameters),
        "Rebalance band": f"{deployment.rebalance_band:.2%}",
        "Status": deployment.status.value,
    }
