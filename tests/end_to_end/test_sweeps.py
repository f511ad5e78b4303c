"""A sweep on a whole platform: killed in the middle and resumed, or cancelled, it leaves nothing behind."""

import inspect
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.boot import tree
from omc.cli.platform import Platform
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from tests.end_to_end.platforms import Up

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

SPACE = {
    "fast_bars": {"low": 2, "high": 40, "log": True, "integer": True},
    "slow_bars": {"low": 50, "high": 200, "log": True, "integer": True},
}
# Enough to be caught in the middle of.
POINTS = 30_000
CODE = Path(inspect.getfile(MovingAverageCrossover)).read_text()
LOOPS = """
class Loops:
    memory_bars = 1

    def __init__(self, which=0):
        self.which = which

    def predict(self, frame):
        while self.which > 20:
            pass
        return frame.last * 0.0
"""
Asking = Callable[..., str]


@pytest.fixture(scope="module")
def there(platform: Up) -> Iterator[Platform]:
    with Platform(str(platform.ready()["url"]), platform.home) as client:
        client.register("sweeper@example.org", "correct horse battery", None)
        client.log_in("sweeper@example.org", "correct horse battery")
        yield client


@pytest.fixture(scope="module")
def asking(platform: Up, there: Platform) -> Asking:
    """Asks for a sweep; its path."""
    made: dict[str | None, str] = {}
    tape = platform.ready()["tape"]
    window = {"coins": tape["coins"][:2], "start_date": tape["start"], "end_date": tape["history_end"]}

    def ask(code: str | None = None, **change: object) -> str:
        if code not in made:
            kind = {"algorithm_type": "moving_average_crossover"} if code is None else {"algorithm_type": "custom"}
            named = {"name": f"a{len(made)}", **kind, **({} if code is None else {"code": code})}
            made[code] = there.post("/lab/algorithms", named)["id"]
        search = {"space": SPACE, "method": "random", "points": POINTS, "initial_cash": "10000"}
        asked = there.post(f"/lab/algorithms/{made[code]}/sweeps", {**window, **search, **change})
        return f"/lab/sweeps/{asked['id']}"

    return ask


def when(there: Platform, path: str, reached: Callable[[dict], bool], within_s: float = 240.0) -> dict:
    deadline = time.monotonic() + within_s
    while not reached(shown := there.get(path)):
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    return shown


def over(shown: dict) -> bool:
    return shown["status"] not in ("queued", "running")


def begun(shown: dict) -> bool:
    return shown["done"] > 0


def processes(platform: Up, of: str) -> list[int]:
    """Those of this platform: others may run beside it."""
    found = []
    for process in tree(platform.process.pid):
        with suppress(OSError):
            words = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if of in words and "/bin/sh" not in words:
                found.append(process)
    return found


def kill_drivers(platform: Up) -> None:
    for driver in processes(platform, f"cluster.sweep_job --home {platform.home}"):
        with suppress(ProcessLookupError):
            os.kill(driver, signal.SIGKILL)


def until(reached: Callable[[], bool], within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kept(there: Platform, path: str) -> str:
    return there.text(f"{path}/results?format=csv&sort=index")


def test_a_sweep_killed_in_the_middle_and_resumed_equals_one_that_was_not(platform, there, asking):
    whole = asking()
    assert when(there, whole, over)["status"] == "completed"
    killed = asking()
    when(there, killed, begun)
    kill_drivers(platform)
    failed = when(there, killed, over)
    assert (failed["status"], failed["error_message"]) == ("failed", "its driver died: resume it to go on")
    assert 0 < failed["done"] < POINTS
    there.post(f"{killed}/resume")
    ended = when(there, killed, over)
    assert (ended["status"], ended["done"]) == ("completed", POINTS)
    assert kept(there, killed) == kept(there, whole)
    assert ended["best"] == there.get(whole)["best"]


def test_a_cancelled_sweep_frees_the_cluster_for_the_next(platform, there, asking):
    path = asking()
    when(there, path, begun)
    assert there.post(f"{path}/cancel")["status"] == "cancelled"
    until(lambda: not workers(platform))
    after = asking(points=50)
    assert when(there, after, over)["status"] == "completed"
    assert 0 < there.get(path)["done"] < POINTS


def workers(platform: Up) -> list[int]:
    return processes(platform, "PointTrial") + processes(platform, "ResourceTrainable")


def sandboxes(platform: Up, since: set[int]) -> list[int]:
    """What was forked from a zygote since then, but for the one that each of them has ready."""
    family = set(processes(platform, "sandbox_process.zygote"))
    parents = {}
    for process in family:
        with suppress(OSError):
            parents[process] = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    forked = [process for process, parent in parents.items() if parent in family and process not in since]
    return forked if len(forked) > len({parents[each] for each in forked}) else []


def test_a_sweep_of_code_comes_to_what_is_built_in_though_its_driver_is_killed(platform, there, asking):
    before = set(processes(platform, "sandbox_process.zygote"))
    plain = asking(points=400)
    assert when(there, plain, over)["status"] == "completed"
    path = asking(CODE, points=400)
    when(there, path, begun)
    kill_drivers(platform)
    failed = when(there, path, over)
    if failed["status"] == "failed":
        until(lambda: not sandboxes(platform, before))
        there.post(f"{path}/resume")
        failed = when(there, path, over)
    assert failed["status"] == "completed", failed
    assert kept(there, path) == kept(there, plain)


def test_a_cancelled_sweep_of_code_that_loops_frees_the_processors(platform, there, asking):
    before = set(processes(platform, "sandbox_process.zygote"))
    path = asking(LOOPS, space={"which": list(range(200))}, method="grid", points=None)
    until(lambda: bool(sandboxes(platform, before)))
    assert there.post(f"{path}/cancel")["status"] == "cancelled"
    until(lambda: not sandboxes(platform, before) and not workers(platform))
    after = asking(points=50)
    assert when(there, after, over)["status"] == "completed"
