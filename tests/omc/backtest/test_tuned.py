"""Parameters that were changed while they traded: each bar is decided by those that held then, and by nothing else."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from omc.backtest.ground import Ground
from omc.backtest.study import study
from omc.backtest.tuned import Tuned, weights
from omc.strategy.registry import make
from tests.omc.backtest.test_study import BAR, SPEC, TERMS, market

FRAME = market(1_200)
OF = replace(SPEC, parameters={"window_bars": 24}, end=SPEC.start + 600 * BAR)
CHANGES = (Tuned(OF.start + 200 * BAR, {"window_bars": 90}), Tuned(OF.start + 400 * BAR, {"window_bars": 12}))


def wanted(parameters):
    return Ground.of(replace(OF, parameters=parameters), FRAME, TERMS).wanted(make(OF.algorithm_type, parameters))


def test_each_stretch_is_decided_by_its_own():
    ground = Ground.of(OF, FRAME, TERMS)
    found = weights(OF, ground.frame, ground.first, CHANGES, make)
    expected = np.concatenate(
        [
            wanted(OF.parameters)[:201],
            wanted(CHANGES[0].parameters)[201:401],
            wanted(CHANGES[1].parameters)[401:],
        ]
    )
    assert found.shape == ground.window.last.shape
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, wanted(OF.parameters))


def test_a_change_to_the_same_changes_nothing():
    plain, changed = study(OF, FRAME, TERMS), study(OF, FRAME, TERMS, changes=(Tuned(OF.start, OF.parameters),))
    assert plain.fills == changed.fills
    np.testing.assert_array_equal(plain.simulation.equity, changed.simulation.equity)


def test_what_was_changed_between_two_bars_or_twice_on_one_holds_from_the_next():
    twice = (
        Tuned(CHANGES[0].last_bar, {"window_bars": 30}),
        Tuned(CHANGES[0].last_bar + timedelta(seconds=1), CHANGES[0].parameters),
        CHANGES[1],
    )
    assert study(OF, FRAME, TERMS, changes=twice).fills == study(OF, FRAME, TERMS, changes=CHANGES).fills


def test_a_change_before_the_window_or_after_it_decides_all_of_it_or_nothing():
    before, after = Tuned(OF.start - BAR, {"window_bars": 90}), Tuned(OF.end, {"window_bars": 12})
    plain = study(replace(OF, parameters=before.parameters), FRAME, TERMS)
    assert study(OF, FRAME, TERMS, changes=(before, after)).fills == plain.fills
