"""A part of the matrix: every victim once, and every point once."""

import pytest

from tests.crash.matrix import Matrix
from tests.crash.points import POINTS
from tests.crash.victims import VICTIMS

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

# Each victim where it has most to lose, and all points.
CELLS = list(zip(VICTIMS, [3, 1, 7, 0, 4, 6, 5, 2], strict=True))


def test_whatever_is_killed_wherever_it_stands_the_books_are_the_exchanges(tmp_path):
    cells = [(victim, list(POINTS)[at]) for victim, at in CELLS]
    found = Matrix(tmp_path, seed=7, cells=cells, say=print).run()
    assert {cell: sentences for cell, sentences in found.items() if sentences} == {}
    assert len(found) == len(VICTIMS) + 1
