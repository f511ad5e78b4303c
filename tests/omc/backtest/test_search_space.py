"""A sweep's points follow from their indices, and a space that makes no sense is refused before any work."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep
from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput
from omc.strategy.maker import Maker
from omc.strategy.registry import make
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox

START = datetime(2025, 1, 1, tzinfo=UTC)


def sweep(
    space: dict, *, method: str = "grid", points: int = 20, seed: int = 7, parameters: dict | None = None
) -> Sweep:
    spec = BacktestSpec(
        algorithm_type="moving_average_crossover",
        parameters=make("moving_average_crossover", parameters or {}).get_params(),
        coins=("BTC",),
        start=START,
        end=START.replace(month=2),
        initial_cash_aud=Decimal(1000),
        rebalance_band=0.02,
    )
    return Sweep(
        id=UUID(int=1),
        user_id=UUID(int=2),
        algorithm_id=UUID(int=3),
        algorithm_version=1,
        spec=spec,
        space=space,
        method=method,
        points=points,
        seed=seed,
        objective="sharpe",
        status=RunStatus.QUEUED,
        done=0,
        best=None,
        error_message=None,
        created_at=START,
        started_at=None,
        completed_at=None,
    )


def test_a_grid_holds_every_combination_once_whatever_the_order_of_its_names():
    space = SearchSpace.of(sweep({"slow_bars": [20, 30, 40], "fast_bars": [3, 5]}))
    points = [space.point(index) for index in range(space.points)]
    assert [(point["fast_bars"], point["slow_bars"]) for point in points] == [
        (3, 20), (3, 30), (3, 40), (5, 20), (5, 30), (5, 40)
    ]  # fmt: skip
    assert all(point["exposure"] == 1.0 for point in points)
    other = SearchSpace.of(sweep({"fast_bars": [3, 5], "slow_bars": [20, 30, 40]}))
    assert [other.point(index) for index in range(other.points)] == points


RANDOM = {
    "fast_bars": {"low": 2, "high": 50, "log": True, "integer": True},
    "slow_bars": {"low": 2.0, "high": 80.0, "log": False},
    "entry_threshold": {"low": 0.0, "high": 0.01},
    "exposure": [0.5, 1.0],
}


def test_a_random_point_follows_from_its_index_and_the_seed_and_is_one_that_can_be_tried():
    space = SearchSpace.of(sweep(RANDOM, method="random", points=200))
    points = [space.point(index) for index in range(200)]
    assert [space.point(index) for index in reversed(range(200))] == points[::-1]
    assert SearchSpace.of(sweep(RANDOM, method="random", points=200, seed=8)).point(0) != points[0]
    for point in points:
        assert make("moving_average_crossover", point).get_params() == point
    assert {point["exposure"] for point in points} == {0.5, 1.0}
    assert len({point["slow_bars"] for point in points}) > 40


def test_every_point_is_warm_after_the_needed_bars():
    space = SearchSpace.of(sweep(RANDOM, method="random"))
    memories = [make("moving_average_crossover", space.point(index)).memory_bars for index in range(20)]
    assert max(memories) <= space.needed_bars == 80


@pytest.mark.parametrize(
    ("space", "method", "reason"),
    [
        ({}, "grid", "empty"),
        ({"speed": [1]}, "grid", "no parameter 'speed'"),
        ({"fast_bars": [3, 0]}, "grid", "fast_bars must lie from 1"),
        ({"fast_bars": [3, "4"]}, "grid", "fast_bars must be a whole number"),
        ({"fast_bars": []}, "grid", "needs a list of values"),
        ({"fast_bars": 3}, "grid", "needs a list of values"),
        ({"fast_bars": {"low": 3, "high": 9}}, "grid", "a grid needs lists of values, and fast_bars"),
        ({"fast_bars": {"low": 3, "high": 90_000}}, "random", "fast_bars must lie from 1 to 50000"),
        ({"fast_bars": {"low": 9, "high": 3}}, "random", "has no value from 9 to 3"),
        ({"entry_threshold": {"low": 0.0, "high": 1.0, "log": True}}, "random", "by magnitude"),
        ({"fast_bars": [80, 90]}, "grid", "no point of the search space can be tried: .* must be less than slow_bars"),
        ({"fast_bars": list(range(1, 1001)), "slow_bars": list(range(2, 1002))}, "grid", "1000000 points"),
        ({"fast_bars": [3]}, "clever", "grid, random or optuna, not 'clever'"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_with_the_reason(space, method, reason):
    with pytest.raises(InvalidInput, match=reason):
        SearchSpace.of(sweep(space, method=method))


def test_a_random_search_of_no_points_is_refused():
    with pytest.raises(InvalidInput, match="0 points"):
        SearchSpace.of(replace(sweep(RANDOM, method="random"), points=0))


OF_CODE = """
class Windows:
    def __init__(self, bars=12, share=0.5, mode="all", slow_bars=24):
        if bars >= slow_bars:
            raise InvalidInput("bars must be less than slow_bars")
        self.bars, self.share, self.mode, self.slow_bars = bars, share, mode, slow_bars

    @property
    def memory_bars(self):
        return self.slow_bars if self.mode == "all" else 1_000 + self.slow_bars

    def predict(self, frame):
        return frame.last * 0.0
