"""What a sweep found, and how much of it is luck."""

import asyncio
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.backtest.sweep import Sweep
from omc.promotion.search import Search
from omc.promotion.sweep_verdict import Choice, SweepVerdict, verdict_of
from serve_apps.envelope import Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.wire import Metric

# Enough to tell how long a bar is.
_SOME_BARS = 500


class DeflatedOut(BaseModel):
    """`sharpe` is the best point's; `threshold` the best that as many tries of no skill would show; `probability` that
    of the true ratio being above it."""

    sharpe: Metric
    threshold: Metric
    probability: Metric


class ChoiceOut(BaseModel):
    """The point that was best before a fold, and what came of it there; annualized Sharpe ratios."""

    fold: int
    index: int
    parameters: dict[str, Any]
    in_sample_sharpe: Metric
    out_of_sample_sharpe: Metric

    @classmethod
    def of(cls, choice: Choice) -> Self:
        return cls(
            fold=choice.fold,
            index=choice.index,
            parameters=dict(choice.parameters),
            in_sample_sharpe=choice.in_sample,
            out_of_sample_sharpe=choice.out_of_sample,
        )


class VerdictOut(BaseModel):
    """`tries` counts everything that was ever tried of the algorithm; `pbo` is the probability of backtest overfitting,
    among the points that were tried to the end: of a pruned sweep, its survivors. `out_of_sample_sharpe` is that of
    trading, fold by fold, what was best before, and `degradation` how much of the ratio in sample is gone then. What
    cannot be said is null."""

    sweep_id: UUID
    tries: int
    deflated: DeflatedOut | None
    pbo: Metric
    out_of_sample_sharpe: Metric
    degradation: Metric
    choices: list[ChoiceOut]

    @classmethod
    def of(cls, sweep_id: UUID, found: SweepVerdict) -> Self:
        left = found.deflated
        return cls(
            sweep_id=sweep_id,
            tries=found.tries,
            deflated=DeflatedOut(sharpe=left.sharpe, threshold=left.threshold, probability=left.probability)
            if left
            else None,
            pbo=found.overfitting,
            out_of_sample_sharpe=found.out_of_sample_sharpe,
            degradation=found.degradation,
            choices=[ChoiceOut.of(each) for each in found.choices],
        )


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["sweeps"])

    @router.get("/sweeps/{sweep_id}/verdict")
    async def verdict(user_id: Annotated[UUID, Depends(bearer)], sweep_id: UUID) -> Success[VerdictOut]:
        """Of what was tried so far: out-of-sample Sharpe ratio, probability of overfitting, deflated Sharpe ratio."""
        _, found = await judged(ports, await ports.sweeps.get(sweep_id, user_id))
        return Success(data=VerdictOut.of(sweep_id, found))

    return router


async def judged(ports: LabPorts, sweep: Sweep) -> tuple[Search, SweepVerdict]:
    """What a sweep has tried so far, and the verdict on it."""
    tried = await ports.sweeps.tried(sweep.id)
    tally = await ports.tries.tally(sweep.algorithm_id)
    bars = await ports.archive.tail(sweep.spec.coins, sweep.spec.end, _SOME_BARS)
    search = Search(sweep, tried)
    return search, await asyncio.to_thread(verdict_of, search, tally, bars.bar_s)
