"""From draft to validated to deployable: what is wrong with an algorithm, and whether it passed its gates."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.errors import Conflict, GateNotPassed, InvalidInput
from omc.promotion.gate import Gate
from omc.promotion.promotion import Case, Promotion, judge, next_status
from omc.promotion.trials import Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import Maker
from serve_apps.envelope import Success
from serve_apps.identity import Bearer
from serve_apps.lab.algorithms import AlgorithmOut
from serve_apps.lab.evidence import Cases
from serve_apps.lab.fitted import fitted_maker
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.validation import Finding, Findings, validated
from serve_apps.metering import metered
from serve_apps.once import Once, Operation
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Metric


class PromotionIn(Body):
    """With a sweep, its best point's parameters become the algorithm's, if the gates let them pass. With a model, code
    that learns is tried out with what it has learned; what is to become deployable is proven without."""

    sweep_id: UUID | None = None
    model_id: UUID | None = None


class ValidationIn(Body):
    """With a model, code that learns is tried out with what it has learned."""

    model_id: UUID | None = None


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


class TallyOut(BaseModel):
    """Every try of the algorithm, of all its versions; annualized Sharpe ratios across those that were measured."""

    tries: int
    measured: int
    mean_sharpe: Metric
    variance_sharpe: Metric

    @classmethod
    def of(cls, tally: Tally) -> Self:
        mean = tally.mean_sharpe if tally.measured else None
        return cls(tries=tally.tries, measured=tally.measured, mean_sharpe=mean, variance_sharpe=tally.variance_sharpe)


class PromotionOut(BaseModel):
    algorithm: AlgorithmOut
    gates: list[GateOut]
    tries: TallyOut


class NextStep(BaseModel):
    """What promoting would answer now. With a sweep, `parameters` are those of its best point."""

    target: Literal["validated", "deployable"]
    passed: bool
    parameters: dict[str, Any]
    gates: list[GateOut]
    tries: TallyOut


def routes(ports: LabPorts, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(prefix="/algorithms/{algorithm_id}", tags=["promotion"], route_class=once.route)
    asker = Depends(bearer)
    cases = Cases(ports)

    async def judged_by_now(record: AlgorithmRecord, body: PromotionIn) -> tuple[AlgorithmRecord, Promotion]:
        """What would be promoted, and what the gates say of it."""
        target = next_status(record)
        if body.sweep_id is not None and body.model_id is not None:
            raise InvalidInput("a sweep's best point has parameters of its own, and no model was fitted with them")
        if target is AlgorithmStatus.DEPLOYABLE and body.model_id is not None:
            raise InvalidInput(
                "a model proves nothing: it may have learned the very prices that it would be proven on. Ask for "
                "deployable without it"
            )

        async def case_by(maker: Maker) -> Case:
            return await cases.of(record, body.sweep_id, await fitted_maker(ports.models, maker, record, body.model_id))

        case = await metered(ports, record.user_id, lambda meter: case_by(meter.maker))
        return case.record, judge(case, ports.thresholds)

    @router.post("/validate")
    async def validate(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, query: Annotated[ValidationIn, Query()]
    ) -> Success[Findings]:
        """Read the code, where there is any, and try out what the algorithm promises: about its parameters, its weights
        and its memory, that it does not look ahead, and that it decides the same when it is told less at once. On
        stored prices, or on a made market where there are too few."""
        record = await ports.algorithms.get(algorithm_id, user_id)

        async def found_by(maker: Maker) -> list[Finding]:
            return await validated(cases, await fitted_maker(ports.models, maker, record, query.model_id), record)

        found = await metered(ports, user_id, lambda meter: found_by(meter.maker))
        return Success(data=Findings.of(found))

    @router.get("/promotion")
    async def promotion(
        user_id: Annotated[UUID, asker], algorithm_id: UUID, query: Annotated[PromotionIn, Query()]
    ) -> Success[NextStep]:
        """Every gate of the next step with its figure and its threshold; nothing changes."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        candidate, judged = await judged_by_now(record, query)
        shown = NextStep(
            target="validated" if judged.target is AlgorithmStatus.VALIDATED else "deployable",
            passed=judged.passed,
            parameters=dict(candidate.parameters),
            gates=[GateOut.of(gate) for gate in judged.gates],
            tries=TallyOut.of(judged.tally),
        )
        return Success(data=shown)

    @router.post("/promote")
    async def promote(
        user_id: Annotated[UUID, asker],
        algorithm_id: UUID,
        operation: Annotated[Operation, Depends(once.operation)],
        body: PromotionIn | None = None,
    ) -> Success[PromotionOut]:
        """One step up. Refused, it lists every gate with its figure and its threshold, and nothing has changed."""
        record = await ports.algorithms.get(algorithm_id, user_id)
        if operation.repeated and record.updated_at >= operation.began_at:
            # By whoever died before it answered, maybe: twice would be two steps.
            raise Conflict("the algorithm has changed since this was asked for first: look at its status")
        candidate, judged = await judged_by_now(record, body or PromotionIn())
        gates, tries = [GateOut.of(gate) for gate in judged.gates], TallyOut.of(judged.tally)
        if not judged.passed:
            details = {"gates": [gate.model_dump() for gate in gates], "tries": tries.model_dump()}
            raise Detailed(GateNotPassed(judged.refusal), details)
        promoted = await uncut(_promote(ports, record, candidate, judged))
        return Success(data=PromotionOut(algorithm=AlgorithmOut.of(promoted), gates=gates, tries=tries))

    return router


async def _promote(
    ports: LabPorts, seen: AlgorithmRecord, candidate: AlgorithmRecord, promotion: Promotion
) -> AlgorithmRecord:
    """Store what was judged, and then its status: an edit makes a draft of it. Judging takes minutes: Conflict when it
    was edited meanwhile, which is neither undone nor given a status that it was not judged for."""
    stored = await ports.algorithms.update(candidate, seen=seen)
    return await ports.algorithms.set_status(stored.id, stored.user_id, promotion.target, seen=stored)
