"""The floor beside its backtest at the terminal, and the word that real money asks for."""

import io
import json
import sys

import pytest

from omc.cli.main import run

WHICH = "22222222-2222-2222-2222-222222222222"
PATH = f"/floor/algorithms/{WHICH}/parity"
TOLD = {
    "start": "2025-06-01T00:00:00Z",
    "end": "2025-06-02T00:00:00Z",
    "backtest_trades": 2,
    "floor_trades": 1,
    "paired": 1,
    "different": 2,
    "only_backtest": 1,
    "only_floor": 0,
    "cost_aud": "1.25000000",
    "cost_bps": 12.5,
    "latest_s": 2.0,
    "differences": [],
}
LEG = {"quantity": "0.50000000", "price_aud": "100.00000000"}
PAIR = {
    "bar": "2025-06-01T00:05:00Z",
    "side": "buy",
    "coin": "BTC",
    "backtest": LEG,
    "floor": {**LEG, "price_aud": "100.10000000"},
    "later_s": 2.0,
    "price_bps": 10.0,
    "cost_aud": "0.05000000",
    "differences": ["buy of 0.5 BTC at 2025-06-01T00:05:00+00:00: price is 100 in the backtest and 100.1 on the floor"],
}
MISSING = {
    **PAIR,
    "floor": None,
    "later_s": None,
    "price_bps": None,
    "cost_aud": None,
    "differences": ["buy of 0.5 BTC at 2025-06-01T00:05:00+00:00: the floor has no such trade"],
}
PAGE = {"items": [PAIR, MISSING], "total": 2, "page": 1, "per_page": 50, "pages": 1}


def test_where_the_two_part_is_shown_with_its_size(served, capsys):
    asked = served({f"GET {PATH}": TOLD, f"GET {PATH}/trades": PAGE})
    assert run(["parity", WHICH]) == 0
    said = capsys.readouterr().out
    for text in ("1.25", "12.5", "0.50 at 100.00", "0.50 at 100.10", "price", "missing"):
        assert text in said
    assert "only=different" in asked[1][1]
    assert run(["parity", WHICH, "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**TOLD, "trades": PAGE["items"]}
    assert "only" not in asked[-1][1]


def test_parity_is_one_sentence(served, capsys):
    served({f"GET {PATH}": TOLD, f"GET {PATH}/trades": {**PAGE, "items": [], "total": 0, "pages": 0}})
    assert run(["parity", WHICH]) == 0
    assert capsys.readouterr().out.endswith("no trade differs\n")


@pytest.mark.parametrize(("typed", "sent"), [(None, None), ("trade x with real money", "trade x with real money")])
def test_real_money_is_confirmed_by_what_was_typed_and_by_nothing_else(served, monkeypatch, typed, sent):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    made = {"id": WHICH, "deployment_name": "x", "status": "active"}
    asked = served({"POST /floor/deploy": made, f"POST /floor/algorithms/{WHICH}/activate": made})
    confirm = ["--confirm", typed] if typed else []
    assert run(["deploy", WHICH, "--name", "x", "--coins", "BTC", "--mode", "live", *confirm]) == 0
    assert asked[0][2].get("confirmation") == sent
    assert run(["activate", WHICH, *confirm]) == 0
    assert asked[1][2].get("confirmation") == sent
