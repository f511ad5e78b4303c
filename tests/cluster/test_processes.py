"""Processes that end with their owner, and are found when they did not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster import processes

ROOT = Path(__file__).parents[2]
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)",
]


def gone(pid, within_s=120.0):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_a_child_ends_when_its_owner_is_killed(tmp_path):
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, sys, time; from cluster import processes\n"
            f"child = processes.start({SLEEPER!r}, pathlib.Path({str(tmp_path / 'log')!r}))\n"
            "print(child.pid, flush=True); time.sleep(600)",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(owner.stdout.readline())
    while "sleep" not in Path(f"/proc/{child}/cmdline").read_text():
        time.sleep(0.01)
    owner.kill()
    owner.wait()
    assert gone(child)


def test_whoever_does_not_listen_is_made_to_stop():
    child = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)
    child.stdout.readline()
    assert child.pid in processes.descendants(os.getpid())
    processes.end([child.pid], patience_s=0.1)
    assert gone(child.pid)


def test_none_is_left_below_even_of_those_that_start_another_as_they_stop():
    breeder = (
        "import signal, subprocess, sys, time\n"
        f"signal.signal(15, lambda *_: (subprocess.Popen({SLEEPER!r}), sys.exit()))\n"
        "print(1, flush=True); time.sleep(600)"
    )
    owner = (
        "import os, subprocess, sys\n"
        "from cluster import processes\n"
        "processes.adopt_orphans()\n"
        f"child = subprocess.Popen([sys.executable, '-c', {breeder!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "processes.end_below(os.getpid())\n"
        "print(processes.descendants(os.getpid()))"
    )
    told = subprocess.run([sys.executable, "-c", owner], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert told.stdout == "[]\n", told.stderr


def test_processes_of_an_earlier_run_are_known_by_their_mark(tmp_path):
    child = subprocess.Popen(SLEEPER, env={**os.environ, processes.MARK: str(tmp_path)})
    other = subprocess.Popen(SLEEPER, env={**os.environ, processes.MARK: str(tmp_path) + "-other"})
    try:
        deadline = time.monotonic() + 120
        while not (found := processes.marked(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert found == [child.pid]
    finally:
        for each in (child, other):
            each.send_signal(signal.SIGKILL)
            each.wait()
