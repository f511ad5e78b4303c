"""Keys from a terminal or a pipe, and never from a command line."""

import io
import json
import sys

import pytest

from omc.cli.main import run

KEY, SECRET = "abcd0123456789wxyz", "s3cret-of-the-exchange"
STORED = {
    "kind": "exchange",
    "name": "coinspot",
    "api_key": "abcd…wxyz",
    "is_validated": True,
    "access": "full",
    "message": None,
    "last_validated_at": "2025-06-10T12:00:00Z",
    "withdrawals_disabled": False,
    "stored_at": "2025-06-10T12:00:00Z",
}
COINSPOT = "/credentials/coinspot"


@pytest.fixture
def piped(monkeypatch):
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_key_comes_from_a_pipe_line_by_line(served, piped, capsys):
    asked = served({f"PUT {COINSPOT}": STORED})
    piped(f"{KEY}\n {SECRET} \n")
    assert run(["credentials", "set", "coinspot"]) == 0
    assert asked == [("PUT", COINSPOT, {"api_key": KEY, "api_secret": SECRET})]
    said = capsys.readouterr()
    assert said.out.startswith("coinspot abcd…wxyz: may trade\n")
    assert "--withdrawals-disabled" in said.out
    assert KEY not in said.out + said.err
    assert SECRET not in said.out + said.err


def test_the_first_key_is_stored_as_the_first(served, piped):
    asked = served({f"PUT {COINSPOT}": (404, "NOT_FOUND"), f"POST {COINSPOT}": STORED})
    piped(f"{KEY}\n{SECRET}\n")
    assert run(["credentials", "set", "coinspot", "--withdrawals-disabled"]) == 0
    assert [each[0] for each in asked] == ["PUT", "POST"]
    assert asked[1][2] == {"api_key": KEY, "api_secret": SECRET, "withdrawals_disabled": True}


def test_other_exchanges_and_providers_have_places_of_their_own(served, piped):
    kraken, openai = "/credentials/exchanges/kraken", "/credentials/llm/openai"
    asked = served({f"PUT {kraken}": {**STORED, "name": "kraken"}, f"PUT {openai}": {**STORED, "name": "openai"}})
    piped(f"{KEY}\n{SECRET}\nopen-sesame\n")
    assert run(["credentials", "set", "kraken", "--passphrase"]) == 0
    piped(f"{KEY}\n")
    assert run(["credentials", "set", "openai", "--llm"]) == 0
    assert [each[2] for each in asked] == [
        {"api_key": KEY, "api_secret": SECRET, "passphrase": "open-sesame"},
        {"api_key": KEY},
    ]


@pytest.mark.parametrize("text", ["", f"{KEY}\n", "\n\n"], ids=["nothing", "no secret", "empty lines"])
def test_what_is_missing_on_stdin_is_said(served, piped, capsys, text):
    asked = served({})
    piped(text)
    assert run(["credentials", "set", "coinspot"]) == 2
    assert "a line for each of api_key, api_secret" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("option", ["--api-key", "--key", "--secret", "--api-secret"])
def test_a_command_line_takes_no_secret(served, piped, option):
    asked = served({})
    piped("")
    assert run(["credentials", "set", "coinspot", option, SECRET]) == 2
    assert run(["credentials", "set", "coinspot", KEY, SECRET]) == 2
    assert asked == []


def test_validating_says_what_the_venue_said_and_fails_when_it_is_no(served, capsys):
    refused = {**STORED, "is_validated": False, "access": "refused", "message": "invalid key"}
    asked = served({f"POST {COINSPOT}/validate": [STORED, refused]})
    assert run(["credentials", "validate", "coinspot", "--withdrawals-disabled"]) == 0
    assert asked[0][2] == {"withdrawals_disabled": True}
    capsys.readouterr()
    assert run(["credentials", "validate", "coinspot"]) == 5
    assert capsys.readouterr().out == "coinspot abcd…wxyz: refused: invalid key\n"


def test_keys_are_listed_shown_and_deleted(served, capsys):
    page = {"items": [STORED], "total": 1, "page": 1, "per_page": 200, "pages": 1}
    asked = served({"GET /credentials": page, f"GET {COINSPOT}": STORED, f"DELETE {COINSPOT}": None})
    assert run(["credentials", "show"]) == 0
    assert "abcd…wxyz" in capsys.readouterr().out
    assert run(["credentials", "show", "coinspot", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == STORED
    assert run(["credentials", "delete", "coinspot"]) == 0
    assert asked[-1][:2] == ("DELETE", COINSPOT)
    assert run(["credentials", "show", "../users/profile"]) == 2


@pytest.mark.parametrize(("stored", "method"), [(STORED, "PUT"), ((404, "NOT_FOUND"), "POST")])
def test_a_code_is_shown_once_where_it_will_do(served, piped, stored, method):
    asked = served({f"GET {COINSPOT}": stored, f"{method} {COINSPOT}": STORED})
    piped(f"{KEY}\n{SECRET}\n")
    assert run(["credentials", "set", "coinspot", "--code", "123456"]) == 0
    assert [each[0] for each in asked] == ["GET", method]


def test_a_code_is_asked_for_where_one_is_needed(served, monkeypatch):
    needed = (403, "FORBIDDEN", {"second_factor": "required"})
    asked = served({f"PUT {COINSPOT}": [needed, STORED], f"GET {COINSPOT}": STORED})
    words = {"api key": KEY, "api secret": SECRET, "code of the second factor": "123456"}
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("typer.prompt", lambda text, **_: words[text])
    assert run(["credentials", "set", "coinspot"]) == 0
    assert [each[0] for each in asked] == ["PUT", "GET", "PUT"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
