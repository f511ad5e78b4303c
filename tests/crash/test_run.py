"""How a run of the matrix is told."""

from tests.crash.points import POINTS
from tests.crash.run import table


def test_the_table_says_what_ran_and_what_did_not():
    found = {("risk", list(POINTS)[1]): [], ("trader", list(POINTS)[1]): ["it was sent twice"]}
    lines = table(found, ["risk", "trader"], list(POINTS)[:2]).splitlines()
    assert lines[-2].split() == ["risk", "-", "1/0"]
    assert lines[-1].split() == ["trader", "-", "1/1"]
