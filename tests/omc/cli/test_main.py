"""The command as a shell sees it: exit codes, one line on stderr, JSON on stdout."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from omc.cli.main import run
from omc.cli.options import command_line

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "No such command"),
        (["status", "--nonsense"], 2, "No such option"),
        (["status", "--url", "nonsense"], 2, "not an address"),
        (["status", "--url", "http://[::1"], 2, "not an address"),
        (["status", "--url", "http://127.0.0.1:port"], 2, "not an address"),
        (["status", "--url", "http://127.0.0.1:80800"], 2, "not an address"),
        (["status", "--url", NOBODY], 3, "no platform answers"),
        (["sweep", "--resume", "../../users/profile", "--url", NOBODY], 2, "not the id of a sweep"),
        (["promote", "mine", "--sweep", "best", "--url", NOBODY], 2, "not the id of a sweep"),
        (["up", "--tape", "/nowhere.csv"], 2, "does not exist"),
        (["import-prices", "/nowhere.csv"], 2, "no such file"),
        (["login", "a@b.test", "--password", "x", "--url", NOBODY], 3, "no platform answers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_failure_is_one_line_and_a_code(tmp_path, monkeypatch, capsys, arguments, code, said):
    monkeypatch.setenv("OMC_HOME", str(tmp_path))
    assert run(arguments) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err + printed.out


def test_with_json_a_failure_is_the_contracts_error_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OMC_HOME", str(tmp_path))
    assert run(["status", "--json", "--url", NOBODY]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "error"
    assert answer["error"]["code"] == "UNREACHABLE"


def test_without_a_command_it_says_which_there_are(capsys):
    assert run([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Usage: omc")
    assert said.count("\n") > 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to write to")
def test_an_answer_that_cannot_be_written_is_a_failure(tmp_path):
    command = [sys.executable, "-c", "from omc.cli.main import main; main()", "down", "--home", str(tmp_path), "--json"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stderr.startswith("omc: No space left on device")
    assert "Traceback" not in ended.stderr


def test_stopping_what_does_not_run_is_no_failure(tmp_path, capsys):
    assert run(["down", "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"home": str(tmp_path), "stopped": None}


def test_options_become_a_command_line():
    given = command_line(port=8001, tape=["a", "b"], lockstep=True, json=False, speed=None, tape_days=3)
    assert given == ["--port", "8001", "--tape", "a", "--tape", "b", "--lockstep", "--tape-days", "3"]
