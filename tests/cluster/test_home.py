"""The folder of one platform."""

import os
import stat

import pytest

from cluster.home import Home
from cluster.processes import started
from omc.errors import Conflict, Unavailable


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_its_folders_are_closed_to_others(home):
    for folder in (home.folder, home.run, home.jwt_key.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_platform_on_one_home_is_told_who_has_it(home):
    with home.locked():
        home.write_record(pid=4711, url="http://127.0.0.1:8000")
        with (
            pytest.raises(Conflict, match=r"already runs .*process 4711, http://127.0.0.1:8000.*omc down"),
            home.locked(),
        ):
            pass
    with home.locked():
        pass


def test_a_home_that_something_else_holds_says_so(home):
    with (
        home.locked(),
        pytest.raises(Conflict, match="is in use: a platform starts on it, or an import"),
        home.locked(),
    ):
        pass


def test_a_broken_record_is_none(home):
    assert home.recorded() is None
    home.record.write_text("{")
    assert home.recorded() is None


def test_a_record_counts_while_whoever_wrote_it_lives(home):
    assert home.running() is None
    living = {"pid": os.getpid(), "started": started(os.getpid())}
    home.write_record(**living, url="http://127.0.0.1:8000")
    assert home.running() == home.recorded()
    home.write_record(**living | {"started": 1})
    assert home.running() is None
    assert home.recorded() is not None


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        Home(tmp_path / "file" / "home").prepare()