"""
IMPORT = "from omc.errors import InvalidInput\n"


def of_code(space: dict, code: str = IMPORT + OF_CODE, **given: Any) -> SearchSpace:
    wanted = sweep(space, **given)
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom", parameters={}))
    return SearchSpace.of(wanted, Maker(lambda source: MemorySandbox(source, load)).of(code))


def test_parameters_of_code_are_searched_by_name_though_it_tells_no_range():
    space = of_code({"bars": {"low": 2, "high": 40}, "share": [0.25, 0.5], "mode": ["all", "some"]}, method="random")
    points = space.draw(20)
    assert {point["mode"] for point in points} == {"all", "some"}
    assert all(isinstance(point["bars"], int) and point["bars"] < 24 for point in points)
    assert space.needed_bars == 1_024
    assert of_code({"bars": {"low": 2, "high": 40}}, method="random", points=50).draw(50)[:20] == [
        {"bars": point["bars"]} for point in points
    ]


REFUSES_ITS_ENDS = """
class Between:
    def __init__(self, a=2, b=3):
        if a >= b:
            raise InvalidInput("a must be less than b")
        self.a, self.b, self.memory_bars = a, b, a

    def predict(self, frame):
        return frame.last * 0.0
"""


def test_points_of_code_that_refuses_the_ends_of_its_choices_are_warm_too():
    either = {"low": 2, "high": 500}
    space = of_code({"a": either, "b": either}, IMPORT + REFUSES_ITS_ENDS, method="random", points=200)
    assert space.needed_bars == max(point["a"] for point in space.draw(200)) > 300


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        ({"wrong": [1]}, "custom has no parameter 'wrong'; it has bars, share, mode, slow_bars"),
        ({"bars": [1.5]}, "bars must be a whole number"),
        ({"share": [float("nan")]}, "share must lie from"),
        ({"mode": [["all"]]}, "mode must be a whole number|mode must be a number"),
        ({"bars": [24, 25]}, "no point of the search space can be tried: bars must be less than slow_bars"),
    ],
)
def test_a_search_over_code_that_cannot_be_is_refused_with_a_reason(space, reason):
    with pytest.raises(InvalidInput, match=reason):
        of_code(space)


@dataclass
class Slow(MemorySandbox):
    """Takes a second of processor time to look at each setting of the parameters, as it says."""

    asked: int = 0

    def traits(self, parameters):
        self.asked += 1
        return MemorySandbox.traits(self, parameters)

    @property
    def cpu_s(self) -> float:
        return float(self.asked)


def test_code_that_takes_long_to_look_at_parameters_is_not_waited_for():
    opened: list[Slow] = []

    def sandbox(source: str) -> Slow:
        opened.append(Slow(source, load))
        return opened[-1]

    wanted = sweep({"bars": {"low": 2, "high": 40}}, method="random", points=1_000)
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom", parameters={}))
    with pytest.raises(InvalidInput, match="takes too long to look at parameters"):
        SearchSpace.of(wanted, Maker(sandbox).of(IMPORT + OF_CODE))
    assert sum(each.asked for each in opened) < 20


@pytest.mark.parametrize(
    ("fault", "said"),
    [(DeadlineExceeded("the code did not answer"), "did not answer"), (CodeFailed("ValueError: no"), "ValueError: no")],
)
def test_code_that_cannot_even_say_what_it_takes_is_refused(fault, said):
    class Failing(MemorySandbox):
        def describe(self):
            raise fault

    wanted = sweep({"bars": [2]})
    wanted = replace(wanted, spec=replace(wanted.spec, algorithm_type="custom", parameters={}))
    with pytest.raises(InvalidInput, match=said):
        SearchSpace.of(wanted, Maker(lambda source: Failing(source, load)).of(OF_CODE))
