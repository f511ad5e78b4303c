"""Whether a platform is ready, as it says itself."""

import json

import pytest

from omc.cli.main import run

ROW = {"name": "database", "ready": True, "detail": "answers", "ms": 1.0}


def test_a_platform_that_is_ready_is_told_with_what_it_needs(served, capsys):
    served({"GET /ready": {"ready": True, "dependencies": [ROW], "warnings": ["people's code is refused"]}})
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert "database" in said
    assert "warning: people's code is refused" in said


@pytest.mark.parametrize("as_json", [True, False])
def test_one_that_is_not_ready_says_what_is_missing_and_fails(served, capsys, as_json):
    missing = {"ready": False, "dependencies": [{**ROW, "ready": False, "detail": "has gone"}], "warnings": []}
    served({"GET /ready": (503, "UNAVAILABLE", missing)})
    assert run(["status", *(["--json"] if as_json else [])]) == 1
    assert "has gone" in capsys.readouterr().out


def test_one_that_says_only_that_it_has_no_time_is_told_in_one_line(served, capsys):
    served({"GET /ready": (503, "UNAVAILABLE")})
    assert run(["status", "--json"]) != 0
    said = capsys.readouterr()
    assert said.err == "omc: it is UNAVAILABLE\n"
    assert json.loads(said.out)["error"]["code"] == "UNAVAILABLE"
