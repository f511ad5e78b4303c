"""Orders from the command line."""

import json

import pytest

from omc.cli.main import run

ORDER = "11111111-2222-3333-4444-555555555555"
ROW = {
    "id": ORDER,
    "client_order_id": "a:b",
    "coin": "BTC",
    "side": "buy",
    "quantity": "0.50000000",
    "filled_quantity": "0.10000000",
    "limit_aud": "95000.00000000",
    "status": "cancelled",
    "reason": "from 0.00 to 0.10",
    "message": "cancelled by its owner",
    "decided_at": "2025-01-01T00:00:00Z",
}


def test_orders_are_listed(served, capsys):
    page = {"items": [ROW], "total": 1, "page": 1, "per_page": 200, "pages": 1}
    asked = served({"GET /floor/orders": page, f"GET /floor/algorithms/{ORDER}/orders": page})
    assert run(["orders"]) == 0
    shown = capsys.readouterr().out
    assert "cancelled" in shown
    assert "95000.00" in shown
    assert run(["orders", "--deployment", ORDER, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [ROW]
    assert asked[-1][1].startswith(f"/floor/algorithms/{ORDER}/orders")


def test_an_order_is_cancelled(served, capsys):
    asked = served({f"POST /floor/orders/{ORDER}/cancel": ROW})
    assert run(["orders", "cancel", ORDER]) == 0
    assert capsys.readouterr().out.strip() == (
        "a:b is cancelled at A$95000.00, 0.10 of 0.50 BTC filled: cancelled by its owner"
    )
    assert asked[0][0] == "POST"


def test_an_order_is_moved(served, capsys):
    asked = served({f"POST /floor/orders/{ORDER}/replace": {**ROW, "status": "accepted", "message": None}})
    assert run(["orders", "replace", ORDER, "95000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "accepted"
    assert asked[0][2] == {"price_aud": "95000"}


@pytest.mark.parametrize(
    "words", [["cancel", "first"], ["replace", ORDER, "cheap"], ["replace", ORDER, "-5"], ["replace", ORDER]]
)
def test_what_names_no_order_or_no_price_is_not_asked_for(served, words):
    asked = served({})
    assert run(["orders", *words]) == 2
    assert asked == []


def test_what_the_platform_refuses_is_told(served, capsys):
    served({f"POST /floor/orders/{ORDER}/replace": (409, "CONFLICT")})
    assert run(["orders", "replace", ORDER, "95000"]) != 0
    assert "CONFLICT" in capsys.readouterr().err
