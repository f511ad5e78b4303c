"""Requests with a key have their effect once on a whole platform, although those who carry them out are killed."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cluster.processes import descendants
from tests.crash.exchange import Exchange
from tests.crash.people import Person
from tests.crash.rows import Lock, Rows
from tests.crash.waiting import until
from tests.end_to_end.platforms import Up

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

CLIENTS, LONG_S = 4, 600.0
CROSSING = {"fast_bars": 4, "slow_bars": 12}
# Whoever only reads is not held up by a row that somebody has locked; whoever changes it or refers to it is.
VERSION = "SELECT 1 FROM algorithm_versions WHERE algorithm_id = %s FOR UPDATE"
DEPLOYMENT = "SELECT 1 FROM deployed_algorithms WHERE id = %s FOR UPDATE"
HELD_UP = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"


@dataclass
class Mortal:
    """A platform that is killed and brought back. Its exchange outlives it."""

    folder: Path
    exchange: Exchange
    up: Up = field(init=False)
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.rows = Rows(self.folder / "home")
        self.start()

    def start(self) -> None:
        external = ("--external-exchange", self.exchange.url, "--external-token-file", str(self.exchange.token_file))
        markets = ",".join(sorted(self.exchange.venue.terms.market_coins))
        self.up = Up(self.folder / "home", *external, plays=(), OMC_MARKET_COINS=markets)
        self.up.ready()

    def locked(self, query: str, which: UUID) -> Lock:
        return until(lambda: self.rows.lock(query, which), "a row to lock")

    def held_up(self) -> set[int]:
        """Connections that wait to write a deployment down."""
        return {pid for (pid,) in self.rows.ask(HELD_UP, "%deployed_algorithms%")}

    def replicas(self) -> list[int]:
        """Of the floor."""
        return [pid for pid in descendants(self.up.process.pid) if _command(pid).startswith(b"ray::ServeReplica:floor")]

    def kill_floor(self) -> None:
        killed = until(self.replicas, "a replica to kill")
        _kill(killed)
        until(lambda: set(self.replicas()) - set(killed), "its successor")

    def kill(self) -> None:
        """All of it, database included, and start it again."""
        owner = self.up.process.pid
        _kill([owner, *descendants(owner)])
        self.up.process.wait(LONG_S)
        self.start()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    exchange = Exchange(folder, seed=7, days=2.0, depth_aud=Decimal(400), pace_s=0.2)
    exchange.start()
    made = Mortal(folder, exchange)
    yield made
    made.up.stop()
    exchange.stop()


@pytest.fixture
def person(mortal: Mortal) -> Person:
    return Person(mortal.folder / "home")


def status_of(person: Person, deployment: UUID) -> str:
    return str(person.ask("GET", f"/floor/deployments/{deployment}")["data"]["status"])


def test_one_deployment_comes_of_many_copies_whoever_dies(mortal: Mortal, person: Person):
    wish, key = person.wish("one", "ETH", "390", CROSSING), uuid4().hex

    def ask(_: int) -> Any:
        return person.ask("POST", "/floor/deploy", wish, key=key, within_s=LONG_S)

    lock = mortal.locked(VERSION, UUID(wish["algorithm_id"]))
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(ask, range(CLIENTS))
        first = until(mortal.held_up, "whoever carries it out first")
        mortal.kill_floor()
        until(lambda: mortal.held_up() - first, "whoever carries it out again")
        mortal.kill()
        lock.let_go()
        answered = list(answers)
    mortal.kill_floor()
    answered += [ask(0)]
    mortal.kill()
    answered += [ask(0)]
    assert answered[0]["data"]["deployment_name"] == "one"
    assert [each for each in answered if each != answered[0]] == []
    made = mortal.rows.ask("SELECT id FROM deployed_algorithms WHERE user_id = %s", person.user_id)
    assert made == [(UUID(answered[0]["data"]["id"]),)]


def test_the_last_word_holds_whoever_dies_and_late_copies_change_nothing(mortal: Mortal, person: Person):
    deployment = person.deploy("two", "SOL", "390", CROSSING)
    activate, pause = f"/floor/algorithms/{deployment}/activate", f"/floor/algorithms/{deployment}/pause"
    older, newer, late = (uuid4().hex for _ in range(3))
    person.ask("POST", pause)
    # Its trader writes things down, too, until it has gone.
    until(lambda: not mortal.held_up() and status_of(person, deployment) == "paused", "a pause")

    def cut_off(key: str) -> None:
        """An activation that is under way when `die` kills whoever carries it out."""
        lock = mortal.locked(DEPLOYMENT, deployment)
        with ThreadPoolExecutor(1) as client:
            asked = client.submit(person.attempt, "POST", activate, None, {"Idempotency-Key": key})
            until(mortal.held_up, "whoever carries it out")
            die[key]()
            lock.let_go()
            status, _ = asked.result()
        assert not 200 <= status < 300

    die = {older: mortal.kill_floor, newer: mortal.kill, late: mortal.kill_floor}
    cut_off(older)
    person.ask("POST", activate, key=older)
    assert status_of(person, deployment) == "active", "it is asked for again, and comes to pass after all"
    person.ask("POST", pause)
    person.ask("POST", activate, key=older)
    assert status_of(person, deployment) == "paused", "what had its effect before the pause does not undo it"

    cut_off(newer)
    person.ask("POST", activate, key=newer)
    assert status_of(person, deployment) == "active", "it is the last word, and comes to pass after all"

    person.ask("POST", pause)
    cut_off(late)
    person.ask("POST", pause)
    person.ask("POST", activate, key=late, fine=(409,))
    assert status_of(person, deployment) == "paused", "what died before a pause that was asked for later is too late"

    person.ask("POST", pause)
    for key in (older, newer, late):
        person.ask("POST", activate, key=key, fine=(409,))
    assert status_of(person, deployment) == "paused"
