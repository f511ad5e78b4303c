"""Reconciliation from the command line: what differs, what waits, and what a person says."""

import json

import pytest

from omc.cli.main import run

ORDER = "11111111-2222-3333-4444-555555555555"
ROW = {
    "deployment_id": ORDER,
    "deployment_name": "trend",
    "account": ORDER,
    "compared_at": "2025-01-01T00:00:00Z",
    "age_s": 12.4,
    "ours": {"AUD": "900.00000000", "ETH": "2.50000000"},
    "venue": {"AUD": "900.00000000", "ETH": "2.00000000", "DOGE": "7.00000000"},
    "external": {"DOGE": "7.00000000"},
    "differences": ["ETH: our books say 2.5, the venue says 2"],
    "told": ["fill f (buy 7 DOGE) is not ours"],
    "closed": "ETH: our books claim 2.5, the venue holds 2",
    "error": None,
    "held": [
        {
            "order_id": ORDER,
            "client_order_id": "a:b",
            "deployment_id": ORDER,
            "coin": "XYZ",
            "side": "buy",
            "quantity": "10.00000000",
            "held_at": "2025-01-01T00:00:00Z",
            "candidates": [
                {
                    "venue_order_id": "v1",
                    "fills": [
                        {
                            "fill_id": "f1",
                            "quantity": "10.00000000",
                            "total_aud": "4.04000000",
                            "fee_aud": "0.04000000",
                            "executed_at": "2025-01-01T00:00:00Z",
                        }
                    ],
                    "open_quantity": "0.00000000",
                },
                {"venue_order_id": "v2", "fills": [], "open_quantity": "10.00000000"},
                {
                    "venue_order_id": "v3",
                    "fills": [
                        {
                            "fill_id": "f3",
                            "quantity": "3.00000000",
                            "total_aud": "1.21200000",
                            "fee_aud": "0.01200000",
                            "executed_at": "2025-01-01T00:00:00Z",
                        }
                    ],
                    "open_quantity": "7.00000000",
                },
            ],
        }
    ],
}
SETTLED = {
    "order_id": ORDER,
    "client_order_id": "a:b",
    "status": "filled",
    "filled_quantity": "10.00000000",
    "message": "v2 goes on",
}


def page(*rows):
    return {"items": list(rows), "total": len(rows), "page": 1, "per_page": 200, "pages": 1}


def test_what_differs_and_what_waits_is_shown(served, capsys):
    asked = served({"GET /floor/reconciliation": page(ROW)})
    assert run(["reconcile"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "trend: 12 s ago, account closed: ETH: our books claim 2.5, the venue holds 2",
        "differs: ETH: our books say 2.5, the venue says 2",
        "fill f (buy 7 DOGE) is not ours",
        f"waits for you: buy 10.00 XYZ, order {ORDER}, could be",
    ):
        assert text in shown
    listed = [" ".join(line.split()) for line in shown.splitlines()]
    told = [line for line in listed if line.startswith(("v1 ", "v2 ", "v3 "))]
    assert [line.rsplit(" 2025", 1)[0] for line in told] == [
        "v1 f1 10.00 4.04",
        "v2 still open 10.00",
        "v3 f3 3.00 1.212",
        "v3 still open 7.00",
    ]
    assert not any("now=" in path for _, path, _ in asked)


def test_a_comparison_anew_is_asked_for(served, capsys):
    asked = served({"GET /floor/reconciliation": page({**ROW, "error": "the venue is away"})})
    assert run(["reconcile", "--now", "--deployment", ORDER]) == 0
    assert "could not be compared: the venue is away" in capsys.readouterr().out
    assert any("now=true" in path and f"deployment_id={ORDER}" in path for _, path, _ in asked)
    assert run(["reconcile", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["error"] == "the venue is away"


def test_nothing_deployed_is_said(served, capsys):
    served({"GET /floor/reconciliation": page()})
    assert run(["reconcile"]) == 0
    assert "nothing is deployed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["--fill", "f1", "--fill", "f2"], {"fill_ids": ["f1", "f2"]}),
        (["--venue-order", "v2"], {"venue_order_id": "v2"}),
        (["--none"], {"none": True}),
    ],
)
def test_a_person_says_what_an_order_became(served, capsys, words, body):
    asked = served({f"POST /floor/reconciliation/{ORDER}/resolve": SETTLED})
    assert run(["reconcile", "resolve", ORDER, *words]) == 0
    assert asked == [("POST", f"/floor/reconciliation/{ORDER}/resolve", body)]
    assert "a:b is filled: 10.00 filled (v2 goes on)" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--none", "--fill", "f1"], ["--fill", "f1", "--venue-order", "v"]])
def test_what_says_nothing_or_two_things_is_a_usage_error(served, capsys, words):
    asked = served({})
    assert run(["reconcile", "resolve", ORDER, *words]) == 2
    assert run(["reconcile", "resolve", "no-id", "--none"]) == 2
    assert asked == []
    assert "say one thing" in capsys.readouterr().err


def test_the_venues_balances_are_accepted(served, capsys):
    asked = served({"POST /floor/reconciliation/accept": {**ROW, "closed": None, "differences": [], "held": []}})
    assert run(["reconcile", "accept", ORDER]) == 0
    assert asked == [("POST", "/floor/reconciliation/accept", {"deployment_id": ORDER})]
    assert "account open" in capsys.readouterr().out
