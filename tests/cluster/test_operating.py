"""What an operator's programs have in common."""

import json
from contextlib import ExitStack

import pytest

from cluster.home import Home
from cluster.operating import concluded, open_database
from cluster.wiring import wiring
from omc.adapters.postgres import dsn
from omc.errors import Conflict


def test_the_address_of_a_running_platforms_database_is_left_alone(tmp_path):
    running, other = "postgresql://u:p@h/running", "postgresql://u:p@h/other"
    home = Home(tmp_path)
    home.prepare()
    dsn.write(home.dsn_file, running)
    with home.locked(), ExitStack() as stops:
        open_database(wiring(home=tmp_path), stops)
        open_database(wiring(home=tmp_path, database_url=running), stops)
        with pytest.raises(Conflict, match="another database than OMC_DATABASE_URL names"):
            open_database(wiring(home=tmp_path, database_url=other), stops)
    assert dsn.read(home.dsn_file) == running
    assert not (tmp_path / "postgres").exists()


def test_what_is_wrong_is_one_sentence_for_a_person_and_an_answer_for_a_program(capsys):
    def fails() -> int:
        raise Conflict("somebody\nwas faster")

    assert concluded(fails, as_json=True) == 1
    written = capsys.readouterr()
    assert written.err == "omc: somebody was faster\n"
    assert json.loads(written.out)["error"] == {"code": "FAILED", "message": "somebody was faster", "details": {}}
    assert concluded(fails, as_json=False) == 1
    assert capsys.readouterr().out == ""


def test_whoever_breaks_it_off_is_told_by_the_status_alone(capsys):
    def broken_off() -> int:
        raise KeyboardInterrupt

    assert concluded(broken_off, as_json=True) == 130
    assert capsys.readouterr().out == ""
    assert concluded(lambda: 3, as_json=False) == 3
