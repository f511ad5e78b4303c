"""In pieces, honest code decides what it decided at once; what knew the future, or remembers too much, does not."""

from contextlib import closing
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import CodeFailed
from omc.promotion.contract import bars_for, coins_for, findings, made_market
from omc.promotion.gate import Gate
from omc.promotion.pieces import _stops, decided_in_pieces
from omc.strategy.registry import make, templates
from tests.serve_apps.lab.coding import BUILTIN, GATHERING, LONG_SIGHTED, PLAIN, REMEMBERING, TWIN, does

CHEAP = [each.algorithm_type for each in templates() if each.algorithm_type not in ("logistic", "gradient_boosting")]


def of(code: str, **parameters: object) -> partial:
    return partial(TWIN.of(code), "custom", parameters)


@pytest.mark.parametrize("code", [PLAIN, BUILTIN], ids=["plain", "builtin"])
@pytest.mark.parametrize("rows", [1, 2, 255, 3_000])
def test_honest_code_decides_the_same(code, rows):
    found = decided_in_pieces(of(code), made_market(rows), seed=1)
    assert found.known == 0.0
    assert Gate.at_most("pieces", found, 0.0).passed
    assert f"{rows:,} decisions are the same" in found.said


@pytest.mark.parametrize("algorithm_type", CHEAP)
def test_what_ships_with_the_platform_decides_the_same(algorithm_type):
    anew = partial(make, algorithm_type, {})
    frame = made_market(3 * bars_for(anew()), coins_for(anew()))
    assert decided_in_pieces(anew, frame, seed=1).known == 0.0


@pytest.mark.parametrize("code", [LONG_SIGHTED, REMEMBERING, GATHERING], ids=["peeks", "remembers", "gathers"])
def test_code_that_decides_by_what_it_should_not_know_is_found(code):
    found = decided_in_pieces(of(code), made_market(1_500), seed=1)
    assert found.known is not None
    assert found.known > 0
    assert "looks ahead" in found.said
    assert not Gate.at_most("pieces", found, 0.0).passed


def test_one_peek_that_changes_one_decision_is_found_among_thousands():
    """Where a decision changes a piece ends, so that there the future is not there to be seen."""
    body = """
weights = np.full(frame.last.shape, 0.2)
for row in range(len(frame.times) - 1):
    if str(frame.times[row])[:16] == "2025-01-12T13:45" and frame.last[row + 1, 0] != frame.last[row, 0]:
        weights[row] = 0.25
return weights
"""
    frame = made_market(5_000)
    assert of(does(body))().predict(frame)[3_333, 0] == 0.25
    for seed in range(5):
        assert decided_in_pieces(of(does(body)), frame, seed=seed).known == 1.0


def test_who_has_seen_everything_cannot_look_up_its_memory_there():
    """The contract is tried with copies that have seen nothing else."""
    with closing(of(REMEMBERING)()) as algorithm:
        (found,) = findings(algorithm)
    assert "needs more than the 2 rows" in found


def test_what_fails_in_pieces_has_no_figure():
    picky = does("if len(frame.last) < 300:\n    raise ValueError('too few')\nreturn np.zeros(frame.last.shape)")
    found = decided_in_pieces(of(picky), made_market(1_000), seed=1)
    assert found.known is None
    assert "too few (line" in found.said
    with pytest.raises(CodeFailed, match="too few"):
        decided_in_pieces(of(picky), made_market(100), seed=1)


def test_no_prices_are_no_trial():
    assert decided_in_pieces(of(PLAIN), made_market(3).rows(0, 0), seed=1).known is None


@given(st.integers(1, 400), st.integers(1, 300), st.integers(0, 2**32), st.floats(0, 1))
def test_pieces_hold_every_row_once_and_cost_what_they_may(rows, memory_bars, seed, busy):
    generator = np.random.default_rng(seed)
    weights = np.where(generator.random((rows, 2)) < busy, 0.5, 0.0)
    stops = _stops(weights, memory_bars, generator)
    assert stops == sorted(set(stops))
    assert stops[-1] == rows
    assert stops[0] >= 1
    assert len(stops) <= max(3 * rows // memory_bars, 8) + 1


def test_the_largest_changes_are_always_the_ends_of_pieces():
    weights = np.full((10_000, 1), 0.5)
    weights[::2] += np.random.default_rng(1).uniform(0, 0.001, (5_000, 1))
    weights[7_777:] = 0.0
    for seed in range(5):
        assert 7_778 in _stops(weights, 500, np.random.default_rng(seed))
