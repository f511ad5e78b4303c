"""Sweeps and walk-forwards from the command line."""

import json
from io import StringIO

from rich.console import Console

from omc.cli.main import run
from omc.cli.waiting import progress

ID = "11111111-1111-1111-1111-111111111111"
ALGORITHM = "22222222-2222-2222-2222-222222222222"
SWEEP = {
    "id": ID,
    "status": "completed",
    "progress": 1.0,
    "points": 4,
    "done": 4,
    "failed": 1,
    "pruned": 2,
    "objective": "sharpe",
    "best": {"index": 2, "metrics": {"sharpe": 1.25}, "parameters": {"fast_bars": 12}},
    "error_message": None,
}
RESULTS = {
    "items": [{"index": 2, "metrics": {"sharpe": 1.25}, "parameters": {"fast_bars": 12}}],
    "total": 1,
    "page": 1,
    "per_page": 10,
    "pages": 1,
}
VERDICT = {
    "sweep_id": ID,
    "tries": 1_004,
    "deflated": {"sharpe": 1.25, "threshold": 2.0, "probability": 0.125},
    "pbo": 0.5,
    "out_of_sample_sharpe": -0.75,
    "degradation": 1.5,
    "choices": [
        {
            "fold": 2,
            "index": 2,
            "parameters": {"fast_bars": 12},
            "in_sample_sharpe": 1.5,
            "out_of_sample_sharpe": -0.75,
        }
    ],
}
WINDOW = ["--coins", "btc", "--start", "2025-01-01", "--end", "2025-02-01", "--space", '{"fast_bars": [12]}']
ANSWERS = {
    f"POST /lab/algorithms/{ALGORITHM}/sweeps": SWEEP,
    f"GET /lab/sweeps/{ID}": [{**SWEEP, "status": "running", "done": 1, "progress": 0.25}, SWEEP],
    f"GET /lab/sweeps/{ID}/results": RESULTS,
    f"GET /lab/sweeps/{ID}/verdict": VERDICT,
}


def test_a_sweep_asks_for_what_was_chosen_and_nothing_else(served, capsys):
    asked = served(ANSWERS)
    assert run(["sweep", ALGORITHM, *WINDOW, "--method", "optuna", "--points", "4", "--folds", "3", "--prune"]) == 0
    body = asked[0][2]
    assert (body["method"], body["points"], body["folds"], body["prune"]) == ("optuna", 4, 3, True)
    assert body.keys().isdisjoint({"scheme", "purge_bars", "rebalance_band", "slippage_bps"})
    said = capsys.readouterr().out
    assert "4 points, 1 failed, 2 pruned" in said
    assert "1.2500" in said


def test_a_walk_forward_tells_what_came_of_its_choices_out_of_sample(served, capsys):
    asked = served(ANSWERS)
    assert run(["walk-forward", ALGORITHM, *WINDOW]) == 0
    assert asked[0][2]["folds"] == 5
    said = capsys.readouterr().out
    for line in ("out-of-sample Sharpe", "-0.7500", "probability of overfitting", "0.5000", "0.1250", "1004"):
        assert line in said


def test_with_json_a_walk_forward_is_one_document(served, capsys):
    served(ANSWERS)
    assert run(["walk-forward", ALGORITHM, *WINDOW, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == VERDICT
    assert told["results"] == RESULTS["items"]


def test_a_sweep_that_failed_is_resumed_and_one_that_is_over_is_looked_at(served, capsys):
    failed = {**SWEEP, "status": "failed"}
    asked = served({**ANSWERS, f"GET /lab/sweeps/{ID}": [failed, SWEEP], f"POST /lab/sweeps/{ID}/resume": SWEEP})
    assert run(["sweep", "--resume", ID]) == 0
    assert ("POST", f"/lab/sweeps/{ID}/resume", {}) in asked
    asked = served({**ANSWERS, f"GET /lab/sweeps/{ID}": SWEEP})
    assert run(["sweep", "--resume", ID]) == 0
    assert {method for method, _, _ in asked} == {"GET"}


def test_a_sweep_is_cancelled_by_its_id(served, capsys):
    asked = served({f"POST /lab/sweeps/{ID}/cancel": {**SWEEP, "status": "cancelled"}})
    assert run(["sweep", "--cancel", ID]) == 0
    assert capsys.readouterr().out == f"sweep {ID} is cancelled\n"
    assert [path for _, path, _ in asked] == [f"/lab/sweeps/{ID}/cancel"]
    assert run(["sweep", "--cancel", "../quota"]) == 2


def test_a_sweep_that_fails_is_a_failure_with_its_reason(served, capsys):
    served({**ANSWERS, f"GET /lab/sweeps/{ID}": {**SWEEP, "status": "failed", "error_message": "no [room]"}})
    assert run(["sweep", ALGORITHM, *WINDOW]) == 1
    assert "the sweep has failed: no [room]" in capsys.readouterr().err


def test_a_sweep_under_way_shows_how_far_it_is():
    screen = Console(width=100, record=True, file=StringIO())
    screen.print(progress({**SWEEP, "status": "running", "done": 3, "progress": 0.75}, 2, 4.0))
    said = screen.export_text()
    for words in ("3 of 4 (75%)", "0.5", "1, 2", "1.2500", "fast_bars 12", "4 s, about 2 s left"):
        assert words in said
    screen.print(progress({**SWEEP, "best": None, "done": 0}, 0, 0.0))
    assert "best sharpe" in screen.export_text()
