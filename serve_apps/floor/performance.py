"""How well a deployment did: its equity over time, and what that amounts to."""

from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.backtest import metrics
from omc.market.money import from_grid
from serve_apps.envelope import Success
from serve_apps.floor.life import life_of
from serve_apps.floor.pnl import earned_by
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import PnLOut
from serve_apps.identity import Bearer
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


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/algorithms/{deployment_id}", tags=["performance"])
    asker = Depends(bearer)

    @router.get("/equity")
    async def equity(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[Curve]:
        """Its equity over time, thinned."""
        life = await life_of(ports, await ports.deployments.get(deployment_id, user_id))
        if life is None:
            return Success(data=Curve(times=[], equity_aud=[]))
        curve, window = life.equity(), life.window
        shown = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), _MOST_POINTS)).round().astype(int))
        return Success(
            data=Curve(
                times=[window.time(int(row)) for row in shown],
                equity_aud=[from_grid(float(curve[row])) for row in shown],
            )
        )

    @router.get("/performance")
    async def performance(user_id: Annotated[UUID, asker], deployment_id: UUID) -> Success[Performance]:
        """What it has earned, and how well."""
        deployment = await ports.deployments.get(deployment_id, user_id)
        life = await life_of(ports, deployment)
        account = await ports.blotter.account(deployment.id)
        earned = await earned_by(ports, deployment)
        curve = life.equity() if life else np.empty(0)
        gained = metrics.returns(curve)
        bars_per_year = metrics.YEAR_S / life.window.bar_s if life else metrics.NAN
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

    return router
