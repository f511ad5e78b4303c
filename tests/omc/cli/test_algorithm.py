"""Algorithms from the command line: templates, one's own code, versions, and what is wrong with it."""

import json

import pytest

from omc.cli.main import run

ALGORITHM = "22222222-2222-2222-2222-222222222222"
PATH = f"/lab/algorithms/{ALGORITHM}"
PAGE = {"total": 1, "page": 1, "per_page": 200, "pages": 1}
SOURCE = "class Grid:\n    pass\n"
TEMPLATE = {
    "algorithm_type": "grid",
    "description": "Buys low.",
    "parameters": {"levels": 5},
    "about": {},
    "space": {},
    "source": SOURCE,
}
MADE = {
    "id": ALGORITHM,
    "name": "mine",
    "description": None,
    "algorithm_type": "custom",
    "code": SOURCE,
    "parameters": {"levels": 5},
    "status": "draft",
    "version": 2,
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my own.py"
    path.write_text(SOURCE)
    return str(path)


def test_templates_are_listed_with_their_parameters(served, capsys):
    served({"GET /lab/templates": {"items": [TEMPLATE], **PAGE}})
    assert run(["templates"]) == 0
    assert '{"levels": 5}' in capsys.readouterr().out
    assert run(["templates", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [TEMPLATE]


def test_a_templates_source_is_printed_to_the_last_character_to_copy_from(served, capsys):
    served({"GET /lab/templates": {"items": [TEMPLATE], **PAGE}})
    assert run(["templates", "grid", "--source"]) == 0
    assert capsys.readouterr().out == SOURCE
    assert run(["templates", "--source"]) == 2
    assert run(["templates", "nonsense"]) == 5
    assert "there is no template 'nonsense'; there are grid" in capsys.readouterr().err


def test_an_algorithm_is_made_of_a_file(served, file, capsys):
    asked = served({"POST /lab/algorithms": MADE})
    assert run(["algorithm", "create", "mine", "--code", file, "--parameters", '{"levels": 5}']) == 0
    assert asked[0][2] == {
        "name": "mine",
        "description": None,
        "algorithm_type": "custom",
        "code": SOURCE,
        "parameters": {"levels": 5},
    }
    assert capsys.readouterr().out == f"mine is a draft: {ALGORITHM}\n"


def test_an_algorithm_is_made_of_a_template_or_of_code_and_not_of_both_or_neither(served, file, capsys):
    asked = served({"POST /lab/algorithms": MADE})
    assert run(["algorithm", "create", "mine", "--code", file, "--type", "grid"]) == 2
    assert run(["algorithm", "create", "mine"]) == 2
    assert asked == []
    assert run(["algorithm", "create", "mine", "--type", "grid"]) == 0
    assert "code" not in asked[0][2]


@pytest.mark.parametrize("command", [["create", "mine"], ["edit", ALGORITHM]], ids=lambda words: words[0])
def test_a_file_that_is_not_there_is_one_line_and_nothing_is_asked(served, tmp_path, capsys, command):
    asked = served({})
    assert run(["algorithm", *command, "--code", str(tmp_path / "none.py")]) == 2
    assert capsys.readouterr().err.startswith("omc: no such file: ")
    assert asked == []


def test_only_what_is_said_is_changed(served, file, capsys):
    asked = served({f"PUT {PATH}": MADE})
    assert run(["algorithm", "edit", ALGORITHM, "--code", file]) == 0
    assert asked == [("PUT", PATH, {"code": SOURCE})]
    assert capsys.readouterr().out == "mine is version 2, a draft\n"
    assert run(["algorithm", "edit", ALGORITHM]) == 2
    assert run(["algorithm", "edit", ALGORITHM, "--parameters", "{}", "--name", "other"]) == 0
    assert asked[1][2] == {"parameters": {}, "name": "other"}


def test_an_algorithm_is_shown_and_its_code_comes_back_as_it_was(served, capsys):
    version = {"version": 1, "code": "old\n", "parameters": {}, "content_hash": "0" * 64, "created_at": "2025"}
    served(
        {
            f"GET {PATH}": MADE,
            f"GET {PATH}/versions/1": version,
            f"GET {PATH}/versions": {"items": [version], **PAGE},
            f"POST {PATH}/versions/1/restore": {**MADE, "version": 3},
        }
    )
    assert run(["algorithm", "show", ALGORITHM]) == 0
    assert "2 lines" in capsys.readouterr().out
    assert run(["algorithm", "show", ALGORITHM, "--source"]) == 0
    assert capsys.readouterr().out == SOURCE
    assert run(["algorithm", "show", ALGORITHM, "--source", "--version", "1"]) == 0
    assert capsys.readouterr().out == "old\n"
    assert run(["algorithm", "versions", ALGORITHM]) == 0
    assert "000000000000" in capsys.readouterr().out
    assert run(["algorithm", "restore", ALGORITHM, "1"]) == 0
    assert capsys.readouterr().out == "mine is version 3, a draft\n"


def test_a_built_in_algorithm_has_no_code_to_show(served, capsys):
    served({f"GET {PATH}": {**MADE, "code": None}})
    assert run(["algorithm", "show", ALGORITHM, "--source"]) == 5
    assert "no code of its own" in capsys.readouterr().err


def test_an_algorithm_is_deleted_by_name_and_a_refusal_is_told(served, capsys):
    row = {"id": ALGORITHM, "name": "mine"}
    asked = served({"GET /lab/algorithms": {"items": [row], **PAGE}, f"DELETE {PATH}": [None, (409, "CONFLICT")]})
    assert run(["algorithm", "delete", "mine"]) == 0
    assert capsys.readouterr().out == f"deleted {ALGORITHM}\n"
    assert asked[-1][:2] == ("DELETE", PATH)
    assert run(["algorithm", "delete", "mine"]) == 5


def test_what_is_over_a_quota_is_refused_in_the_platforms_own_words(served, file, capsys):
    served({"POST /lab/algorithms": (429, "RATE_LIMITED", {"quota": "algorithms", "limit": 200})})
    assert run(["algorithm", "create", "mine", "--code", file]) == 5
    assert capsys.readouterr().err == "omc: it is RATE_LIMITED\n"


def test_every_finding_is_told_where_it_stands(served, capsys):
    finding = {"rule": "name", "line": 1, "column": 7, "message": "Grid is nothing"}
    checked = {"valid": False, "findings": [finding]}
    served({f"GET {PATH}": MADE, f"POST {PATH}/validate": checked})
    assert run(["validate", ALGORITHM]) == 1
    printed = capsys.readouterr()
    assert printed.out == "mine:1:7: name: Grid is nothing\n    class Grid:\n          ^\n"
    assert printed.err == "omc: 1 finding\n"
    assert run(["validate", ALGORITHM, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["details"] == checked


def test_an_algorithm_without_a_finding_is_told_so(served, capsys):
    served({f"GET {PATH}": MADE, f"POST {PATH}/validate": {"valid": True, "findings": []}})
    assert run(["validate", ALGORITHM]) == 0
    assert capsys.readouterr().out.startswith("nothing found")
