"""Models from the command line: fitted, listed, shown, used and deleted."""

from omc.cli.main import run

ALGORITHM = "22222222-2222-2222-2222-222222222222"
MODEL = "44444444-4444-4444-4444-444444444444"
RUN = "33333333-3333-3333-3333-333333333333"
MADE = {
    "id": MODEL,
    "version": 1,
    "size_bytes": 2_048,
    "bars": 8_640,
    "first_bar": "2025-01-01T00:00:00Z",
    "last_bar": "2025-01-31T00:00:00Z",
    "libraries": {"numpy": "2.3"},
}
PAGE = {"total": 1, "page": 1, "per_page": 200, "pages": 1}
WINDOW = ["--coins", "btc,eth", "--start", "2025-01-01", "--end", "2025-02-01"]


def test_code_learns_and_what_it_has_learned_is_named(served, capsys):
    asked = served({f"POST /lab/algorithms/{ALGORITHM}/models": MADE})
    assert run(["model", "fit", ALGORITHM, *WINDOW, "--parameters", '{"penalty": 2}']) == 0
    assert asked[0][2] == {
        "coins": ["BTC", "ETH"],
        "start_date": "2025-01-01",
        "end_date": "2025-02-01",
        "parameters": {"penalty": 2},
    }
    assert capsys.readouterr().out == f"model {MODEL}: 2,048 bytes, learned from 8,640 bars\n"


def test_models_are_listed_shown_and_deleted(served, capsys):
    asked = served(
        {
            f"GET /lab/algorithms/{ALGORITHM}/models": {"items": [MADE], **PAGE},
            f"GET /lab/models/{MODEL}": MADE,
            f"DELETE /lab/models/{MODEL}": None,
        }
    )
    assert run(["model", "list", ALGORITHM]) == 0
    assert MODEL in capsys.readouterr().out
    assert run(["model", "show", MODEL]) == 0
    assert "2025-01-31" in capsys.readouterr().out
    assert run(["model", "delete", MODEL]) == 0
    assert asked[-1][:2] == ("DELETE", f"/lab/models/{MODEL}")
    assert run(["model", "show", "../quota"]) == 2


def test_a_backtest_and_a_deployment_name_the_model_that_decides(served):
    done = {"id": RUN, "status": "completed", "progress": 1.0, "trades": 7, "metrics": {}}
    deployed = {"id": RUN, "deployment_name": "d", "status": "active"}
    asked = served(
        {
            f"POST /lab/algorithms/{ALGORITHM}/backtest": {"id": RUN},
            f"GET /lab/backtests/{RUN}": done,
            "POST /floor/deploy": deployed,
        }
    )
    assert run(["backtest", ALGORITHM, *WINDOW, "--model", MODEL]) == 0
    assert run(["deploy", ALGORITHM, "--name", "d", "--coins", "BTC", "--model", MODEL]) == 0
    assert [body["model_id"] for method, _, body in asked if method == "POST"] == [MODEL, MODEL]
    assert run(["deploy", ALGORITHM, "--name", "d", "--coins", "BTC"]) == 0
    assert "model_id" not in asked[-1][2]
