"""Gathers what the gates ask about: stored tests, the count of tries, and what is measured anew."""

import asyncio
from contextlib import closing
from dataclasses import replace
from uuid import UUID

from omc.backtest import lookahead
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep
from omc.errors import GateNotPassed, NotFound, Refused
from omc.feature.frame import Frame
from omc.promotion.contract import bars_for, coins_for, findings, made_market
from omc.promotion.evidence import Evidence
from omc.promotion.measured import prove
from omc.promotion.promotion import Case
from omc.promotion.proof import HOW, Proof, unproven
from omc.promotion.search import Search
from omc.promotion.trials import Tally
from omc.strategy.algorithm import Algorithm, AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import Make
from serve_apps.lab.ports import LabPorts
from serve_apps.making import whole_parameters
from serve_apps.uncut import uncut
from serve_apps.window import window_of
from serve_apps.wire import LATEST

# The newest backtests and sweeps that may speak for an algorithm.
_LOOKED_AT = 200
_COINS_LOOKED_AT = 3
# Each has an algorithm decide everything three times over: one that learns takes most of a second for that.
_CUTS = 12


class Cases:
    """What is known of an algorithm that asks for its next step. One at a time is measured, away from the event loop:
    it takes seconds, and the machine has sweeps to run."""

    def __init__(self, ports: LabPorts) -> None:
        self._ports = ports
        self._room = asyncio.Semaphore(1)

    async def of(self, record: AlgorithmRecord, sweep_id: UUID | None) -> Case:
        """The case of `record` or, with a sweep, of `record` with the parameters of its best point."""
        if sweep_id is None:
            candidate, evidence = record, await _stored(self._ports, record)
        else:
            sweep = await _own(self._ports, record, sweep_id)
            make = self._ports.maker.of(record.code)
            candidate = await asyncio.to_thread(_with_best, record, sweep, make)
            evidence = [Evidence.of_sweep(sweep)]
        contract, ahead = await self.checked(candidate)
        tally = await self._ports.tries.tally(record.id)
        case = Case(candidate, tuple(contract), tuple(ahead), [each for each in evidence if each is not None], tally)
        if candidate.status is not AlgorithmStatus.VALIDATED:
            return case
        return replace(case, proof=await uncut(self._proof(candidate, tally)))

    async def checked(self, record: AlgorithmRecord) -> tuple[list[str], list[str]]:
        """What breaks the contract, and what looks ahead; the second only of an algorithm that can be asked at all."""
        make = self._ports.maker.of(record.code)
        async with self._room:
            algorithm = await asyncio.to_thread(make, record.algorithm_type, record.parameters)
            try:
                contract = await asyncio.to_thread(findings, algorithm)
                if contract:
                    return contract, []
                frame = await _prices_for(self._ports, algorithm)
                return contract, await asyncio.to_thread(lookahead.of_algorithm, algorithm, frame, cuts=_CUTS)
            finally:
                algorithm.close()

    async def _proof(self, record: AlgorithmRecord, tally: Tally) -> Proof:
        sweep = await _newest_sweep(self._ports, record)
        if sweep is None:
            return unproven(f"no sweep of it has completed: {HOW}")
        make = self._ports.maker.of(record.code)
        parameters = await whole_parameters(make, record.algorithm_type, record.parameters)
        spec = replace(sweep.spec, parameters=parameters)
        confidence = self._ports.thresholds.deployable.track_record_confidence
        async with self._room:
            search = Search(sweep, await self._ports.sweeps.tried(sweep.id))
            try:
                frame = await window_of(self._ports.archive, spec, make)
                return await asyncio.to_thread(
                    prove, search, spec, frame, self._ports.terms, tally, confidence=confidence, make=make
                )
            except Refused as reason:
                return unproven(f"the window of sweep {sweep.id} cannot be simulated: {reason}")


async def _prices_for(ports: LabPorts, algorithm: Algorithm) -> Frame:
    """The newest stored prices, or a made market where there are too few to show all of it."""
    bars = bars_for(algorithm)
    known = list(await ports.archive.spans())[:_COINS_LOOKED_AT]
    coins = coins_for(algorithm, tuple(known))
    stored = await ports.archive.tail(coins, LATEST, bars) if len(coins) >= algorithm.fewest_coins else None
    return stored if stored is not None and len(stored) == bars else made_market(bars, coins_for(algorithm))


async def _newest_sweep(ports: LabPorts, record: AlgorithmRecord) -> Sweep | None:
    """The newest of its sweeps that completed."""
    offset = 0
    while True:
        sweeps, total = await ports.sweeps.page(record.user_id, offset, _LOOKED_AT)
        for sweep in sweeps:
            if sweep.algorithm_id == record.id and sweep.status is RunStatus.COMPLETED:
                return sweep
        offset += len(sweeps)
        if not sweeps or offset >= total:
            return None


async def _own(ports: LabPorts, record: AlgorithmRecord, sweep_id: UUID) -> Sweep:
    sweep = await ports.sweeps.get(sweep_id, record.user_id)
    if sweep.algorithm_id != record.id:
        raise NotFound(f"the algorithm has no sweep {sweep_id}")
    return sweep


def _with_best(record: AlgorithmRecord, sweep: Sweep, make: Make) -> AlgorithmRecord:
    """`record` with the parameters of a sweep's best point: a draft, unless it has them already."""
    if sweep.best is None:
        raise GateNotPassed(f"no point of the sweep has a figure for {sweep.objective}")
    parameters = {**sweep.spec.parameters, **sweep.best["parameters"]}
    with closing(make(record.algorithm_type, parameters)) as algorithm:
        best = algorithm.get_params()
        if best == algorithm.of(**record.parameters).get_params():
            return record
    return replace(record, parameters=best, status=AlgorithmStatus.DRAFT)


async def _stored(ports: LabPorts, record: AlgorithmRecord) -> list[Evidence | None]:
    """Whatever tested `record`, newest first."""
    runs, _ = await ports.backtests.page(record.user_id, record.id, 0, _LOOKED_AT)
    sweeps, _ = await ports.sweeps.page(record.user_id, 0, _LOOKED_AT)
    tested = [(run.created_at, Evidence.of_run(run)) for run in runs]
    tested += [(each.created_at, Evidence.of_sweep(each)) for each in sweeps if each.algorithm_id == record.id]
    return [found for _, found in sorted(tested, key=lambda pair: pair[0], reverse=True)]
