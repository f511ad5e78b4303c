"""Real money on a whole platform, at a stand-in for the real exchange that runs elsewhere: a sandbox with an account of
somebody's, whose key and secret are planted, and looked for everywhere in the end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from omc.adapters.postgres import dsn
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.prices import PostgresPrices
from omc.market.synthetic import synthetic_tape
from omc.strategy.algorithm import AlgorithmStatus
from tests.end_to_end import telling
from tests.end_to_end.platforms import ROOT, Up, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

KEY, SECRET, READER = "planted-key-of-an-owner", "planted-secret-of-an-owner", "planted-reader-of-an-owner"
SEED, DAYS, OPENS_AT, CASH = 7, 40, 1_440, "5000.00"
LIMITS = ["--order-limit", "4000", "--position-limit", "4000", "--daily-loss", "4000"]
QUICK = {"fast_bars": 4, "slow_bars": 12}


@dataclass
class Place:
    """A home, the exchange that it follows, and how its platform is started on both."""

    home: Path
    url: str
    token_file: Path

    def up(self, *arguments: str, **environment: str) -> Up:
        external = ("--external-exchange", self.url, "--external-token-file", str(self.token_file))
        known = {"OMC_LIVE_EXCHANGE_URL": self.url, "OMC_VENUE_LAG_S": "0", **environment}
        return Up(self.home, *external, *arguments, plays=(), **known)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("live")
    token_file = folder / "token"
    market = ["--seed", str(SEED), "--days", str(DAYS), "--start-at", str(OPENS_AT), "--lockstep"]
    accounts = ["--account", f"{KEY}:{SECRET}:{CASH}", "--read-only-key", f"{READER}:{SECRET}:{KEY}"]
    command = [sys.executable, "-m", "omc.adapters.coinspot.exchange", "--port", "0", "--token-file", str(token_file)]
    exchange = subprocess.Popen(
        [*command, *market, *accounts],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = exchange.stdout.readline().split()
    yield Place(folder / "home", said[1], token_file)
    exchange.terminate()
    exchange.wait(10)


@pytest.fixture(scope="module")
def platform(place) -> Iterator[Up]:
    up = place.up()
    try:
        up.ready()
        yield up
    finally:
        up.stop()


@pytest.fixture(scope="module")
def owner(platform) -> dict[str, Any]:
    """Somebody with an algorithm that passed every gate, on a platform that knows the market so far."""
    profile = omc(platform.home, "register", f"{uuid4().hex}@example.org")
    arguments = ["--type", "moving_average_crossover", "--parameters", json.dumps(QUICK)]
    made = omc(platform.home, "algorithm", "create", "idea", *arguments)

    async def passed() -> None:
        database = Database(platform.home / "run" / "database.dsn")
        await PostgresPrices(database).load(synthetic_tape(SEED, DAYS).frame.rows(0, OPENS_AT))
        algorithms = PostgresAlgorithms(database)
        await algorithms.set_status(UUID(made["id"]), UUID(profile["id"]), AlgorithmStatus.DEPLOYABLE)
        await database.close()

    asyncio.run(passed())
    return profile


def typed(home: Path, text: str, *arguments: str, code: int = 0) -> Any:
    """A command that is fed by a pipe."""
    done = subprocess.run(
        [ROOT / ".venv/bin/omc", *arguments, "--json"],
        env={**os.environ, "OMC_HOME": str(home)},
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def deploy(home: Path, name: str, *, cash: str = "2000", code: int = 0, confirm: str | None = None) -> Any:
    word = confirm or f"trade {name} with real money"
    arguments = ["--coins", "BTC,ETH", "--mode", "live", "--cash", cash, "--confirm", word, *LIMITS]
    return omc(home, "deploy", "idea", "--name", name, *arguments, code=code)


def deleted(home: Path) -> bool:
    """Whether the key could be deleted: not while an order is under way that was sent with it."""
    command = [ROOT / ".venv/bin/omc", "credentials", "delete", "coinspot", "--json"]
    environment = {**os.environ, "OMC_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 or "under way at coinspot" in done.stdout, done.stdout
    return done.returncode == 0


def traded(home: Path, name: str) -> int:
    return len(omc(home, "trades", "--deployment", name, "--limit", "10000"))


def until(met: Any, within_s: float = 240.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := met()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def test_what_live_trading_lacks_is_said_step_by_step(platform, owner):
    home = platform.home
    venue = omc(home, "venues", "coinspot")
    assert venue["live"] == {"available": True, "refusal": None}
    assert "has none of coinspot" in deploy(home, "first", code=5)["error"]["message"]
    told = typed(home, f"{READER}\n{SECRET}\n", "credentials", "set", "coinspot")
    assert (told["access"], told["api_key"]) == ("read_only", "plan…wner")
    assert "cannot trade" in deploy(home, "first", code=5)["error"]["message"]
    told = typed(home, f"{KEY}\nwrong\n", "credentials", "set", "coinspot")
    assert told["access"] == "refused"
    assert "not validated" in deploy(home, "first", code=5)["error"]["message"]
    told = typed(home, f"{KEY}\n{SECRET}\n", "credentials", "set", "coinspot")
    assert (told["access"], told["is_validated"]) == ("full", True)
    assert "does not tell whether a key may withdraw" in deploy(home, "first", code=5)["error"]["message"]
    assert omc(home, "credentials", "validate", "coinspot", "--withdrawals-disabled")["withdrawals_disabled"]
    assert "trade first with real money" in deploy(home, "first", confirm="yes", code=5)["error"]["message"]
    assert "are free" in deploy(home, "first", cash="5000.01", code=5)["error"]["message"]


def test_two_deployments_trade_one_account_and_the_books_are_the_exchanges(platform, owner):
    home = platform.home
    for name in ("first", "second"):
        made = deploy(home, name)
        assert (made["mode"], made["status"]) == ("live", "active")
    assert "A$1,000.00 that are free" in deploy(home, "third", code=5)["error"]["message"]
    for name in ("first", "second"):
        until(lambda name=name: traded(home, name) >= 4)
        omc(home, "pause", name)
    until(lambda: deleted(home))  # nothing trades by it now
    told = typed(home, f"{KEY}\n{SECRET}\n", "credentials", "set", "coinspot", "--withdrawals-disabled")
    assert told["access"] == "full"
    rotated = omc(home, "keys", "rotate", "--new")
    assert (rotated["resealed"], rotated["failed"], rotated["needed"]) == (1, [], [])
    for name in ("first", "second"):
        parity = omc(home, "parity", name)
        assert parity["differences"] == []
        assert parity["floor_trades"] == parity["paired"] >= 4


def test_it_goes_on_after_a_restart_and_stops_at_once(place, platform, owner):
    home = platform.home
    assert "to the letter" in omc(home, "activate", "first", code=5)["error"]["message"]
    omc(home, "activate", "first", "--confirm", "trade first with real money")
    before = traded(home, "first")
    assert omc(home, "credentials", "delete", "coinspot", code=5)["error"]["code"] == "CONFLICT"
    assert platform.stop() == 0
    again = place.up()
    try:
        again.ready()
        omc(home, "login", owner["email"])
        until(lambda: traded(home, "first") > before)
        stopped = omc(home, "emergency-stop", "--liquidate")
        assert (stopped["halted"], stopped["problems"]) == (True, [])
        earned = omc(home, "pnl", "--deployment", "first")
        assert float(earned["summary"]["unrealized_pnl_aud"]) == 0
        assert deploy(home, "third", cash="1", code=6)["error"]["code"] == "HALTED"
        omc(home, "emergency-stop", "--reset")
        _look_for_secrets(home, again)
    finally:
        again.stop()


def test_a_platform_on_a_tape_trades_none_of_it(place, platform, owner):
    tape = Up(place.home, OMC_SYNTHETIC_DAYS="12")
    try:
        tape.ready()
        omc(place.home, "login", owner["email"])
        venue = omc(place.home, "venues", "coinspot")
        assert "plays a tape" in venue["live"]["refusal"]
        error = omc(place.home, "activate", "first", "--confirm", "trade first with real money", code=5)["error"]
        assert "no real money is traded at coinspot from here" in error["message"]
    finally:
        tape.stop()


def test_without_the_vaults_key_it_does_not_start(place, platform, owner):
    key = place.home / "keys" / "vault.key"
    kept = key.read_text()
    key.unlink()
    refused = place.up()
    assert refused.process.wait(180) == 1
    assert "put the vault's key back there" in refused.log.read_text()
    key.touch(0o600)
    key.write_text(kept)


def _look_for_secrets(home: Path, up: Up) -> None:
    """In every table, every log, everything that the platform has said, and whatever Ray's own commands tell."""
    planted = [KEY, SECRET, READER]
    with psycopg.connect(dsn.read(home / "run" / "database.dsn")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert ("coinspot_credentials",) in tables
        for (table,) in tables:
            with connection.cursor().copy(f'COPY (SELECT * FROM "{table}") TO STDOUT') as rows:
                dump = b"".join(bytes(row) for row in rows)
            for secret in planted:
                assert secret.encode() not in dump, table
                assert secret.encode().hex().encode() not in dump, table
    session = Path(json.loads((home / "run" / "platform.json").read_text())["session"])
    places = [up.log, *home.glob("logs/**/*"), *home.glob("run/*"), *home.glob("keys/*"), *session.glob("logs/**/*")]
    files = [path for path in places if path.is_file()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in planted if secret.encode() in content], path
    for words, content in telling.told(home):
        assert not [secret for secret in planted if secret.encode() in content], words
