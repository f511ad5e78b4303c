"""Every port of a process is found, named, and told with who can reach it."""

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster import doctor, listening, needs
from cluster.home import Home
from cluster.knocking import Heard
from cluster.listening import Door, Listener, Purpose, doors, local_address
from cluster.processes import started


@pytest.fixture
def open_ports():
    with socket.socket() as inside, socket.socket() as outside, socket.socket(socket.AF_INET6) as newer:
        inside.bind(("127.0.0.1", 0))
        outside.bind(("0.0.0.0", 0))
        newer.bind(("::1", 0))
        for each in (inside, outside, newer):
            each.listen()
        yield tuple(each.getsockname()[1] for each in (inside, outside, newer))


def test_what_a_process_listens_on_is_found_with_who_can_reach_it(open_ports):
    found = {each.port: each for each in listening.listeners([os.getpid()])}
    assert [found[port].address for port in open_ports] == ["127.0.0.1", "0.0.0.0", "::1"]
    assert [found[port].is_loopback for port in open_ports] == [True, False, True]
    assert found[open_ports[1]].reached_by == "whoever reaches this machine"


def test_each_is_named_or_warned_about(open_ports):
    inside, outside, newer = open_ports
    record = {"url": f"http://127.0.0.1:{inside}", "dashboard": f"http://127.0.0.1:{outside}"}
    told = {each.listener.port: each for each in doors(record, [os.getpid()])}
    assert told[inside].purpose is not None
    assert told[inside].purpose.what.startswith("HTTP")
    assert told[inside].warning is None
    assert told[outside].warning == "it can be reached by whoever reaches this machine"
    assert told[newer].warning == "nobody knows what this is"
    assert told[outside].document["asks"] == "Ray's token"


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_addresses_are_read_as_the_kernel_writes_them(address, port):
    words = [address.packed[at : at + 4][::-1] for at in range(0, len(address.packed), 4)]
    written = b"".join(words).hex().upper()
    assert local_address(f"{written}:{port:04X}") == (str(getattr(address, "ipv4_mapped", None) or address), port)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("/usr/lib/ray/core/gcs_server", "--log_dir=x"), "Ray: the cluster's state"),
        (("python", "-m", "omc.adapters.coinspot.exchange", "--port", "0"), "the sandbox exchange"),
        (("/usr/lib/postgresql/17/bin/postgres", "-D", "/home"), "PostgreSQL"),
        (("ray::RiskActor",), "Ray: a worker's calls"),
        (("ray::RuntimeEnvAgent",), "Ray: the agent of workers' environments"),
        (("ray::SERVE_REPLICA::lab#Lab#x:ServeReplica.is_allocated",), "Ray Serve: a replica's calls, or a worker's"),
        (("/my ray/python3", "-u", "/my ray/ray/dashboard/agent.py", "-m", "x"), "Ray: the dashboard's agent"),
        (("python", "-m", "cluster.boot", "--dashboard-port", "0"), "Ray: the platform's own driver"),
        (("python", "-m", "pytest", "tests/omc/adapters/postgres"), None),
        (("python", "-c", "postgres"), None),
        (("vim", "cluster.boot", "gcs_server"), None),
        (("python",), None),
        ((), None),
    ],
)
def test_processes_are_known_by_what_they_are_and_not_by_what_they_are_told(command, what, monkeypatch):
    monkeypatch.setattr(listening, "listeners", lambda _: [Listener("127.0.0.1", 7, 1, command)])
    (door,) = doors({}, [1])
    assert (door.purpose and door.purpose.what) == what
    assert door.document["process"]


def test_the_doctor_lists_the_ports_of_the_platform_that_runs(tmp_path: Path, open_ports, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "needs", lambda _: [needs.Need("Python", works=True, why="is there", mandatory=True)])
    home = Home(tmp_path)
    home.prepare()
    home.write_record(pid=os.getpid(), started=started(os.getpid()), url=f"http://127.0.0.1:{open_ports[0]}")
    assert doctor.main(["--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"127.0.0.1:{open_ports[0]}" in said
    assert "WARNING: it can be reached by whoever reaches this machine" in said or "nobody knows" in said
    assert doctor.main(["--home", str(tmp_path), "--json"]) == 0
    ports = json.loads(capsys.readouterr().out)["ports"]
    assert {each["port"] for each in ports} >= set(open_ports)


@pytest.mark.parametrize(
    ("address", "heard", "warning", "said"),
    [
        ("127.0.0.1", Heard.ASKED, None, "asks for a password (tried: it does);"),
        ("127.0.0.1", Heard.MEASURES, None, "asks for a password (tried: it tells measures);"),
        ("127.0.0.1", Heard.SILENCE, None, "asks for a password;"),
        ("127.0.0.1", Heard.LET_IN, "it lets in whoever comes without a password", "(tried: it does not);"),
        (
            "0.0.0.0",
            Heard.LET_IN,
            "it lets in whoever comes without a password, and it can be reached by whoever reaches this machine",
            "(tried: it does not);",
        ),
    ],
)
def test_a_port_that_lets_in_whoever_comes_is_warned_about(address, heard, warning, said):
    knocked: list[tuple[str, int]] = []

    def knock(where: str, port: int) -> Heard:
        knocked.append((where, port))
        return heard

    door = Door(Listener(address, 7, 1, ("it",)), Purpose("it", "a password", knock))
    assert door.document["heard"] is None
    tried = door.knocked()
    assert knocked == [("127.0.0.1", 7)]
    assert (tried.warning, tried.document["heard"]) == (warning, heard.value)
    assert said in doctor.door_line(tried)


def test_nobody_knocks_where_nobody_knows_what_it_is():
    door = Door(Listener("127.0.0.1", 7, 1, ("it",)), None)
    assert door.knocked() == door


def test_a_line_says_what_is_asked_of_whoever_comes():
    heard = Listener("127.0.0.1", 5432, 7, ("postgres",))
    line = " ".join(doctor.door_line(Door(heard, Purpose("PostgreSQL", "the database's password"))).split())
    assert line == (
        "listens 127.0.0.1:5432 PostgreSQL, asks for the database's password; reached by this machine's users"
    )
