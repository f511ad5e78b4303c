"""What a person, or the program behind a pipe, gets to see."""

import subprocess
import sys


def printed(statement):
    command = [sys.executable, "-c", f"from omc.cli import show; {statement}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_through_a_pipe_every_row_is_one_line_however_long():
    rows = printed("show.table('of ' + 'x' * 90, ('id', 'name'), [('1' * 36, 'y' * 300), ('2' * 36, 'z')])")
    assert len(rows) == 4
    assert rows[0] == "of " + "x" * 90
    assert "y" * 300 in rows[2]


def test_nothing_is_not_less_than_nothing():
    assert "-" not in printed("show.table('', ('max_drawdown',), [(-0.0,)])")[1]
