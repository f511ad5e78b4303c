"""What a deployment's algorithm is given, from the command line."""

import json

import pytest

from omc.cli.main import run

ID = "11111111-2222-3333-4444-555555555555"
SHOWN = {"id": ID, "deployment_name": "trend", "parameters": {"fast_bars": 6, "kind": "last"}}


def test_what_is_named_is_asked_for_in_its_own_type(served, capsys):
    asked = served({f"PUT /floor/algorithms/{ID}/parameters": SHOWN})
    assert (
        run(
            ["parameters", ID, "fast_bars=6", "share=0.5", "both=true", "kind=last", "none=null", "list=[1]", "odd=NaN"]
        )
        == 0
    )
    wanted = {"fast_bars": 6, "share": 0.5, "both": True, "kind": "last", "none": None, "list": "[1]", "odd": "NaN"}
    assert [each[2] for each in asked] == [{"parameters": wanted}]
    told = capsys.readouterr().out
    assert "trend" in told
    assert "fast_bars" in told


def test_without_a_change_they_are_shown(served, capsys):
    served({f"GET /floor/deployments/{ID}": SHOWN})
    assert run(["parameters", ID, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == SHOWN


@pytest.mark.parametrize("word", ["fast_bars", "=6", ""])
def test_what_names_no_parameter_is_refused_before_anything_is_asked(served, word):
    asked = served({f"PUT /floor/algorithms/{ID}/parameters": SHOWN})
    assert run(["parameters", ID, word]) == 2
    assert asked == []
