"""Sweeps: every point is kept once, ranked, and counted."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from omc.adapters.postgres.database import Database
from omc.adapters.postgres.trial_decoder import TrialDecoder
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep, SweepStore
from omc.backtest.tried import SweepPoint, Tried
from omc.errors import Conflict, InvalidInput, NotFound
from omc.strategy.algorithm import AlgorithmRecord
from tests.omc.adapters.postgres.house import NOON, House, a_sweep, algorithm, in_postgres


@pytest.fixture
def sweeps(house: House) -> SweepStore:
    return house.sweeps


def ranged(record: AlgorithmRecord, **changes: Any) -> Sweep:
    """A sweep of a list and of a range that is not stored yet."""
    space = {"fast_bars": [6, 12], "stop_loss": {"low": 0.01, "high": 0.1, "log": True, "integer": False}}
    return a_sweep(record, space=space, points=4, seed=2**40, **changes)


@pytest.fixture
async def sweep(house: House, sweeps: SweepStore) -> Sweep:
    user_id = await house.user()
    record = await house.algorithms.create(algorithm(user_id))
    wanted = ranged(record)
    assert await sweeps.create(wanted) == wanted
    return wanted


def point(index: int, sharpe: float | None, **more: float | None) -> SweepPoint:
    return SweepPoint(index, {"fast_bars": index}, {"sharpe": sharpe, **more})


async def test_a_sweep_is_its_owners(sweeps: SweepStore, sweep: Sweep):
    assert await sweeps.get(sweep.id) == sweep
    assert await sweeps.get(sweep.id, sweep.user_id) == sweep
    assert await sweeps.page(sweep.user_id, 0, 9) == ([sweep], 1)
    with pytest.raises(NotFound):
        await sweeps.get(sweep.id, uuid4())
    with pytest.raises(NotFound):
        await sweeps.ranking(sweep.id, uuid4(), "index", False)


async def test_points_are_counted_and_the_best_is_known(sweeps: SweepStore, sweep: Sweep):
    await sweeps.add(sweep.id, Tried.of([point(0, None), point(1, 0.1 + 0.2)]))
    (stored,) = await sweeps.tried(sweep.id)
    assert stored.indices.tolist() == [0, 1]
    more = await sweeps.add(sweep.id, Tried.of([point(2, 0.1 + 0.2), point(3, -1e-9)]))
    assert more.done == 4
    assert more.best == {"index": 1, "parameters": {"fast_bars": 1}, "metrics": {"sharpe": 0.1 + 0.2}}


async def test_a_point_stored_again_replaces_itself(sweeps: SweepStore, sweep: Sweep):
    await sweeps.add(sweep.id, Tried.of([point(0, 9.0), point(1, 1.0)]))
    changed = await sweeps.add(sweep.id, Tried.of([point(0, 0.5)]))
    assert (changed.done, changed.best["index"]) == (2, 1)
    assert (await sweeps.add(sweep.id, Tried.of([]))).done == 2


async def test_no_point_with_the_objective_means_no_best(sweeps: SweepStore, sweep: Sweep):
    failed = SweepPoint(0, {}, {"sharpe": None}, error="too short a history", traceback="line 1\nline 2")
    assert (await sweeps.add(sweep.id, Tried.of([failed]))).best is None
    assert await sweeps.results(sweep.id, [0, 7]) == [failed]
    assert (await sweeps.get(sweep.id)).failed == 1


async def test_results_are_ranked_with_the_unmeasured_last(sweeps: SweepStore, sweep: Sweep):
    await sweeps.add(sweep.id, Tried.of([point(0, 1.0), point(1, None), point(2, 10.0), point(3, 1.0), point(4, 9.0)]))

    async def ranked(sort: str, descending: bool, offset: int = 0, limit: int = 9) -> list[int]:
        indices, total = await sweeps.ranking(sweep.id, sweep.user_id, sort, descending, offset, limit)
        assert total == 5
        assert [each.index for each in await sweeps.results(sweep.id, indices)] == indices
        return indices

    assert await ranked("sharpe", True) == [2, 4, 0, 3, 1]
    assert await ranked("sharpe", False) == [0, 3, 4, 2, 1]
    assert await ranked("sharpe", True, 1, 2) == [4, 0]
    assert await ranked("index", True) == [4, 3, 2, 1, 0]
    assert await ranked("unheard_of", True) == [0, 1, 2, 3, 4]


async def test_batches_that_arrive_together_are_all_counted(sweeps: SweepStore, sweep: Sweep):
    await asyncio.gather(
        *(sweeps.add(sweep.id, Tried.of([point(3 * n + i, float(n)) for i in range(3)])) for n in range(6))
    )
    stored = await sweeps.get(sweep.id)
    assert stored.done == 18
    assert stored.best["index"] == 15


async def test_a_sweep_that_is_over_stays_over(sweeps: SweepStore, sweep: Sweep):
    started = await sweeps.start(sweep.id)
    assert started.status is RunStatus.RUNNING
    assert (await sweeps.start(sweep.id)).started_at == started.started_at
    ended = await sweeps.finish(sweep.id, RunStatus.CANCELLED, "by hand")
    assert await sweeps.finish(sweep.id, RunStatus.COMPLETED) == ended
    assert (ended.status, ended.error_message) == (RunStatus.CANCELLED, "by hand")
    with pytest.raises(Conflict, match="cancelled"):
        await sweeps.start(sweep.id)


async def test_a_sweep_is_created_once(sweeps: SweepStore, sweep: Sweep):
    with pytest.raises(Conflict):
        await sweeps.create(sweep)


@pytest.mark.postgres
async def test_a_sweep_needs_an_algorithm_and_finite_figures(database: Database):
    house = in_postgres(database)
    wanted = ranged(await house.algorithms.create(algorithm(await house.user())))
    with pytest.raises(NotFound):
        await house.sweeps.create(replace(wanted, algorithm_id=uuid4()))
    await house.sweeps.create(wanted)
    with pytest.raises(InvalidInput):
        Tried.of([point(0, 1.0), point(1, float("nan"))])
    endless = replace(Tried.of([point(0, 1.0)]), figures=np.array([[np.inf]]))
    with pytest.raises(InvalidInput):
        await house.sweeps.add(wanted.id, endless)
    assert await house.sweeps.tried(wanted.id) == []


@pytest.mark.postgres
async def test_points_are_read_away_from_the_event_loop(database: Database, monkeypatch: pytest.MonkeyPatch):
    house, places = in_postgres(database), set()

    def seen(name: str) -> Any:
        real = getattr(TrialDecoder, name)

        def traced(self: TrialDecoder, *given: Any) -> Any:
            places.add((name, threading.current_thread() is threading.main_thread()))
            return real(self, *given)

        return traced

    stored = await house.sweeps.create(ranged(await house.algorithms.create(algorithm(await house.user()))))
    await house.sweeps.add(stored.id, Tried.of([point(n, float(n)) for n in range(9)]))
    for name in ("feed", "tried", "points"):
        monkeypatch.setattr(TrialDecoder, name, seen(name))
    assert [len(part) for part in await house.sweeps.tried(stored.id)] == [9]
    assert len(await house.sweeps.results(stored.id, [3, 4])) == 2
    assert places == {("feed", False), ("tried", False), ("points", False)}


def folded(index: int, *scores: float | None, pruned_after: int | None = None) -> SweepPoint:
    """A point of a sweep with folds, and a block for each."""
    blocks = np.arange(3.0 * len(scores)).tobytes()
    mean = None if None in scores else sum(scores) / len(scores)
    return SweepPoint(index, {"fast_bars": index}, {"sharpe": mean}, None, blocks, scores, pruned_after)


async def test_points_are_ranked_by_folds_first_and_pruned_ones_are_over(
    house: House, sweeps: SweepStore, sweep: Sweep
):
    sweep = await sweeps.create(replace(sweep, id=uuid4(), folds=2, scheme="rolling", purge_bars=3, prune=True))
    assert (await sweeps.get(sweep.id)) == sweep
    first = await sweeps.add(sweep.id, Tried.of([folded(0, 5.0), folded(1, 1.0), folded(2, None), folded(3, 2.0)]))
    assert (first.done, first.pruned, first.best["index"], first.best["fold_scores"]) == (0, 0, 0, [5.0])
    assert (await sweeps.prune(sweep.id, [0, 2], 1)).done == 2
    assert (await sweeps.prune(sweep.id, [0, 2], 1)).pruned == 2
    last = await sweeps.add(sweep.id, Tried.of([folded(1, 1.0, 2.0), folded(3, 2.0, 0.0)]))
    assert (last.done, last.pruned, last.failed, last.best["index"]) == (4, 2, 0, 1)
    indices, _ = await sweeps.ranking(sweep.id, sweep.user_id, "sharpe", True)
    assert indices == [1, 3, 0, 2]
    expected = [
        folded(1, 1.0, 2.0),
        folded(3, 2.0, 0.0),
        folded(0, 5.0, pruned_after=1),
        folded(2, None, pruned_after=1),
    ]
    assert await sweeps.results(sweep.id, indices) == expected
    shallow, deep = await sweeps.tried(sweep.id)
    assert (shallow.indices.tolist(), deep.indices.tolist()) == ([0, 2], [1, 3])
    np.testing.assert_array_equal(deep.fold_scores, [[1.0, 2.0], [2.0, 0.0]])
    assert deep.blocks.shape == (2, 2, 3)
    assert (await house.tries.tally(sweep.algorithm_id)).tries == 4


async def test_a_sweep_that_failed_goes_on_and_one_that_is_over_for_good_does_not(sweeps: SweepStore, sweep: Sweep):
    await sweeps.start(sweep.id)
    assert (await sweeps.reopen(sweep.id)).status is RunStatus.RUNNING
    assert sweep.id in await sweeps.unfinished()
    await sweeps.add(sweep.id, Tried.of([point(0, 1.0)]))
    await sweeps.finish(sweep.id, RunStatus.FAILED, "its driver died")
    assert sweep.id not in await sweeps.unfinished()
    again = await sweeps.reopen(sweep.id)
    assert (again.status, again.error_message, again.completed_at, again.done) == (RunStatus.QUEUED, None, None, 1)
    await sweeps.finish(sweep.id, RunStatus.CANCELLED)
    with pytest.raises(Conflict, match="cancelled"):
        await sweeps.reopen(sweep.id)


async def test_a_queued_sweep_is_claimed_once_and_fails_with_its_driver(fresh_house: House):
    sweeps, ours = fresh_house.sweeps, []
    for number in range(2):
        record = await fresh_house.algorithms.create(algorithm(await fresh_house.user()))
        ours.append(await sweeps.create(ranged(record, created_at=NOON + timedelta(seconds=number))))
    taken = await asyncio.gather(*(sweeps.claim(f"driver {number}", ours[1].id) for number in range(3)))
    assert [each.id for each in taken if each is not None] == [ours[1].id]
    assert (await sweeps.claim("another")).id == ours[0].id
    assert await sweeps.claim("another") is None
    await sweeps.abandon("another", "its driver died")
    first, second = [await sweeps.get(each.id) for each in ours]
    assert (first.status, first.error_message, second.status) == (
        RunStatus.FAILED,
        "its driver died",
        RunStatus.RUNNING,
    )
    assert (await sweeps.reopen(second.id)).status is RunStatus.RUNNING
    assert (await sweeps.reopen(second.id, interrupted=True)).status is RunStatus.QUEUED
    assert (await sweeps.claim("third")).id == second.id
