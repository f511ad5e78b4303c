"""Files of expected results run against the product, and say clearly what failed and what is not understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "cases"
FILES = ("candle_tables.json", "stop_fills.json", "metrics.json", "profit.json", "lookahead.json")


def run(*files: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, HERE / "run.py", *files], capture_output=True, text=True, cwd=HERE.parents[1]
    )


def written(folder: Path, content: object) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_every_case_passes(name):
    if not (CASES / name).exists():
        pytest.skip("the recorded inputs are not here")
    done = run(CASES / name)
    assert "0 failed" in done.stdout, done.stdout + done.stderr
    assert not done.stdout.startswith("0 passed")
    assert done.returncode == 0


SERIES = {"series_pct": {"up": [1, 2, 3]}, "computed": {"up": {"cum_returns_final": 1.01 * 1.02 * 1.03 - 1}}}


def test_a_case_that_fails_is_named(tmp_path):
    wrong = {**SERIES, "computed": {"up": {"cum_returns_final": 0.5, "max_drawdown": 0.0, "luck_ratio": 1.0}}}
    done = run(written(tmp_path, wrong))
    assert done.returncode == 1
    assert "FAILED cases.json: up cum_returns_final: expected 0.5, got 0.061" in done.stdout
    assert "up luck_ratio: no measure of ours" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 2 failed"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"order_vs_venue": []}, "reconciliation cases are not supported yet"),
        ({"attempts": []}, "sandbox cases are not supported yet"),
        ({"other": 1}, "no format of cases that is known here"),
    ],
)
def test_what_is_not_understood_is_said(tmp_path, content, said):
    done = run(written(tmp_path, content))
    assert said in done.stdout
    assert done.returncode == 2


def test_a_missing_file_and_no_file_at_all_are_said(tmp_path):
    assert run(tmp_path / "nothing.json").returncode == 2
    assert "FILES" in run().stdout


def test_an_algorithm_that_nobody_wrote_fails_unless_its_entry_can_be_computed(tmp_path):
    content = {
        "must_pass": [
            {"id": "one", "entry": "ema(12) > ema(26)"},
            {"id": "two", "entry": "close[t-3] > close[t-1] and close[t] < 5"},
            {"id": "three", "entry": "the moon is full"},
        ],
        "must_flag": [
            {"id": "four", "entry": "close.shift(-5) > close"},
            {"id": "five", "entry": "close[t] > close[t-1]"},
            {"id": "six", "entry": "__import__('os').system('true')"},
        ],
    }
    done = run(written(tmp_path, content))
    assert "must pass: three: no algorithm written for it" in done.stdout
    assert "must flag: five: weights not flagged" in done.stdout
    assert "must flag: six: no algorithm written for it" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 passed, 3 failed"
