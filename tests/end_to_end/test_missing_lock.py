"""Where a lock of the sandbox is missing: code is refused in a sentence, and runs only for who insists, and loudly."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.platforms import ROOT, omc, running

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]
WITHOUT = [sys.executable, str(Path(__file__).with_name("without_landlock.py"))]
SAID = "landlock: this kernel cannot take files away from a process"
CODE = """
class Everything:
    memory_bars = 1

    def predict(self, frame):
        return np.where(np.isnan(frame.last), 0.0, 0.9 / len(frame.coins))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "everything.py"
    path.write_text(CODE)
    return str(path)


def test_the_doctor_finds_the_lock_that_is_missing(tmp_path):
    command = [*WITHOUT, ROOT / ".venv/bin/omc", "doctor", "--home", tmp_path, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    missing = {
        each["name"]: each for each in answer["checks"] if not each["works"] and each["name"].startswith("sandbox")
    }
    assert "sandbox: landlock" in missing
    assert missing["sandbox: landlock"]["mandatory"]


def test_without_it_the_platform_runs_and_refuses_code_with_the_reason(tmp_path, file):
    with running(tmp_path / "home", through=WITHOUT) as up:
        home = up.home
        assert SAID in up.log.read_text()
        assert SAID in omc(home, "status")["warnings"][0]
        omc(home, "register", "a@example.org")
        refused = omc(home, "algorithm", "create", "mine", "--code", file, code=5)
        assert SAID in refused["error"]["message"]
        assert omc(home, "algorithm", "create", "theirs", "--type", "moving_average_crossover")["status"] == "draft"


def test_who_insists_is_told_loudly_and_has_it_run(tmp_path, file):
    with running(tmp_path / "home", "--allow-unsafe-sandbox", through=WITHOUT) as up:
        home = up.home
        assert "!!!!" in up.log.read_text()
        assert "UNSAFE" in up.log.read_text()
        assert "UNSAFE" in omc(home, "status")["warnings"][0]
        omc(home, "register", "a@example.org")
        omc(home, "algorithm", "create", "mine", "--code", file)
        assert omc(home, "validate", "mine")["valid"] is True
        tape = json.loads((home / "run" / "platform.json").read_text())["tape"]
        window = ("--coins", ",".join(tape["coins"]), "--start", tape["start"], "--end", tape["history_end"])
        assert omc(home, "backtest", "mine", *window)["trades"] > 0
