"""Tokens are made and revoked from the terminal, and one in the environment stands for a login."""

import json

import pytest

from omc.cli.main import run

MADE = {
    "id": "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90",
    "name": "dashboard",
    "scopes": ["lab", "read"],
    "created_at": "2025-06-10T12:00:00Z",
    "expires_at": "2025-09-08T12:00:00Z",
    "last_used_at": None,
}


def page(*rows: dict[str, object]) -> dict[str, object]:
    return {"items": list(rows), "total": len(rows), "page": 1, "per_page": 200, "pages": 1}


def test_a_token_is_made_listed_and_revoked(served, capsys):
    one = f"/users/tokens/{MADE['id']}"
    asked = served(
        {"POST /users/tokens": {**MADE, "token": "omc_x"}, "GET /users/tokens": page(MADE), f"DELETE {one}": None}
    )
    assert run(["tokens", "create", "dashboard", "--scope", "read", "--scope", "lab"]) == 0
    assert asked[0] == ("POST", "/users/tokens", {"name": "dashboard", "scopes": ["read", "lab"]})
    assert capsys.readouterr().out == "omc_x\n"
    assert run(["tokens", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [MADE]
    assert run(["tokens", "revoke", MADE["id"]]) == 0
    assert asked[-1][:2] == ("DELETE", one)


def test_a_token_in_the_environment_stands_for_a_login(served, tmp_path, monkeypatch):
    served({"GET /users/tokens": page()})
    (tmp_path / "session.json").unlink()
    assert run(["tokens", "list"]) != 0
    monkeypatch.setenv("OMC_TOKEN", " omc_x\n")
    assert run(["tokens", "list"]) == 0


@pytest.mark.parametrize("text", ["omc x", "omc_\x07", "omc_é"])
def test_what_no_header_can_carry_is_no_token(served, monkeypatch, text):
    asked = served({})
    monkeypatch.setenv("OMC_TOKEN", text)
    assert run(["tokens", "list"]) == 2
    assert asked == []


def test_a_code_goes_with_what_trades_real_money(served):
    one = "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90"
    needed = (403, "FORBIDDEN", {"second_factor": "required"})
    served({f"POST /floor/algorithms/{one}/activate": [needed, {"deployment_name": "x", "status": "active"}]})
    words = ["activate", one, "--confirm", "trade x with real money"]
    assert run(words) != 0
    assert run([*words, "--code", "123456"]) == 0
