"""Attempts at a way out, in processes of their own with the first wall alone: all are refused, none leaves a mark."""

from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


def pieces(name):
    """`### what it is` above each."""
    blocks = (HERE / name).read_text().split("### ")[1:]
    return [dict(zip(("id", "code"), block.split("\n", 1), strict=True)) for block in blocks]


@pytest.fixture(scope="module")
def came(runner):
    """Here not even Python's own word counts: the platform itself says why."""
    with pytest.MonkeyPatch.context() as strict:
        strict.setattr(runner, "REFUSALS", {"InvalidInput"})
        found = runner.first_wall({"attempts": pieces("attempts.txt"), "snippets": pieces("ordinary.txt")})
    return {name.split(" ", 2)[2]: wrong for name, wrong in found}


@pytest.mark.parametrize("attempt", pieces("attempts.txt"), ids=lambda each: each["id"])
def test_an_attempt_is_refused(came, attempt):
    assert came[attempt["id"]] is None


@pytest.mark.parametrize("piece", pieces("ordinary.txt"), ids=lambda each: each["id"])
def test_ordinary_code_runs(came, piece):
    assert came[piece["id"]] is None


def test_an_attempt_that_gets_through_would_be_seen(runner):
    attempts = [{"id": "nothing", "code": "x = 1"}, {"id": "else", "code": "x = 1 / 0"}]
    assert [wrong for _, wrong in runner.first_wall({"attempts": attempts})] == [
        "not refused: ran",
        "not refused: ZeroDivisionError: division by zero",
    ]


def test_a_trap_works_on_those_who_step_into_it(runner, tmp_path):
    code, marker = runner._armed("{evil_npy}", tmp_path / "one")
    np.load(code, allow_pickle=True)
    assert marker.exists()
