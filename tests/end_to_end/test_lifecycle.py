"""However a platform ends, nothing of it is left, and the next one starts."""

import os
import signal
import time
from pathlib import Path

import pytest

from bench.boot import tree
from tests.end_to_end.platforms import Up, family, living, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]


def gone(pids, within_s=120.0):
    deadline = time.monotonic() + within_s
    while (left := living(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left == []


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_it_ends_in_order_and_by_force_and_starts_again(tmp_path):
    home = tmp_path / "home"

    killed = Up(home)
    killed.ready()
    pids = family(killed.process.pid)
    killed.stop(signal.SIGKILL)
    assert gone(pids), "killing the launcher leaves nothing running"

    again = Up(home)
    record = again.ready()
    assert omc(home, "status")["ready"] is True
    pids = family(again.process.pid)
    inner = next(pid for pid in pids if pid != again.process.pid)
    os.kill(inner, signal.SIGKILL)
    assert again.process.wait(300) == 1, again.log.read_text()
    assert gone(pids), "killing the platform below its owner leaves nothing running"
    assert record["pid"] == again.process.pid

    third = Up(home)
    third.ready()
    pids = family(third.process.pid)
    assert third.stop(signal.SIGTERM) == 0, third.log.read_text()
    assert living(pids) == [], "told to stop, it has gone when it ends"
    assert not (home / "run" / "platform.json").exists()


def test_it_can_be_stopped_while_it_starts(tmp_path):
    for pause_s in (0.3, 2.0, 6.0):
        up = Up(tmp_path / "home")
        time.sleep(pause_s)
        pids = family(up.process.pid)
        # Interrupted before it could listen, Python itself ends by the signal.
        assert up.stop(signal.SIGINT) in (0, 130, -signal.SIGINT), up.log.read_text()
        assert gone(pids)


def test_a_platform_that_crashes_when_it_is_told_to_stop_was_interrupted(tmp_path):
    up = Up(tmp_path / "home")
    while not (below := [pid for pid in tree(up.process.pid) if b"cluster.boot" in command(pid)]):
        time.sleep(0.02)
    pids, platform = family(up.process.pid), below[0]
    os.kill(platform, signal.SIGSTOP)
    up.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    os.kill(platform, signal.SIGSEGV)
    os.kill(platform, signal.SIGCONT)
    assert up.process.wait(300) == 130, up.log.read_text()
    assert "SIGSEGV" in up.log.read_text()
    assert gone(pids)
