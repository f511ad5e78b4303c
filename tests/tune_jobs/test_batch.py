"""A desk tries points on the whole window or fold by fold, and a point that raises fails alone."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from omc.backtest.ground import Ground
from omc.backtest.metrics import METRICS
from omc.backtest.search_space import SearchSpace
from omc.errors import DeadlineExceeded, SandboxRefused
from omc.strategy.maker import Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from tests.omc.adapters.sandbox_process.plain import file_of
from tests.tune_jobs.test_sweep import TERMS, market, sweep
from tune_jobs.batch import Batch, Desk

ROWS = 2_000
GRID = {"fast_bars": [3, 6, 12, 200], "slow_bars": [24, 96]}


@dataclass(eq=False)
class Moody(MovingAverageCrossover):
    """Raises at one of its parameters."""

    def decide(self, frame, indicators):
        if self.fast_bars == 6:
            raise ZeroDivisionError("no mood")
        return MovingAverageCrossover.decide(self, frame, indicators)


@dataclass
class Bench:
    space: SearchSpace = field(default_factory=lambda: SearchSpace.of(sweep(GRID, ROWS)))

    def desk(self, *tests: tuple[int, int], algorithms=None) -> Desk:
        ground = Ground.of(sweep(GRID, ROWS).spec, market(ROWS), TERMS)
        whole = [(0, len(ground.window))]
        return Desk(ground, algorithms or self.space.algorithms(), tests or whole, self.space.needed_bars)

    def batch(self, first: int = 0, stop: int = 1, order: list[int] | None = None) -> Batch:
        rows = self.space.draw(self.space.points)
        order = order or list(range(len(rows)))
        columns = tuple([rows[at][name] for at in order] for name in self.space.choices)
        return Batch(np.array(order), tuple(self.space.choices), columns, first, stop)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_order_of_points_does_not_change_their_figures(bench):
    one = bench.desk().attempt(bench.batch())
    other = bench.desk().attempt(bench.batch(order=[7, 2, 5, 0, 1, 6, 3, 4]))
    back = np.argsort(other.indices)
    np.testing.assert_array_equal(one.figures, other.figures[back])
    np.testing.assert_array_equal(one.blocks, other.blocks[back])
    assert one.blocks.shape == (8, 16, 3)


def test_folds_together_are_the_folds_one_by_one(bench):
    tests = ((400, 800), (800, 1_200), (1_200, 1_600))
    together = bench.desk(*tests).attempt(bench.batch(0, 3))
    desk = bench.desk(*tests)
    apart = [desk.attempt(bench.batch(fold, fold + 1)) for fold in range(3)]
    np.testing.assert_array_equal(together.figures, np.concatenate([each.figures for each in apart], axis=1))
    np.testing.assert_array_equal(together.blocks, np.concatenate([each.blocks for each in apart], axis=1))
    assert together.figures[0, :, METRICS.index("bars")].tolist() == [400.0] * 3


def test_a_fold_decides_as_if_all_of_the_past_were_there(bench):
    rows = len(bench.desk()._ground.window)
    late = bench.desk((rows - 500, rows)).attempt(bench.batch())
    ground = bench.desk()._ground
    algorithm = bench.space.algorithms().make({"fast_bars": 12, "slow_bars": 96})
    decided = algorithm.decide(ground.frame, ground.indicators())[-500:]
    again = bench.desk((rows - 500, rows))._stretches[0]
    np.testing.assert_array_equal(algorithm.decide(again.frame, again.indicators)[again.warm :], decided)
    assert not np.isnan(late.figures[5, 0, METRICS.index("total_return")])


def test_a_point_that_raises_fails_alone_with_its_traceback(bench):
    algorithms = bench.space.algorithms()
    object.__setattr__(algorithms, "base", Moody())
    tried = bench.desk(algorithms=algorithms).attempt(bench.batch())
    assert sorted(tried.failures) == [2, 3, 6, 7]
    assert tried.failures[2].reason == "ZeroDivisionError: no mood"
    assert 'raise ZeroDivisionError("no mood")' in tried.failures[2].traceback
    assert tried.failures[6].traceback is None
    assert "must be less than slow_bars" in tried.failures[6].reason
    trades = tried.figures[:, 0, METRICS.index("trades")]
    assert np.isnan(trades).tolist() == [False, False, True, True, False, False, True, True]


LEAVES = """
class Leaves:
    memory_bars = 2
    def __init__(self, bars=2):
        self.bars = bars
    def predict(self, frame):
        return np.full(frame.last.shape, 1.0 / (self.bars * len(frame.coins)))
