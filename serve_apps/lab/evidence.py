"""Gathers what the gates ask about: stored tests, the count of tries, and what is measured anew."""

import secrets
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from uuid import UUID

from omc.backtest.run import RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep
from omc.errors import Conflict, DeadlineExceeded, GateNotPassed, NotFound, Refused
from omc.feature.frame import Frame
from omc.promotion.contract import made_market
from omc.promotion.evidence import Evidence
from omc.promotion.measured import prove
from omc.promotion.promotion import Case
from omc.promotion.proof import HOW, Proof, unproven
from omc.promotion.search import Search
from omc.promotion.trials import Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import Make, Maker
from omc.strategy.parameter import same_parameters
from serve_apps.lab.places import Places
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.time_limit import TimeLimit, hurried
from serve_apps.lab.trial import Trial, Wanted, tried
from serve_apps.making import apart, whole, whole_parameters
from serve_apps.uncut import uncut
from serve_apps.window import window_of
from serve_apps.wire import LATEST

# The newest backtests and sweeps that may speak for an algorithm.
_LOOKED_AT = 200
# What trying people's code out may take, and proving it. One that learns trees takes minutes.
_TRIAL_S, _PROOF_S = 300.0, 900.0
_AT_ONCE = 2


class Cases:
    """What is known of an algorithm that asks for its next step. Few are measured at a time, and one of each user, away
    from the event loop: it takes seconds, or minutes, and the machine has sweeps to run."""

    def __init__(self, ports: LabPorts) -> None:
        self._ports = ports
        self._places = Places(_AT_ONCE)

    async def of(self, record: AlgorithmRecord, sweep_id: UUID | None, maker: Maker) -> Case:
        """The case of `record` or, with a sweep, of `record` with the parameters of its best point."""
        make, codes = maker.of(record.code), await _codes(self._ports, record)
        if sweep_id is None:
            candidate, evidence = await _whole(make, record), await _stored(self._ports, record, codes)
        else:
            sweep = await _own(self._ports, record, sweep_id, codes)
            candidate = await apart(_with_best, record, sweep, make)
            evidence = [Evidence.of_sweep(sweep, record.code)]
        found = await self.tried(candidate, maker)
        case = Case(
            record=candidate,
            contract=found.contract if found.late is None else (found.late,),
            look_ahead=found.look_ahead,
            evidence=[each for each in evidence if each is not None],
            tally=await self._ports.tries.tally(record.id),
            pieces=found.pieces,
        )
        if candidate.status is not AlgorithmStatus.VALIDATED:
            return case
        # A model may have learned the very window that it would be proven on: the code is proven without.
        return replace(case, proof=await uncut(self._proof(candidate, replace(maker, model=None), codes, case.tally)))

    async def tried(self, record: AlgorithmRecord, maker: Maker) -> Trial:
        """What trying it out shows. InvalidInput, or another Refused, for what cannot even be made."""
        return await uncut(self._tried(record, maker))

    async def _tried(self, record: AlgorithmRecord, maker: Maker) -> Trial:
        async with self._places.one(record.user_id):
            limit = TimeLimit(_TRIAL_S)
            make = hurried(maker, limit).of(record.code)
            anew = partial(make, record.algorithm_type, record.parameters)
            try:
                found = await tried(anew, partial(_prices_for, self._ports))
            except DeadlineExceeded:
                if not limit.ran_out:
                    raise
                return Trial(late=limit.said)
            # What was not answered in time looks like decisions that are others with less of the future.
            return Trial(late=limit.said) if limit.ran_out else found

    async def _proof(
        self, record: AlgorithmRecord, maker: Maker, codes: Mapping[int, str | None], tally: Tally
    ) -> Proof:
        found = await _newest_sweep(self._ports, record, codes)
        if not isinstance(found, Sweep):
            return unproven(f"{found}: {HOW}")
        async with self._places.one(record.user_id):
            make = hurried(maker, TimeLimit(_PROOF_S)).of(record.code)
            try:
                parameters = await whole_parameters(make, record.algorithm_type, record.parameters)
                spec = replace(found.spec, parameters=parameters)
                search = Search(found, await self._ports.sweeps.tried(found.id))
                needed_bars = await apart(lambda: SearchSpace.of(found, make).needed_bars)
                return await apart(
                    prove,
                    search,
                    spec,
                    await window_of(self._ports.archive, spec, make, needed_bars),
                    self._ports.terms,
                    tally,
                    confidence=self._ports.thresholds.deployable.track_record_confidence,
                    make=make,
                    seed=secrets.randbits(64),
                )
            except Refused as reason:
                return unproven(f"the window of sweep {found.id} cannot be simulated: {reason}")


