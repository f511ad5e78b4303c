"""Prices into a home's history, as a person imports them."""

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.home import Home
from cluster.importing import open_database
from cluster.wiring import wiring
from omc.adapters.postgres import dsn
from omc.errors import Conflict

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


def test_an_import_leaves_the_address_of_a_running_platforms_database_alone(tmp_path):
    running, other = "postgresql://u:p@h/running", "postgresql://u:p@h/other"
    home = Home(tmp_path)
    home.prepare()
    dsn.write(home.dsn_file, running)
    with home.locked(), ExitStack() as stops:
        open_database(wiring(home=tmp_path), stops)
        open_database(wiring(home=tmp_path, database_url=running), stops)
        with pytest.raises(Conflict, match="another database than OMC_DATABASE_URL names"):
            open_database(wiring(home=tmp_path, database_url=other), stops)
    assert dsn.read(home.dsn_file) == running
    assert not (tmp_path / "postgres").exists()
