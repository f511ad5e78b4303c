"""How a deployment's trader is doing: its pulse, how far it lags, how quick it is."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.errors import OmcError
from omc.trading.deployment import Deployment
from omc.trading.floor import TraderState
from serve_apps.envelope import Success
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import DeploymentOut, Latency
from serve_apps.identity import Bearer
from serve_apps.patience import newest_board, soon
from serve_apps.wire import Metric, Time

# A year of decisions is a hundred thousand; the newest say how quick it is.
_LOOKED_AT = 10_000


class TraderOut(BaseModel):
    """`state` is starting, running, failed (it tries again), halted (it paused its deployment) or stopped."""

    name: str
    state: str
    restarts: int
    last_error: str | None


class Counts(BaseModel):
    executions: int
    decisions: int
    intents: int
    denied: int
    trades: int


class StatusOut(BaseModel):
    """`heartbeat_age_s` is in our time. `lag_s` is in the market's: from the last bar that was finished to the newest
    quotes. `account_closed` says why nothing is bought on its account."""

    deployment: DeploymentOut
    halted: bool
    account_closed: str | None
    trader: TraderOut | None
    heartbeat_at: Time | None
    heartbeat_age_s: Metric
    finished_bar: Time | None
    newest_quotes: Time | None
    lag_s: Metric
    last_error: str | None
    counts: Counts
    decision_to_order_ms: Latency


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["deployments"])

    @router.get("/algorithms/{deployment_id}/status")
    async def status(user_id: Annotated[UUID, Depends(bearer)], deployment_id: UUID) -> Success[StatusOut]:
        """Whatever is known, though the trader, the collector or the supervisor should be away."""
        deployment = await ports.deployments.get(deployment_id, user_id)
        trader, board = await asyncio.gather(_trader(ports, deployment), newest_board(ports.hot))
        memory = await ports.blotter.recall(deployment.id)
        known = await ports.venue_book.known(deployment.account)
        return Success(
            data=StatusOut(
                deployment=DeploymentOut.of(deployment),
                halted=await ports.flag.halted(user_id, deployment.id) is not None,
                account_closed=known.compared.closed if known and known.compared else None,
                trader=TraderOut(
                    name=trader.name, state=trader.state, restarts=trader.restarts, last_error=trader.last_error
                )
                if trader
                else None,
                heartbeat_at=deployment.heartbeat_at,
                heartbeat_age_s=_seconds(deployment.heartbeat_at, ports.clock.now()),
                finished_bar=memory.done_until,
                newest_quotes=board.time if board else None,
                lag_s=_seconds(memory.done_until, board.time) if board else None,
                last_error=deployment.last_error or (trader.last_error if trader else None),
                counts=await counts_of(ports, deployment),
                decision_to_order_ms=await latency(ports, deployment),
            )
        )

    return router


async def latency(ports: FloorPorts, deployment: Deployment) -> Latency:
    """Of the orders that its trader timed on its newest bars."""
    entries, _ = await ports.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, _LOOKED_AT)
    sample = [float(ms) for entry in entries for ms in entry.data.get("order_ms", ())]
    if not sample:
        return Latency(orders=0, p50=None, p99=None)
    p50, p99 = np.percentile(sample, [50, 99], method="inverted_cdf")
    return Latency(orders=len(sample), p50=round(float(p50), 3), p99=round(float(p99), 3))


async def counts_of(ports: FloorPorts, deployment: Deployment) -> Counts:
    owner, blotter = deployment.user_id, ports.blotter
    return Counts(
        executions=deployment.execution_count,
        decisions=(await blotter.journal(owner, deployment.id, ["decision"], 0, 1))[1],
        intents=(await blotter.orders(owner, deployment.id, 0, 1))[1],
        denied=(await blotter.journal(owner, deployment.id, ["denied"], 0, 1))[1],
        trades=(await blotter.trades(owner, deployment.id, 0, 1))[1],
    )


async def _trader(ports: FloorPorts, deployment: Deployment) -> TraderState | None:
    try:
        traders = await soon(ports.supervision.traders(), "the supervisor")
    except OmcError:
        return None
    return next((each for each in traders if each.deployment_id == deployment.id), None)


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max(0.0, round((now - since).total_seconds(), 3))