"""


@dataclass
class Doomed(MemorySandbox):
    """Ends with some of its points."""

    deadly: frozenset[int] = frozenset()

    def predict_many(self, many, frame):
        for each in many:
            if each["bars"] in self.deadly:
                yield DeadlineExceeded("the code did not answer")
            else:
                yield from MemorySandbox.predict_many(self, [each], frame)


def of_code(deadly: frozenset[int], points: int = 12, code: str = LEAVES) -> Bench:
    wanted = sweep({"bars": list(range(2, 2 + points))}, ROWS)
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom", parameters={"bars": 2}))
    return Bench(SearchSpace.of(wanted, Maker(lambda code: Doomed(code, load, deadly=deadly)).of(code)))


def test_a_point_that_takes_its_sandbox_with_it_fails_alone():
    bench = of_code(frozenset({3, 7}))
    tried = bench.desk().attempt(bench.batch())
    assert tried.failures == dict.fromkeys((1, 5), ("the code did not answer",) * 2)
    assert tried.died == (1, 5)
    assert tried.indices.tolist() == list(range(12))
    assert np.isnan(tried.figures[:, 0, METRICS.index("trades")]).sum() == 2


def test_a_batch_is_handed_back_after_several_that_did():
    bench = of_code(frozenset(range(4, 20)))
    tried = bench.desk().attempt(bench.batch())
    assert tried.died == (2, 3, 4, 5, 6)
    assert tried.indices.tolist() == list(range(7))
    folds = bench.desk((400, 800), (800, 1_200)).attempt(bench.batch(0, 2))
    assert folds.indices.tolist() == [2, 3, 4, 5, 6]
    assert folds.figures.shape == (5, 2, len(METRICS))


def test_code_is_tried_as_what_is_built_in(bench):
    built_in = bench.desk().attempt(bench.batch())
    wanted = sweep(GRID, ROWS)
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom"))
    make = Maker(lambda code: MemorySandbox(code, load)).of(file_of(MovingAverageCrossover))
    code = Bench(SearchSpace.of(wanted, make))
    assert code.space.needed_bars == bench.space.needed_bars
    tried = code.desk().attempt(code.batch())
    np.testing.assert_array_equal(tried.figures, built_in.figures)
    np.testing.assert_array_equal(tried.blocks, built_in.blocks)
    assert sorted(tried.failures) == sorted(built_in.failures) == [6, 7]
    assert "must be less than slow_bars" in tried.failures[6].reason
    assert code.desk().cpu_s >= 0.0


REMEMBERS = LEAVES.replace("    memory_bars = 2\n", "").replace(
    "self.bars = bars", "self.bars = self.memory_bars = bars"
)


def test_a_point_that_remembers_more_than_is_warmed_up_fails_alone():
    bench = of_code(frozenset(), code=REMEMBERS)
    assert bench.space.needed_bars == 13
    ground = Ground.of(sweep(GRID, ROWS).spec, market(ROWS), TERMS)
    desk = Desk(ground, bench.space.algorithms(), [(0, len(ground.window))], 9)
    tried = desk.attempt(bench.batch())
    assert sorted(tried.failures) == [9, 10, 11]
    assert tried.failures[9].reason.startswith("it remembers 11 bars, its own included, and the search warms up 9")
    assert not bench.desk().attempt(bench.batch()).failures


def test_a_machine_that_runs_no_code_fails_no_point():
    @dataclass
    class Refusing(MemorySandbox):
        def predict_many(self, many, frame):
            yield SandboxRefused("there is no Landlock here")

    wanted = sweep({"bars": [2, 3]}, ROWS)
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom", parameters={"bars": 2}))
    bench = Bench(SearchSpace.of(wanted, Maker(lambda code: Refusing(code, load)).of(LEAVES)))
    with pytest.raises(SandboxRefused):
        bench.desk().attempt(bench.batch())
