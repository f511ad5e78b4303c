"""Whether a deployment did what the backtest says of the same bars: trade by trade, on paper and for real money."""

import asyncio
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.backtest.pairing import Comparison, Leg, Pair
from omc.market.money import ZERO
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.compared import Comparisons
from serve_apps.floor.life import Life
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.wire import Metric, Money, Time

_MOST_SENTENCES = 1_000


class ParityOut(BaseModel):
    """The floor's trades beside those that the kernel makes over the very same bars; no differences is parity.

    `cost_aud` is what the floor paid more, or got less, than at the backtest's prices and fees, and `cost_bps` the same
    of what was traded: negative when it came off better. `differences` are the first 1,000 sentences."""

    start: Time | None = None
    end: Time | None = None
    backtest_trades: int = 0
    floor_trades: int = 0
    paired: int = 0
    different: int = 0
    only_backtest: int = 0
    only_floor: int = 0
    cost_aud: Money = ZERO
    cost_bps: Metric = None
    latest_s: Metric = None
    differences: list[str] = []

    @classmethod
    def of(cls, life: Life, told: Comparison) -> Self:
        return cls(
            start=life.spec.start,
            end=life.spec.end,
            backtest_trades=len(told.both) + told.only_kernel,
            floor_trades=len(told.both) + told.only_floor,
            paired=len(told.both),
            different=len(told.different),
            only_backtest=told.only_kernel,
            only_floor=told.only_floor,
            cost_aud=told.cost_aud,
            cost_bps=told.cost_bps,
            latest_s=told.latest_s,
            differences=told.differences()[:_MOST_SENTENCES],
        )


class LegOut(BaseModel):
    """One side's trade, all its fills together. `reason` is signal, or the exit that closed it: stop_loss, take_profit,
    trailing_stop, time_stop, end or liquidation. Of the floor's it may be forced_exit (its owner had it sold),
    emergency_stop, or synthetic (what a person accepted to bring our books to the venue's)."""

    quantity: Money
    price_aud: Money
    value_aud: Money
    fee_aud: Money
    executed_at: Time
    reason: str | None

    @classmethod
    def of(cls, leg: Leg | None) -> Self | None:
        if leg is None:
            return None
        return cls(
            quantity=leg.quantity,
            price_aud=leg.price_aud,
            value_aud=leg.value_aud,
            fee_aud=leg.fee_aud,
            executed_at=leg.executed_at,
            reason=leg.reason,
        )


class PairOut(BaseModel):
    """A trade of both sides, or of one alone. What is worse for its owner is positive."""

    bar: Time
    coin: str
    side: Literal["buy", "sell"]
    backtest: LegOut | None
    floor: LegOut | None
    later_s: Metric
    price_bps: Metric
    cost_aud: Money | None
    differences: list[str]

    @classmethod
    def of(cls, pair: Pair) -> Self:
        known = pair.kernel or pair.floor
        if known is None:
            raise ValueError("a pair of nothing")
        return cls(
            bar=known.at,
            coin=known.coin,
            side=known.side.value,
            backtest=LegOut.of(pair.kernel),
            floor=LegOut.of(pair.floor),
            later_s=pair.later_s,
            price_bps=pair.price_bps,
            cost_aud=pair.cost_aud,
            differences=pair.differences(),
        )


class PairsQuery(Paging):
    only: Literal["different"] | None = None


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/algorithms/{deployment_id}/parity", tags=["performance"])
    asker = Annotated[UUID, Depends(bearer)]
    comparisons = Comparisons(ports)

    @router.get("")
    async def parity(user_id: asker, deployment_id: UUID) -> Success[ParityOut]:
        """Run the kernel over the bars that the deployment has finished, and compare trade by trade."""
        compared = await _compared(user_id, deployment_id)
        return Success(data=await asyncio.to_thread(ParityOut.of, *compared) if compared else ParityOut())

    @router.get("/trades")
    async def trades(user_id: asker, deployment_id: UUID, query: Annotated[PairsQuery, Query()]) -> Page[PairOut]:
        """Each trade beside its twin, oldest first."""
        compared = await _compared(user_id, deployment_id)
        pairs = () if compared is None else await asyncio.to_thread(_of, compared[1], query.only)
        shown = pairs[query.offset : query.offset + query.per_page]
        return Page.of([PairOut.of(pair) for pair in shown], len(pairs), query)

    async def _compared(user_id: UUID, deployment_id: UUID) -> tuple[Life, Comparison] | None:
        return await comparisons.of(await ports.deployments.get(deployment_id, user_id))

    return router


def _of(told: Comparison, only: Literal["different"] | None) -> tuple[Pair, ...]:
    return told.pairs if only is None else told.different
