"""Whatever stands between people and their answers is killed while they write: it comes back, and what was acknowledged
is there once."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench.boot import tree
from cluster import front
from tests.crash.people import Person
from tests.crash.waiting import until
from tests.end_to_end.platforms import Up, omc, running

pytestmark = [
    pytest.mark.ray,
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.skipif(front.program() is None, reason="HAProxy does not come with Ray here"),
]

# More than are ever asked for here: none is refused for those before it.
MANY = {"OMC_QUOTA_BACKTESTS": "10000"}
# The controller first: those after it are replaced by the one that came back.
VICTIMS = {
    "Serve's controller": ("ray::ServeController",),
    "the gateway's replica": ("ray::ServeReplica:gateway:", "ray::SERVE_REPLICA::gateway#"),
    "the lab's replica": ("ray::ServeReplica:lab:", "ray::SERVE_REPLICA::lab#"),
    "HAProxy": ("/haproxy",),
    "PostgreSQL": ("/bin/postgres",),
}


def called(up: Up, words: tuple[str, ...]) -> list[int]:
    """The platform's processes whose first word has one of these in it."""
    return [pid for pid in tree(up.process.pid) if any(word in program(pid) for word in words)]


def program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
    except OSError:
        return ""


class Writing:
    """Somebody who writes until told to stop: one thing after the other, each until it is acknowledged."""

    def __init__(self, write: Callable[[], str]) -> None:
        self.acknowledged: list[str] = []
        self._write, self._ending, self._fault = write, threading.Event(), ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hears(self, more: int) -> None:
        """Return when so many more were acknowledged of those that are begun from now on."""
        enough = len(self.acknowledged) + more + 1
        assert until(lambda: self._fault or len(self.acknowledged) >= enough, "an acknowledged write")
        assert not self._fault

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(300)
        assert not self._thread.is_alive()
        assert not self._fault

    def _run(self) -> None:
        try:
            while not self._ending.wait(0.3):
                self.acknowledged.append(self._write())
        except Exception as fault:
            self._fault = repr(fault)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running(tmp_path_factory.mktemp("front") / "home", **MANY) as it:
        yield it


@contextmanager
def writing(write: Callable[[], str]) -> Iterator[Writing]:
    it = Writing(write)
    try:
        yield it
    finally:
        it.stop()


@pytest.mark.parametrize("victim", VICTIMS)
def test_who_is_killed_comes_back_and_what_was_acknowledged_is_there_once(up: Up, victim: str) -> None:
    person, names = Person(up.home), iter(range(1_000_000))
    idea = {
        "name": "idea",
        "algorithm_type": "moving_average_crossover",
        "parameters": {"fast_bars": 2, "slow_bars": 4},
    }
    algorithm = person.ask("POST", "/lab/algorithms", idea)["data"]["id"]
    tape = json.loads((up.home / "run" / "platform.json").read_text())["tape"]
    start = datetime.fromisoformat(tape["start"]) + timedelta(days=1)
    window = {"start_date": start.isoformat(), "end_date": (start + timedelta(hours=2)).isoformat()}

    def ask_for_backtest() -> str:
        asked = {**window, "coins": tape["coins"][:1], "initial_cash": "1000"}
        return str(person.ask("POST", f"/lab/algorithms/{algorithm}/backtest", asked)["data"]["id"])

    def take_a_name() -> str:
        name = f"Somebody {next(names)}"
        return str(person.ask("PUT", "/users/profile", {"full_name": name})["data"]["full_name"])

    with writing(ask_for_backtest) as backtests, writing(take_a_name) as profile:
        backtests.hears(2)
        profile.hears(2)
        killed = until(lambda: called(up, VICTIMS[victim]), victim)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until(lambda: set(called(up, VICTIMS[victim])) - set(killed), f"the successor of {victim}")
        backtests.hears(3)
        profile.hears(3)

    page = person.ask("GET", f"/lab/algorithms/{algorithm}/backtests?per_page=100")
    assert page["total"] == len(backtests.acknowledged) <= 100
    assert sorted(each["id"] for each in page["items"]) == sorted(backtests.acknowledged)
    assert person.ask("GET", "/users/profile")["data"]["full_name"] == profile.acknowledged[-1]
    assert omc(up.home, "status")["ready"] is True
