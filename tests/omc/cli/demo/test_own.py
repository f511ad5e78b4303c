"""A demo of a file: which one, and what of it is searched."""

import json

import pytest

from omc.cli.demo.own import Own, Searched, searched
from omc.cli.main import run
from omc.cli.outcome import Failure

RANGE = {"low": 12, "high": 96, "log": True, "integer": True}


def described(parameters, **ranges):
    whole = {"low": 1, "high": 1_000, "integer": True, "about": "", "search": {}}
    return {"parameters": parameters, "ranges": {name: {**whole, **given} for name, given in ranges.items()}}


def test_a_search_goes_where_the_code_says_that_it_should():
    found = searched(described({"a": 48, "b": 2}, a={"search": RANGE}, b={}), 32)
    assert found == Searched({"a": RANGE}, "random", 32)


def test_without_declared_ranges_it_looks_around_the_first_numbers():
    given = {"name": "fast", "on": True, "none": None, "a": 48, "b": 0.5, "zero": 0, "c": 1, "d": 4}
    found = searched(described(given), 32)
    assert found == Searched({"a": [24, 48, 96], "b": [0.25, 0.5, 1.0], "c": [1, 2]}, "grid")


def test_it_looks_no_further_than_a_number_may_go():
    found = searched(described({"a": 600, "b": 1, "c": -3}, a={"low": 500}, b={"high": 1}, c={"low": -10}), 32)
    assert found == Searched({"c": [-6, -3, -2]}, "grid")


@pytest.mark.parametrize("parameters", [{}, {"name": "fast", "on": False}, {"zero": 0.0, "far": float("inf")}])
def test_code_without_numbers_has_nothing_to_search(parameters):
    assert searched(described(parameters), 32) is None


def test_a_file_is_read_once_wherever_it_lies(tmp_path, monkeypatch):
    (tmp_path / "my ideas").mkdir()
    (tmp_path / "my ideas" / "it's mine.py").write_text("class A: ...\n")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my ideas" / "it's mine.py"
    assert Own.of(file.relative_to(tmp_path)).source == Own.of(file).source == "class A: ...\n"
    with pytest.raises(Failure, match="no such file"):
        Own.of(tmp_path / "none.py")


def test_a_demo_of_a_file_that_is_not_there_ends_before_anything_begins(tmp_path, capsys):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "boot.log").write_text("an earlier demo's")
    wanted = ["demo", "--home", str(tmp_path / "home"), "--algorithm", str(tmp_path / "none.py"), "--json"]
    assert run(wanted) == 2
    printed = capsys.readouterr()
    assert printed.err == f"omc: no such file: {tmp_path / 'none.py'}\n"
    assert json.loads(printed.out)["error"]["code"] == "USAGE"
    assert (tmp_path / "home" / "boot.log").exists()
