"""One running platform, used as a person uses it."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest

from bench.boot import listening, tree
from tests.end_to_end.platforms import ROOT, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

SPACE = {"fast_bars": [96, 192], "slow_bars": [288, 576]}


def record(up):
    return json.loads((up.home / "run" / "platform.json").read_text())


def test_every_port_is_on_the_loopback(platform):
    ports = listening(tree(platform.process.pid))
    assert len(ports) > 10
    assert [row for row in ports if row[0] not in ("127.0.0.1", "::1")] == []


def test_the_floors_actors_are_listed_by_name(platform):
    token = (platform.home / "keys" / "ray.token").read_text().strip()
    url = f"{record(platform)['dashboard']}/api/v0/actors?detail=0"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url)
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked) as answer:
        rows = json.load(answer)["data"]["result"]["result"]
    alive = {row["name"] for row in rows if row["state"] == "ALIVE"}
    assert {"collector:exchange", "risk:0", "supervisor"} <= alive


def test_a_second_platform_on_the_home_says_so_and_leaves_the_first_alone(platform):
    second = subprocess.run(
        [ROOT / ".venv/bin/omc", "up", "--home", platform.home],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert second.returncode == 1
    assert re.fullmatch(r"omc: the platform already runs on .*process \d+, http://.*\n", second.stderr)
    assert omc(platform.home, "status")["ready"] is True


def test_secrets_are_for_their_owner_only(platform):
    files = [*platform.home.glob("keys/*"), platform.home / "run" / "database.dsn"]
    assert len(files) >= 4
    folders = [platform.home, platform.home / "logs", Path(record(platform)["session"])]
    assert [path for path in (*files, *folders) if path.stat().st_mode & 0o077] == []


def test_an_idea_goes_from_the_lab_to_the_floor_and_is_stopped(platform):
    home, email = platform.home, f"{uuid4().hex}@example.org"
    omc(home, "algorithm", "list", code=4)
    omc(home, "register", email)
    made = omc(home, "algorithm", "create", "idea", "--type", "moving_average_crossover")
    assert made["status"] == "draft"
    tape = record(platform)["tape"]
    coins, window = ",".join(tape["coins"]), ("--start", tape["start"], "--end", tape["history_end"])

    refused = omc(home, "deploy", "idea", "--name", "early", "--coins", coins, code=6)
    assert refused["error"]["code"] == "GATE_NOT_PASSED"
    assert omc(home, "promote", "idea", code=6)["error"]["details"]["gates"]

    done = omc(home, "backtest", "idea", "--coins", coins, *window)
    assert done["status"] == "completed"
    swept = omc(home, "sweep", "idea", "--coins", coins, *window, "--space", json.dumps(SPACE), "--band", "0.002")
    assert (swept["status"], swept["done"], len(swept["results"])) == ("completed", 4, 4)
    assert swept["results"][0]["index"] == swept["best"]["index"]
    assert omc(home, "promote", "idea", "--sweep", swept["id"])["algorithm"]["status"] == "validated"

    deployed = omc(home, "deploy", "idea", "--name", "first", "--coins", coins, "--cash", "5000")
    assert deployed["status"] == "active"
    until = time.monotonic() + 600
    while not (traded := omc(home, "trades", "--deployment", "first")) and time.monotonic() < until:
        time.sleep(0.5)
    assert traded

    stopped = omc(home, "emergency-stop", "--liquidate")
    assert (stopped["halted"], stopped["problems"]) == (True, [])
    assert omc(home, "activate", "first", code=6)["error"]["code"] == "HALTED"
    assert omc(home, "deploy", "idea", "--name", "second", "--coins", coins, code=6)["error"]["code"] == "HALTED"
    earned = omc(home, "pnl", "--deployment", "first")
    assert float(earned["summary"]["unrealized_pnl_aud"]) == 0
    omc(home, "emergency-stop", "--reset")
    assert omc(home, "deactivate", "first")["status"] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backtest", "nothing", "--coins", "BTC", "--start", "2025-01-01", "--end", "2025-01-02"), "no algorithm"),
        (("algorithm", "create", "x", "--type", "nonsense"), "there is no algorithm type"),
        (("deploy", str(uuid4()), "--name", "x", "--coins", "BTC"), ""),
        (("trades", "--deployment", "nothing"), "no deployment"),
    ],
    ids=["an unknown algorithm", "an unknown type", "somebody else's", "an unknown deployment"],
)
def test_a_wrong_request_is_refused_in_one_line(platform, arguments, said):
    home = platform.home
    omc(home, "register", f"{uuid4().hex}@example.org")
    assert said in omc(home, *arguments, code=5)["error"]["message"]


def test_a_port_in_use_is_one_sentence_before_anything_starts(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = subprocess.run(
            [ROOT / ".venv/bin/omc", "up", "--home", tmp_path, "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr == f"omc: port {port} cannot be used for HTTP: address already in use\n"
    assert not (tmp_path / "postgres").exists()


def test_an_unreachable_database_is_one_sentence_without_its_password(tmp_path):
    refused = subprocess.run(
        [ROOT / ".venv/bin/omc", "up", "--home", tmp_path, "--port", "0", "--dashboard-port", "0"],
        env={**os.environ, "OMC_DATABASE_URL": "postgresql://omc:hunter2@127.0.0.1:9/omc"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert refused.returncode == 1
    assert re.fullmatch(r"omc: the database .*\n", refused.stderr)
    assert "hunter2" not in refused.stderr + refused.stdout


def test_a_wrong_tape_is_one_sentence(tmp_path):
    (tmp_path / "prices.csv").write_text("a,b\n1,2\n")
    refused = subprocess.run(
        [ROOT / ".venv/bin/omc", "up", "--home", tmp_path / "home", "--port", "0", "--tape", tmp_path / "prices.csv"],
        env={**os.environ, "OMC_DASHBOARD_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert refused.returncode == 1
    notice, sentence = refused.stderr.splitlines()
    assert notice.startswith("omc: a key for the vault was made")
    assert sentence.startswith(f"omc: {tmp_path / 'prices.csv'}")
