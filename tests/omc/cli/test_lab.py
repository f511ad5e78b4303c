"""The lab from the command line: backtests, checks, gates and pages."""

import json
import time

import httpx
import pytest

from omc.cli.main import run

ALGORITHM = "22222222-2222-2222-2222-222222222222"
RUN = "33333333-3333-3333-3333-333333333333"
GATE = {"gate": "pbo", "figure": None, "threshold": 0.2, "passed": False, "why": "no sweep with [folds]"}


def test_a_backtest_says_its_costs_and_tells_its_metrics(served, capsys):
    done = {"id": RUN, "status": "completed", "progress": 1.0, "trades": 7, "metrics": {"sharpe": 1.5, "calmar": None}}
    asked = served({f"POST /lab/algorithms/{ALGORITHM}/backtest": {"id": RUN}, f"GET /lab/backtests/{RUN}": done})
    window = ["--coins", "btc,eth", "--start", "2025-01-01", "--end", "2025-02-01"]
    assert run(["backtest", ALGORITHM, *window, "--slippage-bps", "5", "--latency-bars", "2"]) == 0
    body = asked[0][2]
    assert (body["coins"], body["slippage_bps"], body["latency_bars"]) == (["BTC", "ETH"], 5.0, 2)
    assert "rebalance_band" not in body
    assert "1.5000" in capsys.readouterr().out


def test_an_algorithm_that_looks_ahead_is_found_out(served, capsys):
    finding = {"rule": "look_ahead", "line": None, "column": None, "message": "bar 7 changes with bar 9"}
    path = f"POST /lab/algorithms/{ALGORITHM}/validate"
    served({path: {"valid": False, "findings": [finding]}})
    assert run(["lookahead", ALGORITHM]) == 6
    printed = capsys.readouterr()
    assert "bar 7 changes with bar 9" in printed.out
    assert printed.err == "omc: 1 finding: bar 7 changes with bar 9\n"
    assert run(["lookahead", ALGORITHM, "--json"]) == 6
    assert json.loads(capsys.readouterr().out)["error"]["details"]["findings"] == [finding]
    served({path: {"valid": True, "findings": []}})
    assert run(["lookahead", ALGORITHM]) == 0


def test_every_gate_is_shown_with_its_figure_its_threshold_and_why(served, capsys):
    tries = {"tries": 1_000, "measured": 990, "mean_sharpe": 0.1, "variance_sharpe": 0.5}
    refusal = (409, "GATE_NOT_PASSED", {"gates": [GATE], "tries": tries})
    asked = served(
        {
            f"POST /lab/algorithms/{ALGORITHM}/promote": refusal,
            f"GET /lab/algorithms/{ALGORITHM}/promotion": {
                "target": "deployable",
                "passed": False,
                "gates": [GATE],
                "tries": tries,
            },
        }
    )
    assert run(["promote", ALGORITHM]) == 6
    printed = capsys.readouterr()
    for words in ("pbo", "0.2000", "no sweep with [folds]"):
        assert words in printed.out
    assert printed.err.count("\n") == 1
    assert run(["promote", ALGORITHM, "--look"]) == 0
    assert "to deployable: not yet; 1,000 tries counted" in capsys.readouterr().out
    assert [method for method, _, _ in asked] == ["POST", "GET"]


@pytest.mark.parametrize(
    "words", [["promote"], ["promote", "--look"], ["lookahead"], ["report"]], ids=lambda words: " ".join(words)
)
def test_what_takes_long_is_waited_for(served, monkeypatch, words):
    def at_last(answer):
        def slow():
            time.sleep(0.4)
            return answer

        return slow

    tries = {"tries": 1, "measured": 1, "mean_sharpe": 0.1, "variance_sharpe": None}
    path = f"/lab/algorithms/{ALGORITHM}"
    monkeypatch.setattr("omc.cli.platform._TIMEOUT", httpx.Timeout(0.2))
    served(
        {
            f"POST {path}/promote": at_last({"algorithm": {"name": "a", "status": "validated"}, "gates": [GATE]}),
            f"GET {path}/promotion": at_last(
                {"target": "deployable", "passed": False, "gates": [GATE], "tries": tries}
            ),
            f"POST {path}/validate": at_last({"valid": True, "findings": []}),
            f"GET /lab/backtests/{ALGORITHM}": {"id": ALGORITHM},
            f"GET /lab/backtests/{ALGORITHM}/report": at_last("page"),
        }
    )
    assert run([words[0], ALGORITHM, *words[1:]]) == 0


def test_the_page_of_a_backtest_or_of_a_sweep_is_saved(served, capsys, tmp_path):
    served({f"GET /lab/sweeps/{RUN}": {"id": RUN}, f"GET /lab/sweeps/{RUN}/report": "<!doctype html>sweep"})
    assert run(["report", RUN]) == 0
    assert (tmp_path / "sweep-33333333.html").read_text() == "<!doctype html>sweep"
    served({f"GET /lab/backtests/{RUN}": {"id": RUN}, f"GET /lab/backtests/{RUN}/report": "<!doctype html>run"})
    capsys.readouterr()
    assert run(["report", RUN, "--to", str(tmp_path / "a.html"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "backtest"
    assert (tmp_path / "a.html").read_text() == "<!doctype html>run"


def test_a_page_that_is_not_there_or_cannot_be_written_is_one_line(served, capsys, tmp_path):
    served({f"GET /lab/backtests/{RUN}": {"id": RUN}, f"GET /lab/backtests/{RUN}/report": (409, "CONFLICT")})
    assert run(["report", RUN]) == 5
    served({})
    assert run(["report", RUN]) == 5
    assert run(["report", "../etc"]) == 2
    served({f"GET /lab/sweeps/{RUN}": {"id": RUN}, f"GET /lab/sweeps/{RUN}/report": "page"})
    assert run(["report", RUN, "--to", str(tmp_path / "no" / "where.html")]) == 1
    assert capsys.readouterr().err.count("\n") == 4
