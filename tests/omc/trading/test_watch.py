from dataclasses import replace

import pytest

from omc.ledger.cadence import Cadence
from omc.trading.floor import TraderState, TraderStats
from omc.trading.watch import Watch
from tests.actors.mortal import deployment

OURS = deployment()


def state(name: str) -> TraderState:
    return TraderState("trader", OURS.id, name, 0, None)


def test_one_that_does_not_stay_is_started_less_and_less_often() -> None:
    watch = Watch(OURS, Cadence(every_s=1, first_s=1, longest_s=4))
    now, waits = 0.0, []
    for _ in range(5):
        start = now
        while not watch.may_start(now):
            now += 0.5
        waits.append(now - start)
        watch.started(now)
    assert waits == [0, 1, 2, 4, 4]


def test_one_that_ran_long_enough_is_started_at_once_again() -> None:
    watch = Watch(OURS, Cadence(every_s=1, first_s=1, longest_s=4))
    watch.started(0)
    watch.saw(state("running"), 3)
    assert not watch.may_start(0.5)
    watch.saw(state("running"), 5)
    assert watch.may_start(5)


@pytest.mark.parametrize(
    ("name", "ended"), [("running", False), ("failed", False), ("halted", True), ("stopped", True)]
)
def test_an_actor_whose_trader_ended_is_replaced(name: str, ended: bool) -> None:
    watch = Watch(OURS)
    assert not watch.must_be_replaced(OURS)
    watch.saw(state(name), 0)
    assert watch.must_be_replaced(OURS) is ended


def test_other_parameters_take_another_trader() -> None:
    assert Watch(OURS).must_be_replaced(replace(OURS, parameters={"fast_bars": 7}))


def test_percentiles_are_of_the_sample() -> None:
    stats = TraderStats(0, 4, (4.0, 1.0, 3.0, 2.0))
    assert [stats.percentile_ms(percent) for percent in (50, 75, 99)] == [2.0, 3.0, 4.0]
    assert TraderStats(0, 0, ()).percentile_ms(50) is None


def test_one_is_coming_until_it_is_heard_of_and_not_for_ever() -> None:
    watch = Watch(OURS)
    assert not watch.is_coming(0, 30)
    watch.started(10)
    assert watch.is_coming(39, 30)
    assert not watch.is_coming(40, 30)
    watch.saw(state("starting"), 12)
    assert watch.is_coming(13, 30)
    watch.saw(state("failed"), 14)
    assert not watch.is_coming(15, 30)