async def _prices_for(ports: LabPorts, wanted: Wanted) -> Frame:
    """The newest stored prices, or a made market where there are too few to show all of it."""
    coins = tuple(await ports.archive.spans())[: len(wanted.made_coins)]
    stored = await ports.archive.tail(coins, LATEST, wanted.bars) if len(coins) >= wanted.fewest_coins else None
    enough = stored is not None and len(stored) == wanted.bars
    return stored if stored is not None and enough else made_market(wanted.bars, wanted.made_coins)


async def _codes(ports: LabPorts, record: AlgorithmRecord) -> Mapping[int, str | None]:
    """The code of each version. What ships with the platform has none."""
    if record.code is None:
        return {}
    return {each.version: each.code for each in await ports.algorithms.versions(record.id, record.user_id)}


async def _whole(make: Make, record: AlgorithmRecord) -> AlgorithmRecord:
    """`record` with all of its code's parameters: they are not known while code cannot be loaded."""
    if record.code is None:
        return record
    return replace(record, parameters=await whole_parameters(make, record.algorithm_type, record.parameters))


async def _newest_sweep(ports: LabPorts, record: AlgorithmRecord, codes: Mapping[int, str | None]) -> Sweep | str:
    """The newest of its sweeps that completed and searched the code that it has now; or why there is none."""
    offset, why = 0, "no sweep of it has completed"
    while True:
        sweeps, total = await ports.sweeps.page(record.user_id, offset, _LOOKED_AT)
        for sweep in sweeps:
            if sweep.algorithm_id == record.id and sweep.status is RunStatus.COMPLETED:
                if codes.get(sweep.algorithm_version) == record.code:
                    return sweep
                why = "no sweep of the code that it has now has completed, and one of other code proves nothing"
        offset += len(sweeps)
        if not sweeps or offset >= total:
            return why


async def _own(ports: LabPorts, record: AlgorithmRecord, sweep_id: UUID, codes: Mapping[int, str | None]) -> Sweep:
    sweep = await ports.sweeps.get(sweep_id, record.user_id)
    if sweep.algorithm_id != record.id:
        raise NotFound(f"the algorithm has no sweep {sweep_id}")
    if codes.get(sweep.algorithm_version) != record.code:
        searched, now = sweep.algorithm_version, record.version
        raise Conflict(
            f"sweep {sweep_id} searched the code of version {searched}, and version {now} has other code: sweep again, "
            f"or restore version {searched}"
        )
    return sweep


def _with_best(record: AlgorithmRecord, sweep: Sweep, make: Make) -> AlgorithmRecord:
    """`record` with the parameters of a sweep's best point: a draft, unless it has them already."""
    if sweep.best is None:
        raise GateNotPassed(f"no point of the sweep has a figure for {sweep.objective}")
    parameters = {**sweep.spec.parameters, **sweep.best["parameters"]}
    with closing(make(record.algorithm_type, parameters)) as algorithm:
        best = whole(algorithm)
        if same_parameters(best, algorithm.of(**record.parameters).get_params()):
            return record
    return replace(record, parameters=best, status=AlgorithmStatus.DRAFT)


async def _stored(ports: LabPorts, record: AlgorithmRecord, codes: Mapping[int, str | None]) -> list[Evidence | None]:
    """Whatever tested `record`, newest first, each with the code of the version that it tested."""
    runs, _ = await ports.backtests.page(record.user_id, record.id, 0, _LOOKED_AT)
    sweeps, _ = await ports.sweeps.page(record.user_id, 0, _LOOKED_AT)
    tested = [(run.created_at, Evidence.of_run(run, codes.get(run.algorithm_version))) for run in runs]
    tested += [
        (each.created_at, Evidence.of_sweep(each, codes.get(each.algorithm_version)))
        for each in sweeps
        if each.algorithm_id == record.id
    ]
    return [found for _, found in sorted(tested, key=lambda pair: pair[0], reverse=True)]
