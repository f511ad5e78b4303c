"""The demo's folder, and what the demo says when it cannot begin."""

import json

import pytest

from omc.cli.demo.child import emptied
from omc.cli.main import run
from omc.cli.outcome import Failure


def test_an_earlier_demos_folder_is_emptied(tmp_path):
    (tmp_path / "boot.log").write_text("ready")
    (tmp_path / "postgres").mkdir()
    emptied(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", ["letter.txt", "run/platform.lock"], ids=["somebody's folder", "a platform's home"])
def test_what_no_demo_made_is_left_as_it_is(tmp_path, kept):
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_text("mine")
    with pytest.raises(Failure, match="no demo made"):
        emptied(tmp_path)
    assert (tmp_path / kept).read_text() == "mine"


@pytest.mark.parametrize("below", ["file", "file/home"])
def test_a_demo_that_cannot_begin_says_so_in_json_too(tmp_path, capsys, below):
    (tmp_path / "file").write_text("")
    assert run(["demo", "--home", str(tmp_path / below), "--json"]) != 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "error"
    assert printed.err.count("\n") == 1
