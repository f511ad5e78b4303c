"""Whether this machine has what the platform needs, as a person asks it."""

import json
import os
import socket

import pytest

from cluster import doctor, needs
from cluster.home import Home
from cluster.processes import started
from cluster.wiring import wiring
from omc.adapters.sandbox_process.doctor import Layer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The locks are tried elsewhere, and Ray is imported when it is wanted."""
    monkeypatch.setattr(needs, "doctor", lambda: [Layer("landlock", True, "holds", True)])
    monkeypatch.setitem(needs._LOOKS, "Ray", lambda _: "version 1")
    monkeypatch.setenv("OMC_PORT", "0")
    monkeypatch.setenv("OMC_DASHBOARD_PORT", "0")


def by_name(wired):
    return {need.name: need for need in needs.needs(wired)}


def test_a_machine_that_has_everything_is_told_so_a_line_each(tmp_path, capsys):
    assert doctor.main(["--home", str(tmp_path / "home")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(needs._LOOKS) + 3
    assert lines[-1].split() == ["works", "sandbox:", "landlock", "holds"]
    assert not (tmp_path / "home").exists()


def test_each_lock_is_told_by_itself_and_a_mandatory_one_decides(tmp_path, capsys, monkeypatch):
    layers = [Layer("namespaces", False, "a container forbids them", False), Layer("seccomp", True, "holds", True)]
    monkeypatch.setattr(needs, "doctor", lambda: layers)
    assert doctor.main(["--home", str(tmp_path)]) == 0
    assert "missing  sandbox: namespaces" in capsys.readouterr().out
    monkeypatch.setattr(needs, "doctor", lambda: [Layer("seccomp", False, "this kernel has none", True)])
    assert doctor.main(["--home", str(tmp_path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["works"] is False
    assert answer["checks"][-1] == {
        "name": "sandbox: seccomp",
        "works": False,
        "why": "this kernel has none",
        "mandatory": True,
    }


def test_a_port_that_is_taken_is_found_and_our_own_platforms_is_not_held_against_it(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        wired = wiring(home=tmp_path, port=other.getsockname()[1])
        taken = by_name(wired)["port for HTTP"]
        assert (taken.works, taken.mandatory) == (False, True)
        assert "address already in use" in taken.why
        home = Home(tmp_path)
        home.prepare()
        home.write_record(pid=os.getpid(), started=started(os.getpid()))
        assert by_name(wired)["ports"].works


def test_a_home_that_cannot_be_written_and_a_database_that_is_not_there_are_found(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OMC_PG_BIN", str(tmp_path))
    found = by_name(wiring(home=tmp_path / "file" / "home"))
    assert not found["home"].works
    assert not found["PostgreSQL"].works
    assert "OMC_PG_BIN" in found["PostgreSQL"].why


def test_an_external_database_needs_no_programs_here_and_its_password_is_not_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OMC_PG_BIN", str(tmp_path))
    monkeypatch.setenv("OMC_DATABASE_URL", "postgresql://omc:hunter2@db/omc")
    assert doctor.main(["--home", str(tmp_path)]) == 0
    assert "hunter2" not in capsys.readouterr().out


def test_little_shared_memory_is_told_and_forgiven(tmp_path):
    little = by_name(wiring(home=tmp_path, object_store_mb=10**9))["shared memory"]
    assert (little.works, little.mandatory) == (False, False)
    assert doctor.line(little).endswith("(the platform can do without)")


def test_a_wrong_setting_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OMC_POLL_S", "0")
    assert doctor.main(["--home", str(tmp_path), "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == "error"
    assert printed.err.startswith("omc: poll_s (OMC_POLL_S)")
