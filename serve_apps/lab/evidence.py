"""Gathers what the gates ask about: stored tests, the count of tries, and what is measured anew."""

import asyncio
from dataclasses import replace
from uuid import UUID

from omc.backtest.sweep import Sweep
from omc.errors import GateNotPassed, NotFound
from omc.promotion.contract import bars_for, findings, look_ahead, made_market
from omc.promotion.evidence import Evidence
from omc.promotion.promotion import Case
from omc.strategy.algorithm import Algorithm, AlgorithmRecord, AlgorithmStatus
from omc.strategy.registry import make
from serve_apps.lab.ports import LabPorts
from serve_apps.wire import LATEST

# The newest backtests and sweeps that may speak for an algorithm.
_LOOKED_AT = 200
_COINS_LOOKED_AT = 3


async def case_of(ports: LabPorts, record: AlgorithmRecord, sweep_id: UUID | None) -> Case:
    """The case of `record` or, with a sweep, of `record` with the parameters of its best point."""
    if sweep_id is None:
        candidate, evidence = record, await _stored(ports, record)
    else:
        sweep = await _own(ports, record, sweep_id)
        candidate, evidence = _with_best(record, sweep), [Evidence.of_sweep(sweep)]
    algorithm = make(candidate.algorithm_type, candidate.parameters, candidate.code)
    contract, ahead = await checked(ports, algorithm)
    return Case(
        candidate,
        tuple(contract),
        tuple(ahead),
        [each for each in evidence if each is not None],
        await ports.tries.tally(record.id),
    )


async def checked(ports: LabPorts, algorithm: Algorithm) -> tuple[list[str], list[str]]:
    """What breaks the contract, and what looks ahead; the second only of an algorithm that can be asked at all."""
    contract = await asyncio.to_thread(findings, algorithm)
    if contract:
        return contract, []
    bars = bars_for(algorithm)
    coins = sorted(each.coin for each in await ports.archive.coverage())[:_COINS_LOOKED_AT]
    stored = await ports.archive.tail(coins, LATEST, bars) if coins else None
    frame = stored if stored is not None and len(stored) == bars else made_market(bars)
    return contract, await asyncio.to_thread(look_ahead, algorithm, frame)


async def _own(ports: LabPorts, record: AlgorithmRecord, sweep_id: UUID) -> Sweep:
    sweep = await ports.sweeps.get(sweep_id, record.user_id)
    if sweep.algorithm_id != record.id:
        raise NotFound(f"the algorithm has no sweep {sweep_id}")
    return sweep


def _with_best(record: AlgorithmRecord, sweep: Sweep) -> AlgorithmRecord:
    """`record` with the parameters of a sweep's best point: a draft, unless it has them already."""
    if sweep.best is None:
        raise GateNotPassed(f"no point of the sweep has a figure for {sweep.objective}")
    parameters = {**sweep.spec.parameters, **sweep.best["parameters"]}
    best = make(record.algorithm_type, parameters).get_params()
    if best == make(record.algorithm_type, record.parameters, record.code).get_params():
        return record
    return replace(record, parameters=best, status=AlgorithmStatus.DRAFT)


async def _stored(ports: LabPorts, record: AlgorithmRecord) -> list[Evidence | None]:
    """Whatever tested `record`, newest first."""
    runs, _ = await ports.backtests.page(record.user_id, record.id, 0, _LOOKED_AT)
    sweeps, _ = await ports.sweeps.page(record.user_id, 0, _LOOKED_AT)
    tested = [(run.created_at, Evidence.of_run(run)) for run in runs]
    tested += [(each.created_at, Evidence.of_sweep(each)) for each in sweeps if each.algorithm_id == record.id]
    return [found for _, found in sorted(tested, key=lambda pair: pair[0], reverse=True)]
