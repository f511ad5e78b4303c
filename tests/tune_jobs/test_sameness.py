"""The same seed comes to the same results to the bit: whatever the workers, the batches and what died meanwhile."""

import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.backtest.tried import SweepPoint, Tried
from omc.clock import ManualClock
from tests.tune_jobs.test_sweep import START, TERMS, market, sweep
from tune_jobs.sweep import run

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]

ROWS = 2_000
SPACE = {
    "fast_bars": {"low": 2, "high": 20, "log": True},
    "slow_bars": {"low": 15, "high": 120, "log": True},
    "entry_threshold": {"low": 0.0, "high": 0.002},
}


class MortalStore(MemorySweepStore):
    """Breaks after so many batches, as a driver that is killed does: what is stored is stored."""

    def __init__(self, batches: int | None = None) -> None:
        super().__init__(ManualClock(START))
        self.left = batches

    async def add(self, sweep_id: UUID, tried: Tried) -> Sweep:
        if self.left is not None:
            if not self.left:
                raise RuntimeError("killed")
            self.left -= 1
        return await MemorySweepStore.add(self, sweep_id, tried)


def asked(method: str, **change: object) -> Sweep:
    return replace(sweep(SPACE, ROWS, method=method, points=45), folds=3, **change)


async def swept(wanted: Sweep, cpus: float, largest: int | None, store: MemorySweepStore | None = None):
    store = store or MortalStore()
    if wanted.id not in store.kept:
        await store.create(wanted)
    with tempfile.TemporaryDirectory() as scratch:
        ended = await run(
            wanted, market(ROWS), store, TERMS, scratch=Path(scratch), cpus_per_batch=cpus, largest_batch=largest
        )
    assert ended.status is RunStatus.COMPLETED, ended.error_message
    return ended, store.points[wanted.id]


def told(ended: Sweep) -> tuple[object, ...]:
    return ended.done, ended.failed, ended.pruned, ended.best


@pytest.mark.parametrize(
    "wanted",
    [asked("random"), asked("random", prune=True), asked("optuna", prune=True, scheme="rolling", purge_bars=5)],
    ids=["random", "pruned", "optuna"],
)
async def test_workers_and_batches_do_not_matter_and_a_killed_sweep_goes_on(wanted: Sweep):
    alone, points = await swept(wanted, cpus=4.0, largest=None)
    several, same = await swept(replace(wanted, id=uuid4()), cpus=1.3, largest=4)
    assert same == points
    assert told(several) == told(alone)
    assert alone.done == 45
    assert all(isinstance(point, SweepPoint) and point.blocks for point in points.values())
    if wanted.prune:
        assert alone.pruned > 20
        assert len(alone.best["fold_scores"]) == 3

    killed, store = replace(wanted, id=uuid4()), MortalStore(batches=3)
    await store.create(killed)
    with tempfile.TemporaryDirectory() as scratch, pytest.raises(RuntimeError, match="killed"):
        await run(killed, market(ROWS), store, TERMS, scratch=Path(scratch), largest_batch=6)
    assert store.kept[killed.id].status is RunStatus.FAILED
    assert 0 < len(store.points[killed.id]) < 45
    store.left = None
    await store.reopen(killed.id)
    resumed, same = await swept(store.kept[killed.id], 1.0, 5, store)
    assert same == points
    assert told(resumed) == told(alone)
