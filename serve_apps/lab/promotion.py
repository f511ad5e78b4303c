"""From draft to validated to deployable: what is wrong with an algorithm, and whether it passed its gates."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.backtest.sweep import Sweep, SweepPoint
from omc.errors import GateNotPassed, NotFound
from omc.promotion.contract import findings
from omc.promotion.gate import Gate
from omc.promotion.promotion import Evidence, Promotion, judge
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.registry import make
from serve_apps.envelope import Success
from serve_apps.identity import Bearer
from serve_apps.lab.algorithms import AlgorithmOut
from serve_apps.lab.ports import LabPorts
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Metric

# The newest backtests and sweeps that may speak for an algorithm.
_LOOKED_AT = 200


class Finding(BaseModel):
    """`line` is of the algorithm's code; null for one that ships with the platform."""

    rule: str
    line: int | None
    message: str


class Findings(BaseModel):
    valid: bool
    findings: list[Finding]


class PromotionIn(Body):
    """With a sweep, its best point's parameters become the algorithm's, if the gates let them pass."""

    sweep_id: UUID | None = None


class GateOut(BaseModel):
    """`figure` is null when there was nothing to measure, which never passes."""

    gate: str
    figure: Metric
    threshold: float
    passed: bool
    why: str

    @classmethod
    def of(cls, gate: Gate) -> Self:
        return cls(gate=gate.name, figure=gate.figure, threshold=gate.threshold, passed=gate.passed, why=gate.why)


class PromotionOut(BaseModel):
    algorithm: AlgorithmOut
    gates: list[GateOut]


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/algorithms/{algorithm_id}", tags=["promotion"])
    asker = Depends(bearer)

    @router.post("/validate")
    async def validate(user_id: Annotated[UUID, asker], algorithm_id: UUID) -> Success[Findings]:
        """Try the algorithm's contract out: what it promises about its parameters, its weights and its memory, and that
        it does not look ahead."""
        found = await _findings(await ports.algorithms.get(algorithm_id, user_id))
        listed = [Finding(rule="contract", line=None, message=each) for each in found]
        return Success(data=Findings(valid=not listed, findings=listed))

    @router.post("/promote")
    async def promote(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, body: PromotionIn | None = None
    ) -> Success[PromotionOut]:
        """One step up. Refused, it lists every gate with its figure and its threshold, and nothing has changed."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        sweep_id = body.sweep_id if body else None
        candidate, evidence = (
            (record, await _evidence(ports, record)) if sweep_id is None else await _best(ports, record, sweep_id)
        )
        promotion = judge(candidate, evidence, await _findings(candidate), ports.thresholds)
        gates = [GateOut.of(gate) for gate in promotion.gates]
        if not promotion.passed:
            raise Detailed(GateNotPassed(promotion.refusal), {"gates": [gate.model_dump() for gate in gates]})
        promoted = await uncut(_promote(ports, candidate, promotion))
        return Success(data=PromotionOut(algorithm=AlgorithmOut.of(promoted), gates=gates))

    return router


async def _findings(record: AlgorithmRecord) -> list[str]:
    return await asyncio.to_thread(findings, make(record.algorithm_type, record.parameters, record.code))


async def _promote(ports: LabPorts, candidate: AlgorithmRecord, promotion: Promotion) -> AlgorithmRecord:
    """Store what was judged, and then its status: an edit makes a draft of it."""
    stored = await ports.algorithms.update(candidate)
    return await ports.algorithms.set_status(stored.id, stored.user_id, promotion.target)


async def _best(ports: LabPorts, record: AlgorithmRecord, sweep_id: UUID) -> tuple[AlgorithmRecord, list[Evidence]]:
    """`record` with the parameters of a sweep's best point, and what that point showed."""
    sweep = await ports.sweeps.get(sweep_id, record.user_id)
    if sweep.algorithm_id != record.id:
        raise NotFound(f"the algorithm has no sweep {sweep_id}")
    if sweep.best is None:
        raise GateNotPassed(f"no point of the sweep has a figure for {sweep.objective}")
    best: dict[str, Any] = make(
        record.algorithm_type, {**sweep.spec.parameters, **sweep.best["parameters"]}
    ).get_params()
    changed = best != make(record.algorithm_type, record.parameters, record.code).get_params()
    status = AlgorithmStatus.DRAFT if changed else record.status
    parameters = best if changed else record.parameters
    return replace(record, parameters=parameters, status=status), _of_sweeps([sweep])


async def _evidence(ports: LabPorts, record: AlgorithmRecord) -> list[Evidence]:
    """Whatever tested `record`, newest first."""
    runs, _ = await ports.backtests.page(record.user_id, record.id, 0, _LOOKED_AT)
    sweeps, _ = await ports.sweeps.page(record.user_id, 0, _LOOKED_AT)
    tested = [(run.created_at, [Evidence.of_run(run)]) for run in runs]
    tested += [(each.created_at, list(_of_sweeps([each]))) for each in sweeps if each.algorithm_id == record.id]
    tested.sort(key=lambda pair: pair[0], reverse=True)
    return [each for _, found in tested for each in found if each is not None]


def _of_sweeps(sweeps: Sequence[Sweep]) -> list[Evidence]:
    """The best point of each sweep that has one."""
    found = [
        Evidence.of_point(sweep, SweepPoint(sweep.best["index"], sweep.best["parameters"], sweep.best["metrics"]))
        for sweep in sweeps
        if sweep.best is not None
    ]
    return [each for each in found if each is not None]
