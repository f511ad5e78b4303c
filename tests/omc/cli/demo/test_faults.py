"""The demo's hand on the exchange's faults, on an exchange that is real."""

import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest

from omc.cli.demo.faults import Faults, by_kind
from omc.cli.demo.play import Play
from omc.cli.outcome import Failure
from omc.cli.start import root

_EXCHANGE = (sys.executable, "-m", "omc.adapters.coinspot.exchange")


@pytest.fixture
def exchange(tmp_path):
    (tmp_path / "keys").mkdir()
    process = subprocess.Popen(
        [*_EXCHANGE, "--port", "0", "--days", "1", "--token-file", str(tmp_path / "keys" / "sandbox.token")],
        cwd=root(),
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process.stdout.readline().split()[1]
    process.terminate()
    process.wait(10)


def test_faults_begin_strike_and_end(exchange, tmp_path):
    faults = Faults(7, {"rate": 1.0}, exchange, tmp_path)
    faults.begin()
    for _ in range(5):
        try:
            httpx.get(f"{exchange}/pubapi/v2/latest")
        except httpx.HTTPError:
            continue
    found = faults.end()
    assert (found["seed"], found["rate"], found["total"]) == (7, 1.0, len(found["faults"]))
    assert sum(found["counts"].values()) == found["total"] > 3
    assert httpx.get(f"{exchange}/pubapi/v2/latest").json()["status"] == "ok"


def test_the_kinds_that_would_change_trades_are_left_out(exchange, tmp_path):
    Faults(7, {"rate": 0.5}, exchange, tmp_path).begin()
    headers = {"x-sandbox-token": (tmp_path / "keys" / "sandbox.token").read_text().strip()}
    kinds = httpx.get(f"{exchange}/sandbox/faults", headers=headers).json()["kinds"]
    assert not {"partial-fill", "clock-skew"} & set(kinds)
    assert len(kinds) > 20


def test_an_exchange_that_takes_no_orders_from_us_is_one_sentence(exchange, tmp_path):
    (tmp_path / "keys" / "sandbox.token").write_text("wrong")
    with pytest.raises(Failure, match="the sandbox exchange: wrong or missing x-sandbox-token"):
        Faults(7, {"rate": 0.5}, exchange, tmp_path).begin()
    with pytest.raises(Failure, match="does not say what it does wrong"):
        Faults(7, {"rate": 0.5}, exchange, tmp_path / "elsewhere").begin()


def test_kinds_are_counted_in_words():
    assert by_kind({"html": 1, "dropped": 12, "crossed-prices": 1}) == "12 dropped, 1 crossed-prices, 1 html"
    assert by_kind({}) == ""


class Switch:
    def __init__(self):
        self.said = []

    def begin(self):
        self.said.append("on")

    def end(self):
        self.said.append("off")
        return {"total": 0, "counts": {}}


def test_the_books_are_waited_for_once_the_faults_are_off(monkeypatch):
    rows = [
        [],
        [{"differences": ["BTC"]}],
        [{"differences": [], "error": "away"}],
        [{"differences": [], "error": None}],
    ]
    asked = []

    def get(path, **query):
        asked.append(switch.said[-1])
        return {"items": rows[len(asked) - 1]}

    switch = Switch()
    play = Play(SimpleNamespace(get=get), None, {}, faults=switch, deployment={"id": "d1"})
    monkeypatch.setattr(Play, "_deploy", lambda self, algorithm: switch.said.append(algorithm))
    monkeypatch.setattr(Play, "_trade", lambda self: None)
    play._trade_against(switch, "a1")
    assert switch.said == ["on", "a1", "off"]
    assert asked == ["off"] * 4


def test_faults_end_with_a_demo_that_fails(monkeypatch):
    switch = Switch()
    play = Play(SimpleNamespace(), None, {}, faults=switch)

    def fail(self, algorithm):
        raise Failure("no")

    monkeypatch.setattr(Play, "_deploy", fail)
    with pytest.raises(Failure):
        play._trade_against(switch, "a1")
    assert switch.said == ["on", "off"]
