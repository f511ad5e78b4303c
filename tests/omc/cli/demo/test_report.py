"""What the demo writes down is what the platform answered: figures as JSON, and its page of the floor as it came."""

import json
from types import SimpleNamespace

import httpx
import pytest

from omc.cli.demo import report
from omc.cli.demo.own import Own
from omc.cli.demo.plan import Plan
from omc.cli.platform import Platform

URL = "http://127.0.0.1:8000"
PAGE = "<!doctype html><title>demo</title><body>floor<h2>Trades (7)</h2></body>"
TOKENS = {"access_token": "a", "refresh_token": "r", "expires_in": 900}
PARITY = {"start": None, "end": None, "backtest_trades": 7, "floor_trades": 7, "differences": []}
SUMMARY = {"fees_aud": "1", "realized_pnl_aud": "2", "unrealized_pnl_aud": "3", "equity_aud": "10004"}
STATUS = {
    "counts": {"executions": 9, "decisions": 5, "intents": 8, "denied": 1, "trades": 7},
    "decision_to_order_ms": {"orders": 7, "p50": 4.0, "p99": 9.0},
}
GATE = {"gate": "pbo", "figure": None, "threshold": 0.2, "passed": False, "why": "no sweep with <folds>"}
TRIES = {"tries": 32, "measured": 30, "mean_sharpe": 0.5, "variance_sharpe": 2.25}
KEYS = ["tape", "boot_s", "sweep", "promotion", "deployable", "tries", "floor", "parity", "reconciliation", "actors"]


@pytest.fixture
def play(tmp_path, monkeypatch):
    """A demo that has been played on a platform of a few lines; `books` is what its exchange says of our books."""
    books = {"differences": [], "error": None}
    answers = {
        "/auth/login": TOKENS,
        "/floor/algorithms/d1/parity": PARITY,
        "/floor/algorithms/d1/status": STATUS,
        "/floor/pnl/summary": SUMMARY,
    }

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        if path == "/floor/algorithms/d1/report":
            return httpx.Response(200, html=PAGE)
        if path == "/floor/reconciliation":
            return httpx.Response(200, json={"items": [books], "total": 1, "page": 1, "per_page": 20, "pages": 1})
        return httpx.Response(200, json={"status": "success", "data": answers[path], "message": None})

    monkeypatch.setattr(report, "actors", lambda home: [{"name": "risk:0", "state": "ALIVE"}])
    with Platform(URL, tmp_path, httpx.MockTransport(answer)) as there:
        there.log_in("demo@example.org", "secret")
        yield SimpleNamespace(
            there=there,
            platform=SimpleNamespace(boot_s=1.234),
            plan=Plan(),
            own=None,
            struck={},
            tape={"coins": ["BTC"], "bars": 10, "start": "a", "end": "b", "source": "recorded", "history_bars": 4},
            sweep={"done": 2, "seconds": 0.5, "best": {"parameters": {}}},
            promotion={"gates": [{"gate": "trades", "figure": 5, "threshold": 1, "passed": True, "note": "x"}]},
            real_money={"gates": [GATE], "tries": TRIES},
            deployment={"id": "d1", "algorithm_id": "a1"},
            books=books,
        )


def test_figures_and_page_are_written_beside_each_other(play, tmp_path):
    found = report.of(play, tmp_path)
    found.write(tmp_path)
    figures = json.loads((tmp_path / "report.json").read_text())
    assert list(figures) == KEYS
    assert (figures["floor"]["orders"], figures["floor"]["fills"]) == (7, 7)
    assert figures["parity"] == {"backtest_trades": 7, "floor_trades": 7, "differences": []}
    assert figures["deployable"] == [GATE]
    assert figures["tries"] == TRIES
    assert found.holds


def test_an_own_algorithm_is_named_with_its_backtest_and_needs_no_search(play, tmp_path):
    play.own, play.sweep = Own(tmp_path / "mine.py", "class A: ..."), {}
    play.backtest = {"trades": 3, "metrics": {"sharpe": 1.5}}
    figures = report.of(play, tmp_path).figures
    assert list(figures) == [*KEYS, "algorithm", "backtest"]
    assert figures["sweep"] is None
    assert figures["algorithm"] == str(tmp_path / "mine.py")
    assert figures["backtest"] == play.backtest


def test_the_page_shows_the_floor_and_every_gate(play, tmp_path):
    page = report.of(play, tmp_path).page
    before, after = PAGE.split("<h2>")
    assert page.startswith(before)
    assert page.endswith(f"<h2>{after}")
    assert "32 tries were counted; their Sharpe ratios are 0.50 on average, with a variance of 2.25." in page
    assert "<td>pbo</td>" in page
    assert "no sweep with &lt;folds&gt;" in page


def test_what_the_exchange_did_wrong_is_listed_by_kind_and_one_by_one(play, tmp_path):
    html = {"kind": "html", "method": "GET", "path": "/pubapi/v2/<latest>", "account": "", "position": 7}
    play.struck = {"seed": 3, "rate": 0.05, "total": 1234, "counts": {"dropped": 1, "html": 1233}, "faults": [html]}
    found = report.of(play, tmp_path)
    assert list(found.figures) == [*KEYS, "faults"]
    assert found.figures["faults"] == play.struck
    assert "1,234 faults by seed 3" in found.page
    assert "no differences" in found.page
    assert found.page.index("<td>html</td>") < found.page.index("<td>dropped</td>")
    assert '<td>GET /pubapi/v2/&lt;latest&gt;</td><td class="number">7</td>' in found.page
    assert found.page.index("every gate") < found.page.index("did wrong") < found.page.index("<h2>Trades")
    play.books["differences"] = ["BTC: 1 and 2"]
    found = report.of(play, tmp_path)
    assert "1 differences" in found.page
    assert not found.holds


@pytest.mark.parametrize("books", [{"differences": ["BTC: 1 and 2"]}, {"error": "risk:0 is away"}], ids=str)
def test_books_that_differ_or_could_not_be_compared_break_it(play, tmp_path, books):
    play.books.update(books)
    found = report.of(play, tmp_path)
    assert len(found.figures["reconciliation"]["differences"]) == 1
    assert not found.holds
