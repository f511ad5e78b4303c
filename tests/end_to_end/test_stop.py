"""An emergency stop is asked for by HTTP while the database of a whole platform hangs, or is gone and stays away: it
holds from its answer on, and is on record when the database is there again."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal

import pytest

from bench.boot import tree
from omc.adapters.postgres.server import EmbeddedPostgres
from tests.crash.exchange import Asked, Exchange
from tests.crash.people import Person
from tests.crash.rows import Rows
from tests.crash.scene import Scene
from tests.crash.waiting import until
from tests.end_to_end.platforms import Up, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

STOP = "/floor/emergency-stop"
RESTLESS = {"fast_bars": 1, "slow_bars": 2}
BAR_S, BARS, LONG_S = 300.0, 10, 600.0


@dataclass
class House:
    """A platform whose exchange this process is, and whoever trades on it. Somebody else trades all the time."""

    up: Up
    exchange: Exchange
    person: Person
    trading: list[Scene]
    token: str
    """Of a program of theirs."""

    def shown(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if who == "program" else {}

    def sent(self) -> list[Asked]:
        """Orders of theirs that have been on the wire, oldest first."""
        ours = {scene.account for scene in self.trading}
        return [each for each in list(self.exchange.asked) if each.places and each.account in ours]

    def trades(self) -> None:
        for scene in self.trading:
            scene.goes_on(1, BAR_S, LONG_S)

    def server(self) -> list[int]:
        """The database's processes, the one that starts the others first."""
        head = EmbeddedPostgres(self.up.home).pid
        assert head is not None
        return tree(head)

    @contextmanager
    def hangs(self) -> Iterator[None]:
        first, *_ = self.server()
        # The one that could start more of them first.
        os.kill(first, signal.SIGSTOP)
        stopped = self.server()
        _tell(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            _tell(stopped, signal.SIGCONT)

    @contextmanager
    def is_gone(self) -> Iterator[None]:
        """Killed, and started again in vain."""
        needed = self.up.home / "postgres" / "data" / "PG_VERSION"
        away = needed.with_name("PG_VERSION.away")
        needed.rename(away)
        try:
            _tell(self.server(), signal.SIGKILL)
            yield
        finally:
            away.rename(needed)


def _tell(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("stop")
    exchange = Exchange(folder, seed=7, days=30.0, depth_aud=Decimal(400), pace_s=0.3)
    exchange.start()
    external = ("--external-exchange", exchange.url, "--external-token-file", str(exchange.token_file))
    markets = ",".join(sorted(exchange.venue.terms.market_coins))
    up = Up(folder / "home", *external, plays=(), OMC_MARKET_COINS=markets)
    try:
        up.ready()
        person, rows = Person(up.home), Rows(up.home)
        made = person.ask("POST", "/users/tokens", {"name": "a program", "scopes": ["trade"]})["data"]["token"]
        trading = [
            Scene(exchange, rows, person, name, person.deploy(name, coin, "390", RESTLESS))
            for name, coin in (("one", "ETH"), ("two", "SOL"))
        ]
        Person(up.home).deploy("another", "BTC", "2000", RESTLESS)
        yield House(up, exchange, person, trading, made)
    finally:
        up.stop()
        exchange.stop()


def outcomes(person: Person) -> list[str]:
    """Of the stops that are on record, oldest first."""
    found = person.ask("GET", "/audit?action=risk.stop&per_page=200")["items"]
    return [each["outcome"] for each in reversed(found)]


@pytest.mark.parametrize(
    ("trouble", "who", "liquidate"),
    [
        (House.hangs, "session", False),
        (House.is_gone, "program", False),
        (House.hangs, "program", True),
        (House.is_gone, "session", True),
    ],
    ids=["hangs, a session", "is gone, a program", "hangs, a program sells out", "is gone, a session sells out"],
)
def test_a_stop_holds_without_the_database_and_is_on_record_when_it_is_back(
    house: House, trouble: Callable[[House], AbstractContextManager[None]], who: str, liquidate: bool
):
    person, shown, halts = house.person, house.shown(who), house.up.home / "halts"
    house.trades()
    before = outcomes(person)
    # A program's token is believed without the database where it was seen before.
    assert person.attempt("GET", "/floor/risk/status", None, shown)[0] == 200
    with trouble(house):
        status, told = person.attempt("POST", STOP, {"liquidate": liquidate, "reason": who}, shown)
        sent = len(house.sent())
        assert status == 200, told
        stopped = told["data"]
        assert {"file", "risk desk"} <= set(stopped["kept_in"])
        assert stopped["sold"] == []
        assert any("not in the database" in each for each in stopped["problems"])
        assert not any("has not told" in each for each in stopped["problems"])
        assert any(str(person.user_id) in each.name for each in halts.iterdir())
        time.sleep(5)
        assert house.sent()[sent:] == []
    until(lambda: outcomes(person)[len(before) :] == ["asked", "done"], "both entries of the audit trail")
    paused = "SELECT status FROM deployed_algorithms WHERE user_id = %s"
    rows = house.trading[0].rows
    until(lambda: {status for (status,) in rows.ask(paused, person.user_id)} == {"paused"}, "a pause of all")
    assert person.halted
    bar = house.exchange.player.position
    until(lambda: house.exchange.player.position >= bar + BARS, "bars that nobody trades on", LONG_S)
    late = [each for each in house.sent()[sent:] if not (liquidate and each.order[0] == "sell")]
    assert late == []
    assert [sentence for scene in house.trading for sentence in scene.violations()] == []
    assert person.ask("POST", f"{STOP}/reset", {"reason": "the test goes on"})["data"]["halted"] is False
    for scene in house.trading:
        person.ask("POST", f"{scene.path}/activate")
    house.trades()
    assert omc(house.up.home, "audit", "verify")
