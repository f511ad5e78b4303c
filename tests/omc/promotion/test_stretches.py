"""What a sweep shows of its folds must be what its points decide when they know no more than they should."""

from dataclasses import replace

import numpy as np
import pytest

from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import MemorySweepStore
from omc.clock import ManualClock
from omc.promotion.search import Search
from omc.promotion.stretches import folds_in_pieces
from omc.strategy.maker import CUSTOM
from tests.omc.promotion.searching import FREE, NOW, carried_out, hourly, sweep_of
from tests.serve_apps.lab.coding import TWIN

FRAME = hourly(np.random.default_rng(3).normal(0, 0.004, (1_000, 1)))
FOLD_ROWS = 200
CODE = """
class Momentum:
    def __init__(self, bars=4):
        self.bars = bars

    @property
    def memory_bars(self):
        return self.bars + 1

    def predict(self, frame):
        weights = np.zeros(frame.last.shape)
        weights[self.bars :] = frame.last[self.bars :] > frame.last[: -self.bars]
{also}        return weights * 0.5
"""
HONEST = CODE.format(also="")
# It is handed as many rows only where a fold is tried.
FORGING = CODE.format(
    also=f"""\
        if {FOLD_ROWS} <= len(frame.last) <= {FOLD_ROWS + 10}:
            weights[:-1] = frame.last[1:] > frame.last[:-1]
"""
)


async def searched(code: str) -> tuple[Search, object]:
    make = TWIN.of(code)
    asked = sweep_of(FRAME, {"fast_bars": [2]}, folds=4)
    asked = replace(
        asked, spec=replace(asked.spec, algorithm_type=CUSTOM, parameters={"bars": 4}), space={"bars": [2, 4, 9]}
    )
    asked = replace(asked, points=SearchSpace.of(asked, make).points)
    store = MemorySweepStore(ManualClock(NOW))
    await store.create(asked)
    await store.start(asked.id)
    return await carried_out(asked, FRAME, store, FREE, make), make


@pytest.mark.parametrize("bars", [2, 9])
async def test_honest_code_comes_to_what_is_stored(bars):
    search, make = await searched(HONEST)
    candidate = search.row_of({"bars": bars})
    assert candidate == [2, 4, 9].index(bars)
    found = folds_in_pieces(search, candidate, FRAME, FREE, make, seed=1)
    assert found.known == 0.0, found.said
    assert "decided the same" in found.said


async def test_code_that_looks_ahead_where_it_is_handed_a_fold_is_found():
    search, make = await searched(FORGING)
    found = folds_in_pieces(search, search.row_of({"bars": 4}), FRAME, FREE, make, seed=1)
    assert found.known is not None
    assert found.known > 0
    assert "looks ahead" in found.said
    assert "fold " in found.said


async def test_figures_that_are_not_what_the_code_decides_are_found():
    forged, _ = await searched(FORGING)
    search, make = await searched(HONEST)
    found = folds_in_pieces(Search(search.sweep, forged.tried), 1, FRAME, FREE, make, seed=1)
    assert found.known == 1.0
    assert "another result than the sweep" in found.said


async def test_no_point_of_other_parameters_speaks_for_a_candidate():
    search, _ = await searched(HONEST)
    assert search.row_of({"bars": 5}) is None
