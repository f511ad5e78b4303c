"""Files of expected results run against the product, and say clearly what failed and what is not understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "cases"
FILES = (
    "candle_tables.json",
    "stop_fills.json",
    "metrics.json",
    "profit.json",
    "lookahead.json",
    "reconciliation.json",
)


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


def test_what_is_not_understood_is_said(tmp_path):
    done = run(written(tmp_path, {"other": 1}))
    assert "no format of cases that is known here" in done.stdout
    assert done.returncode == 2


def test_a_missing_file_and_no_file_at_all_are_said(tmp_path):
    assert run(tmp_path / "nothing.json").returncode == 2
    assert "FILES" in run().stdout


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"must_pass": [], "must_flag": []},
        {"series_pct": {}},
        {"setup": {}, "columns": [], "rows": []},
        {"order_vs_venue": []},
    ],
    ids=["list", "look-ahead", "metrics", "profit", "reconciliation"],
)
def test_a_file_without_a_case_has_failed(tmp_path, content):
    done = run(written(tmp_path, content))
    assert done.stdout.startswith("FAILED ")
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert done.returncode == 2


def test_json_that_is_broken_has_failed_and_takes_no_other_file_with_it(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"series_pct": [1,')
    done = run(broken, written(tmp_path, SERIES))
    assert f"FAILED {broken}" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert done.returncode == 2


def test_a_case_with_a_field_missing_fails_alone(tmp_path):
    bars = [[100.0, 101.0, 99.0, 100.0]] * 4
    seen = {"Size": [1], "EntryBar": [1], "ExitBar": [3], "EntryPrice": [100.0], "ExitPrice": [100.0]}
    good = {"name": "held", "ohlc": bars, "observed": seen, "equity_final": 10_000.0}
    done = run(written(tmp_path, {"scenarios": [good, {"ohlc": bars, "observed": {}}]}))
    assert "scenario 1: KeyError" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"


# Worked out by hand: 30 coins bought at 2 and sold at 2.1, or the other way around.
PROFIT = {
    "setup": {
        "open_rate": 2.0,
        "amount": 30.0,
        "fee_open": 0.0025,
        "interest_rate_per_day": 0.0005,
        "held_minutes": 10,
    },
    "columns": ["exchange", "is_short", "leverage", "close_rate", "fee_close", "profit_abs", "profit_ratio", "mode"],
    "rows": [
        ["a", False, 1, 2.1, 0.0025, 2.6925, 2.6925 / 60.15, "spot"],
        ["a", False, 1, 2.1, 0.00075, 2.80275, 2.80275 / 60.15, "spot"],
        ["a", False, 3, 2.1, 0.0025, 2.6925 - 0.02 / 24, 3 * (2.6925 - 0.02 / 24) / 60.15, "margin"],
        ["kraken", False, 3, 2.1, 0.0025, 2.6925 - 0.04, 3 * (2.6925 - 0.04) / 60.15, "margin"],
        ["a", True, 1, 2.1, 0.0025, 59.85 - 30.000625 * 2.1 * 1.0025, 1 - 30.000625 * 2.1 * 1.0025 / 59.85, "margin"],
        ["a", True, 1, 2.1, 0.0025, 59.85 - 63.1575, 1 - 63.1575 / 59.85, "spot"],
    ],
}


def test_a_row_of_profit_knows_small_fees_and_what_borrowing_costs(tmp_path):
    assert run(written(tmp_path, PROFIT)).stdout == "6 passed, 0 failed\n"
    rows = [[*row[:5], row[5] + 0.001, *row[6:]] for row in PROFIT["rows"]]
    assert run(written(tmp_path, {**PROFIT, "rows": rows})).stdout.endswith("0 passed, 6 failed\n")


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
