"""How well a deployment did: its equity over time, what that amounts to, and whether it did what the backtest says."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.backtest import metrics
from omc.backtest.parity import differences
from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.feature.frame import FloatArray, Frame
from omc.market.money import from_grid
from omc.portfolio.equity import equity_curve
from omc.portfolio.pnl import lines, total
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill
from serve_apps.envelope import Success
from serve_apps.floor.books import time_of
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import fills_of
from serve_apps.floor.pnl import in_eight_places
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import PnLOut
from serve_apps.identity import Bearer
from serve_apps.window import window_of
from serve_apps.wire import Metric, Money, Time

_MOST_POINTS = 2_000


class Curve(BaseModel):
    """At most 2,000 points, evenly thinned, the first and the last among them; holdings at the bid."""

    times: list[Time]
    equity_aud: list[Money]


class Performance(PnLOut):
    """Of the whole life of a deployment. Ratios are annualized; null while there is too little to say."""

    deposited_aud: Money
    cash_aud: Money
    equity_aud: Money
    trades: int
    bars: int
    total_return: Metric
    volatility: Metric
    sharpe: Metric
    sortino: Metric
    max_drawdown: Metric


class Parity(BaseModel):
    """The floor's trades beside those that the kernel makes over the very same bars; no differences is parity."""

    start: Time | None
    end: Time | None
    backtest_trades: int
    floor_trades: int
    differences: list[str]


@dataclass(frozen=True, slots=True)
class Life:
    """The bars that a deployment has finished, from the first that it decided on, and its fills in them. `spec` is what
    a backtest of the same would be; None before there are two bars."""

    spec: BacktestSpec | None
    frame: Frame | None
    fills: tuple[Fill, ...]

    def equity(self) -> FloatArray:
        """(T,) AUD after each bar."""
        if self.spec is None or self.frame is None:
            return np.empty(0)
        window = self.frame.rows(self.frame.first_row(self.spec.start), len(self.frame))
        return equity_curve(window, self.spec.initial_cash_aud, self.fills)


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/algorithms/{deployment_id}", tags=["performance"])
    asker = Depends(bearer)

    @router.get("/equity")
    async def equity(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[Curve]:
        life = await life_of(ports, await ports.deployments.get(deployment_id, user_id))
        curve = life.equity()
        if life.spec is None or life.frame is None:
            return Success(data=Curve(times=[], equity_aud=[]))
        first = life.frame.first_row(life.spec.start)
        shown = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), _MOST_POINTS)).round().astype(int))
        return Success(
            data=Curve(
                times=[life.frame.time(first + int(row)) for row in shown],
                equity_aud=[from_grid(float(curve[row])) for row in shown],
            )
        )

    @router.get("/performance")
    async def performance(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[Performance]:
        deployment = await ports.deployments.get(deployment_id, user_id)
        life = await life_of(ports, deployment)
        account = await ports.blotter.account(deployment.id)
        marks = await marks_now(ports.hot, ports.archive, account.positions)
        fills = [(deployment.id, fill) for fill in await fills_of(ports.blotter, deployment)]
        earned = total(in_eight_places(lines(fills, marks)))
        curve = life.equity()
        gained = metrics.returns(curve)
        bars_per_year = metrics.YEAR_S / life.frame.bar_s if life.frame is not None else metrics.NAN
        return Success(
            data=Performance(
                deposited_aud=account.deposited_aud,
                cash_aud=account.cash_aud,
                equity_aud=account.deposited_aud + earned.net_aud,
                trades=earned.fills,
                bars=len(curve),
                total_return=metrics.total_return(curve),
                volatility=metrics.volatility(gained, bars_per_year),
                sharpe=metrics.sharpe(gained, bars_per_year),
                sortino=metrics.sortino(gained, bars_per_year),
                max_drawdown=metrics.max_drawdown(curve),
                **PnLOut.figures(earned),
            )
        )

    @router.get("/parity")
    async def parity(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[Parity]:
        """Run the kernel over the bars that the deployment has finished, and compare trade by trade."""
        life = await life_of(ports, await ports.deployments.get(deployment_id, user_id))
        if life.spec is None or life.frame is None:
            nothing = Parity(start=None, end=None, backtest_trades=0, floor_trades=len(life.fills), differences=[])
            return Success(data=nothing)
        done = await asyncio.to_thread(study, life.spec, life.frame, ports.terms)
        return Success(
            data=Parity(
                start=life.spec.start,
                end=life.spec.end,
                backtest_trades=len(done.fills),
                floor_trades=len(life.fills),
                differences=differences(done.fills, life.fills),
            )
        )

    return router


async def life_of(ports: FloorPorts, deployment: Deployment) -> Life:
    """What a deployment has lived through: fills of a bar that is not finished are not in it yet."""
    done_until = (await ports.blotter.recall(deployment.id)).done_until
    _, decisions = await ports.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 1)
    if done_until is None or not decisions:
        return Life(None, None, ())
    oldest, _ = await ports.blotter.journal(deployment.user_id, deployment.id, ["decision"], decisions - 1, 1)
    start = time_of(oldest[0].data["decided_at"])
    if start >= done_until:
        return Life(None, None, ())
    spec = BacktestSpec(
        algorithm_type=deployment.algorithm_type,
        parameters=deployment.parameters,
        coins=deployment.coins,
        start=start,
        end=done_until,
        initial_cash_aud=deployment.cash_aud,
        rebalance_band=deployment.rebalance_band,
    )
    fills = await fills_of(ports.blotter, deployment, done_until + timedelta(microseconds=1))
    return Life(spec, await window_of(ports.archive, spec), tuple(fills))
