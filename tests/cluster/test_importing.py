"""Prices into a home's history, as a person imports them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.postgres


def write_candles(path, bars, skip=()):
    rows = [
        f"2025-01-01 {bar // 12:02d}:{bar % 12 * 5:02d}:00,100,101,99,{100 + bar % 2},1"
        for bar in range(bars)
        if bar not in skip
    ]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]) + "\n")


def run(home, *arguments):
    return subprocess.run(
        [ROOT / ".venv/bin/omc", "import-prices", *arguments],
        env={**os.environ, "OMC_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_prices_are_imported_once_and_their_gaps_told(tmp_path):
    write_candles(tmp_path / "BTCUSD_5m.csv", 120, skip=range(40, 80))
    first = run(tmp_path / "home", "--json", str(tmp_path / "BTCUSD_5m.csv"))
    assert first.returncode == 0, first.stderr
    (coin,) = json.loads(first.stdout)["coins"]
    assert (coin["coin"], coin["gaps"]) == ("BTC", 1)
    assert coin["new"] == coin["bars"] > 0
    again = run(tmp_path / "home", "--json", str(tmp_path / "BTCUSD_5m.csv"))
    assert json.loads(again.stdout)["coins"][0]["new"] == 0


def test_a_wrong_file_is_one_sentence_with_its_line(tmp_path):
    file = tmp_path / "BTCUSD_5m.csv"
    write_candles(file, 12)
    file.write_text(file.read_text() + "2025-01-01 01:00:00,100,101,99,nonsense,1\n")
    refused = run(tmp_path / "home", "--json", str(file))
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["message"].startswith(f"{file}, line 14")
    assert refused.stderr.startswith(f"omc: {file}, line 14")
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "home" / "postgres").exists()
