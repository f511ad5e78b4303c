"""Which platform runs on a home."""

import json
import os
import subprocess
import sys
from pathlib import Path

from omc.cli import running


def started(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def record(home, **what):
    (home / "run").mkdir(exist_ok=True)
    (home / "run" / "platform.json").write_text(json.dumps({"url": "http://127.0.0.1:8000", **what}))


def test_a_home_without_a_record_runs_nothing(tmp_path):
    assert running.record(tmp_path) is None
    assert running.url(tmp_path) is None
    assert running.stop(tmp_path) is None


def test_a_record_names_a_living_platform(tmp_path):
    record(tmp_path, pid=os.getpid(), started=started(os.getpid()))
    assert running.url(tmp_path) == "http://127.0.0.1:8000"


def test_a_stranger_with_the_same_process_id_is_no_platform(tmp_path):
    record(tmp_path, pid=os.getpid(), started=started(os.getpid()) - 1)
    assert running.record(tmp_path) is None


def test_stopping_waits_until_it_has_ended(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    record(tmp_path, pid=child.pid, started=started(child.pid))
    assert running.stop(tmp_path, timeout_s=120) == child.pid
    assert child.wait(120) == -15
