"""The whole pipeline in one command, undisturbed and with its actors killed while they trade."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bench.boot import tree
from tests.end_to_end.platforms import MARKET, ROOT, family, heed_interrupts, living

pytestmark = [pytest.mark.ray, pytest.mark.postgres]
KEYS = {"tape", "boot_s", "sweep", "promotion", "deployable", "tries", "floor", "parity", "reconciliation", "actors"}


def demo(home, *arguments, during=None):
    process = subprocess.Popen(
        [ROOT / ".venv/bin/omc", "demo", "--home", home, "--days", "2", *arguments],
        env={**os.environ, **MARKET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if during:
        threading.Thread(target=during, args=(process.pid,), daemon=True).start()
    said, complained = process.communicate(timeout=1800)
    assert process.returncode == 0, said + complained
    return json.loads((home / "report.json").read_text())


def kill_actors(launcher):
    """kill -9 the trader and the risk desk, each twice, as soon as they are there."""
    for name in ("ray::TraderActor", "ray::RiskActor", "ray::TraderActor", "ray::RiskActor"):
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            found = [pid for pid in tree(launcher) if command(pid).startswith(name)]
            if found and any(command(pid).startswith("ray::TraderActor") for pid in tree(launcher)):
                with suppress(ProcessLookupError):
                    os.kill(found[0], signal.SIGKILL)
                    break
            time.sleep(0.05)
        time.sleep(1.0)


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.long
def test_killing_actors_while_they_trade_changes_no_figure(tmp_path):
    calm = demo(tmp_path / "calm")
    assert set(calm) == KEYS
    assert calm["parity"]["differences"] == calm["reconciliation"]["differences"] == []
    assert calm["parity"]["floor_trades"] == calm["floor"]["fills"] > 10
    assert calm["floor"]["denied"] == 0
    names = [actor["name"].split(":demo")[0] for actor in calm["actors"]]
    assert names == ["collector:exchange", "risk:0", "supervisor", "trader"]
    page = (tmp_path / "calm" / "report.html").read_text()
    assert '<p class="verdict">' in page
    assert page.count('id="chart-0"') == 1
    assert page.count('<tr class="fill">') == calm["floor"]["fills"]
    assert page.count("<td>deflated_sharpe</td>") == 1
    gates = {gate["gate"]: gate for gate in calm["deployable"]}
    for name in ("out_of_sample_sharpe", "deflated_sharpe", "pbo"):
        assert gates[name]["figure"] is not None
    assert gates["parity"]["figure"] == 0.0
    assert calm["tries"]["tries"] == calm["sweep"]["points"]
    assert not re.search(r"\b(src|href)\s*=", page)
    assert "http" not in page.replace("http-equiv", "")

    shaken = demo(tmp_path / "shaken", during=kill_actors)
    for report in (calm, shaken):
        report["sweep"].pop("seconds")
        report["floor"].pop("decision_to_order_ms")
        # They name their sweep, which is another.
        for gate in report["deployable"]:
            gate.pop("why")
    for part in ("tape", "sweep", "promotion", "deployable", "tries", "floor", "parity", "reconciliation"):
        assert shaken[part] == calm[part]


@pytest.mark.long
def test_an_exchange_that_misbehaves_changes_no_figure(tmp_path):
    calm, hostile = demo(tmp_path / "calm"), demo(tmp_path / "hostile", "--faults", "7")
    assert set(hostile) == KEYS | {"faults"}
    struck = hostile["faults"]
    assert (struck["seed"], len(struck["faults"])) == (7, struck["total"])
    assert struck["total"] == sum(struck["counts"].values()) > 20
    assert any(each["path"].startswith("/api/v2/my/") for each in struck["faults"])
    assert hostile["parity"]["differences"] == hostile["reconciliation"]["differences"] == []
    for report in (calm, hostile):
        report["floor"].pop("decision_to_order_ms")
    assert hostile["floor"] == calm["floor"]
    page = (tmp_path / "hostile" / "report.html").read_text()
    assert f"{struck['total']} faults by seed 7" in page
    assert all(f"<td>{kind}</td>" in page for kind in struck["counts"])


def test_an_algorithm_of_ones_own_goes_all_the_way_wherever_its_file_lies(tmp_path):
    file = tmp_path / "my ideas" / "it's mine.py"
    file.parent.mkdir()
    file.write_text((ROOT / "examples" / "dual_momentum.py").read_text())
    found = demo(tmp_path / "home", "--algorithm", file)
    assert set(found) == KEYS | {"algorithm", "backtest"}
    assert found["algorithm"] == str(file)
    assert found["backtest"]["trades"] > 0
    assert found["sweep"]["points"] > 1
    assert found["parity"]["differences"] == found["reconciliation"]["differences"] == []
    assert found["parity"]["floor_trades"] == found["floor"]["fills"]
    assert {gate["gate"]: gate["figure"] for gate in found["deployable"]}["parity"] == 0.0
    assert not list((tmp_path / "home" / "run").glob("**/zygote-*"))


@pytest.mark.long
def test_an_algorithm_that_is_not_valid_ends_the_demo_with_what_was_found_and_nothing_left_running(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("class Mine:\n    memory_bars = 1\n    def predict(self, frame):\n        return open('x')\n")
    process = subprocess.Popen(
        [ROOT / ".venv/bin/omc", "demo", "--home", tmp_path / "home", "--days", "2", "--algorithm", file],
        env={**os.environ, **MARKET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen: dict[int, int | None] = {}
    watching = threading.Thread(target=watch, args=(process, seen), daemon=True)
    watching.start()
    said, complained = process.communicate(timeout=1800)
    watching.join()
    assert process.returncode == 1
    assert f"{file}:4:16: name: open is not available" in said
    assert "        return open('x')\n                   ^\n" in said
    assert complained.splitlines()[-1] == f"omc: {file}: 1 finding"
    assert len(seen) > 5
    assert living(seen) == []


def watch(process, seen):
    while process.poll() is None:
        seen.update(family(process.pid))
        time.sleep(0.1)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    done = subprocess.run(
        [ROOT / ".venv/bin/omc", "demo", "--home", tmp_path], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 5
    assert "no demo made" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.long
def test_interrupted_it_leaves_nothing_behind(tmp_path):
    process = subprocess.Popen(
        [ROOT / ".venv/bin/omc", "demo", "--home", tmp_path / "home", "--days", "2"],
        env={**os.environ, **MARKET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_interrupts,
    )
    time.sleep(8)
    while len(pids := family(process.pid)) <= 3:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 130
    deadline = time.monotonic() + 120
    while (left := living(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
