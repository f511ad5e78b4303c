"""The lab from the command line: backtests, checks, gates and pages."""

import json

import httpx
import pytest

from omc.cli.main import run

ALGORITHM = "22222222-2222-2222-2222-222222222222"
RUN = "33333333-3333-3333-3333-333333333333"
WINDOW = ["--coins", "btc,eth", "--start", "2025-01-01", "--end", "2025-02-01"]
COUNTS = {"done": 2, "failed": 0, "pruned": 0}
GATE = {"gate": "pbo", "figure": None, "threshold": 0.2, "passed": False, "why": "no sweep with [folds]"}


def test_a_backtest_says_its_costs_and_tells_its_metrics(served, capsys):
    done = {"id": RUN, "status": "completed", "progress": 1.0, "trades": 7, "metrics": {"sharpe": 1.5, "calmar": None}}
    asked = served({f"POST /lab/algorithms/{ALGORITHM}/backtest": {"id": RUN}, f"GET /lab/backtests/{RUN}": done})
    assert run(["backtest", ALGORITHM, *WINDOW, "--slippage-bps", "5", "--latency-bars", "2"]) == 0
    body = asked[0][2]
    assert (body["coins"], body["slippage_bps"], body["latency_bars"]) == (["BTC", "ETH"], 5.0, 2)
    assert "rebalance_band" not in body
    assert "1.5000" in capsys.readouterr().out


def test_a_model_to_try_it_out_with_is_named(served):
    path, shown = f"/lab/algorithms/{ALGORITHM}", {"target": "validated", "passed": True, "gates": [GATE]}
    asked = served(
        {
            f"GET {path}": {"id": ALGORITHM, "name": "a", "code": None},
            f"POST {path}/validate": {"valid": True, "findings": []},
            f"POST {path}/promote": {"algorithm": {"name": "a", "status": "validated"}, "gates": [GATE]},
            f"GET {path}/promotion": {**shown, "tries": {"tries": 1}},
        }
    )
    for words in (["validate"], ["promote"], ["promote", "--look"]):
        assert run([words[0], ALGORITHM, *words[1:], "--model", RUN]) == 0
    assert asked[1:] == [
        ("POST", f"{path}/validate?model_id={RUN}", {}),
        ("POST", f"{path}/promote", {"model_id": RUN}),
        ("GET", f"{path}/promotion?model_id={RUN}", None),
    ]


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
    "words",
    [
        ["promote"],
        ["promote", "--look"],
        ["validate"],
        ["report"],
        ["backtest", *WINDOW],
        ["sweep", *WINDOW, "--space", '{"bars": [1, 2]}'],
        ["walk-forward", *WINDOW, "--space", '{"bars": [1, 2]}'],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_what_takes_long_is_waited_for(served, monkeypatch, words):
    tries = {"tries": 1, "measured": 1, "mean_sharpe": 0.1, "variance_sharpe": None}
    path = f"/lab/algorithms/{ALGORITHM}"
    long = {
        f"POST {path}/promote": {"algorithm": {"name": "a", "status": "validated"}, "gates": [GATE]},
        f"GET {path}/promotion": {"target": "deployable", "passed": False, "gates": [GATE], "tries": tries},
        f"POST {path}/validate": {"valid": True, "findings": []},
        f"POST {path}/backtest": {"id": RUN},
        f"POST {path}/sweeps": {"id": RUN},
        f"GET /lab/backtests/{ALGORITHM}/report": "page",
    }
    quick = {
        f"GET {path}": {"id": ALGORITHM, "name": "a", "code": None},
        f"GET /lab/backtests/{RUN}": {"id": RUN, "status": "completed", "progress": 1.0, "trades": 0, "metrics": {}},
        f"GET /lab/sweeps/{RUN}": {"id": RUN, "status": "completed", "objective": "sharpe", **COUNTS},
        f"GET /lab/sweeps/{RUN}/results": {"items": [], "pages": 1},
        f"GET /lab/sweeps/{RUN}/verdict": {
            "choices": [],
            "deflated": None,
            "out_of_sample_sharpe": None,
            "pbo": None,
            "tries": 2,
        },
        f"GET /lab/backtests/{ALGORITHM}": {"id": ALGORITHM},
    }
    patience_s: dict[str, float | None] = {}
    sent = httpx.HTTPTransport.handle_request

    def noted(line: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path.removeprefix('/api/v1')}"
        patience_s[what] = request.extensions["timeout"]["read"]
        return sent(line, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", noted)
    served(long | quick)
    assert run([words[0], ALGORITHM, *words[1:]]) == 0
    asked = long.keys() & patience_s.keys()
    assert asked
    assert {patience_s[each] for each in asked} == {None}


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
