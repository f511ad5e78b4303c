"""The embedded server: one owner a home, and no acknowledged row lost whatever is killed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from omc.adapters.postgres import dsn, launch, leftovers
from omc.adapters.postgres.postmaster import SETTINGS
from omc.adapters.postgres.server import EmbeddedPostgres
from omc.errors import Unavailable

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[4]
# A process that owns a server (or attaches to one), then acknowledges a row a line until it is killed.
WRITER = """
    import sys
    from pathlib import Path
    import psycopg
    from omc.adapters.postgres.server import EmbeddedPostgres
    server = EmbeddedPostgres(Path(sys.argv[1]))
    with psycopg.connect(server.start(), autocommit=True) as connection:
        # Two that create it at once would meet in the catalog, whatever IF NOT EXISTS says.
        connection.execute("SELECT pg_advisory_lock(1)")
        connection.execute("CREATE TABLE IF NOT EXISTS acknowledged (n bigserial)")
        connection.execute("SELECT pg_advisory_unlock(1)")
        print("owner" if server.owner else "attached", server.pid, flush=True)
        while True:
            print(connection.execute("INSERT INTO acknowledged DEFAULT VALUES RETURNING n").fetchone()[0], flush=True)
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a database that was made and stopped: copying it is quicker than making another."""
    folder = tmp_path_factory.mktemp("made")
    with EmbeddedPostgres(folder):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(made, tmp_path / "home"))
    shutil.rmtree(tmp_path / "home", ignore_errors=True)


@pytest.fixture
def writer() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    sockets = Path(tempfile.mkdtemp(prefix="omc-test-", dir="/tmp"))
    sockets.chmod(0o777)

    def start(home: Path, *prefix: str) -> subprocess.Popen[str]:
        command = [*prefix, sys.executable, "-c", textwrap.dedent(WRITER), str(home)]
        environment = {**os.environ, "TMPDIR": str(sockets)}
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        process.stdout.close()
    shutil.rmtree(sockets, ignore_errors=True)


def role_and_pid(process: subprocess.Popen[str]) -> tuple[str, int]:
    role, pid = process.stdout.readline().split()
    return role, int(pid)


def killed(process: subprocess.Popen[str], after_rows: int = 50) -> int:
    """Kill the writer in the middle of its work; the last row that was acknowledged to it."""
    lines = [process.stdout.readline() for _ in range(after_rows)]
    process.kill()
    lines += process.stdout.read().splitlines(keepends=True)
    return max(int(line) for line in lines if line.endswith("\n"))


def rows(address: str) -> int:
    with psycopg.connect(address) as connection:
        return connection.execute("SELECT count(*) FROM acknowledged").fetchone()[0]


def gone(pid: int, patience_s: float = 120.0) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.01)
                continue
        return True
    return False


def answering(server: EmbeddedPostgres, patience_s: float = 120.0) -> str:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            address = dsn.read(server.dsn_file)
            psycopg.connect(address).close()
        except (psycopg.OperationalError, Unavailable):
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.02)
        else:
            return address


def test_a_server_starts_stops_and_starts_again_with_its_rows(home: Path):
    server = EmbeddedPostgres(home)
    with server:
        pid = server.pid
        with psycopg.connect(dsn.read(server.dsn_file)) as connection:
            connection.execute("CREATE TABLE acknowledged AS SELECT 1 AS n")
    assert gone(pid)
    assert not server.dsn_file.exists()
    with server:
        assert rows(dsn.read(server.dsn_file)) == 1
        assert server.start() == dsn.read(server.dsn_file)


def test_nobody_comes_in_without_the_password_and_nothing_is_a_superuser(home: Path):
    with EmbeddedPostgres(home) as server:
        address = dsn.read(server.dsn_file)
        port = address.rsplit("port=", 1)[1]
        for wrong in (f"postgresql://omc@127.0.0.1:{port}/omc", f"postgresql://postgres:x@127.0.0.1:{port}/omc"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(wrong, passfile="/dev/null")
        password = (home / "postgres" / "omc.password").read_text()
        with psycopg.connect(f"postgresql://omc:{password}@127.0.0.1:{port}/omc") as connection:
            assert connection.execute("SELECT usesuper FROM pg_user WHERE usename = 'omc'").fetchone() == (False,)
            shown = {row[0]: row[1] for row in connection.execute("SELECT name, setting FROM pg_settings")}
        assert shown["listen_addresses"] == SETTINGS["listen_addresses"] == "127.0.0.1"
        assert (shown["fsync"], shown["synchronous_commit"], shown["full_page_writes"]) == ("on", "on", "on")
        for private in home.rglob("*.password"):
            assert private.stat().st_mode & 0o077 == 0


def test_a_home_with_a_long_name_has_a_socket_all_the_same(tmp_path: Path):
    with EmbeddedPostgres(tmp_path / ("deep" * 20) / ("deeper" * 15)) as server:
        psycopg.connect(dsn.read(server.dsn_file)).close()


def test_a_second_starter_attaches_and_leaves_the_server_to_its_owner(home: Path):
    with EmbeddedPostgres(home) as owner:
        other = EmbeddedPostgres(home)
        assert other.start() == dsn.read(owner.dsn_file)
        assert (owner.owner, other.owner) == (True, False)
        other.stop()
        psycopg.connect(dsn.read(owner.dsn_file)).close()


def test_of_several_starters_at_once_exactly_one_starts(home: Path, writer):
    roles = [role_and_pid(process) for process in [writer(home) for _ in range(3)]]
    assert sorted(role for role, _ in roles) == ["attached", "attached", "owner"]
    assert len({pid for _, pid in roles}) == 1


def test_a_server_ends_with_its_owner_and_keeps_what_it_acknowledged(home: Path, writer):
    acknowledged = 0
    for _ in range(3):
        owner = writer(home)
        role, pid = role_and_pid(owner)
        assert role == "owner"
        acknowledged = killed(owner)
        assert gone(pid)
    with EmbeddedPostgres(home) as server:
        assert rows(dsn.read(server.dsn_file)) >= acknowledged


def test_an_owner_that_dies_hands_over_at_once(home: Path, writer):
    owner = writer(home)
    role_and_pid(owner)
    acknowledged = killed(owner)
    with EmbeddedPostgres(home) as server:
        assert server.owner
        assert rows(dsn.read(server.dsn_file)) >= acknowledged


def test_a_killed_server_comes_back_by_itself_with_every_row(home: Path):
    with EmbeddedPostgres(home) as server:
        with psycopg.connect(dsn.read(server.dsn_file), autocommit=True) as connection:
            connection.execute("CREATE TABLE acknowledged (n bigserial)")
        for count in (1, 2, 3):
            with psycopg.connect(answering(server), autocommit=True) as connection:
                connection.execute("INSERT INTO acknowledged DEFAULT VALUES")
                pid = server.pid
                os.kill(pid, signal.SIGKILL)
            assert gone(pid)
            assert rows(answering(server)) == count


def test_owner_and_every_server_process_killed_together_lose_nothing(home: Path, writer):
    owner = writer(home)
    _, pid = role_and_pid(owner)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    acknowledged = [owner.stdout.readline() for _ in range(30)]
    for victim in (owner.pid, pid, *map(int, children)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    acknowledged += owner.stdout.read().splitlines(keepends=True)
    with EmbeddedPostgres(home) as server:
        assert rows(dsn.read(server.dsn_file)) >= max(int(line) for line in acknowledged if line.endswith("\n"))


def test_a_lock_file_with_a_zombies_or_a_strangers_number_blocks_nothing(home: Path):
    with EmbeddedPostgres(home):
        pass
    zombie = subprocess.Popen(["true"])
    while Path(f"/proc/{zombie.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
        time.sleep(0.01)
    stranger = subprocess.Popen(["sleep", "600"])
    data = home / "postgres" / "data"
    try:
        for pid in (zombie.pid, stranger.pid):
            (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n/tmp\nlocalhost\n1 1\nready\n")
            assert leftovers.postmaster(data) == pid
            with EmbeddedPostgres(home) as server:
                psycopg.connect(dsn.read(server.dsn_file)).close()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        zombie.wait()


def test_a_killed_initdb_leaves_nothing_that_blocks(tmp_path: Path):
    unfinished = tmp_path / "postgres.new-abc" / "data"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path) as server:
        psycopg.connect(dsn.read(server.dsn_file)).close()
    assert not unfinished.exists()


def test_what_cannot_work_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Unavailable, match="move it away") as fault:
        EmbeddedPostgres(tmp_path).start()
    assert "\n" not in str(fault.value)
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        EmbeddedPostgres(tmp_path / "file").start()
    monkeypatch.setenv("OMC_PG_BIN", str(tmp_path))
    with pytest.raises(Unavailable, match="OMC_PG_BIN"):
        EmbeddedPostgres(tmp_path / "other").start()
    monkeypatch.delenv("OMC_PG_BIN")
    with EmbeddedPostgres(tmp_path / "other"):
        pass


def test_a_server_that_cannot_start_says_why_and_lets_go_of_the_home(home: Path):
    with EmbeddedPostgres(home):
        pass
    configuration = home / "postgres" / "data" / "postgresql.conf"
    whole = configuration.read_text()
    configuration.write_text("not a setting at all\n")
    with pytest.raises(Unavailable, match="does not start"):
        EmbeddedPostgres(home).start()
    configuration.write_text(whole)
    with EmbeddedPostgres(home) as server:
        assert server.owner


@pytest.mark.skipif(not Path("/usr/lib/postgresql").exists(), reason="no Debian server is installed")
def test_the_systems_own_server_serves_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMC_PG_BIN", str(max(Path("/usr/lib/postgresql").glob("*/bin"))))
    with EmbeddedPostgres(tmp_path) as server:
        psycopg.connect(dsn.read(server.dsn_file)).close()
    monkeypatch.delenv("OMC_PG_BIN")
    with EmbeddedPostgres(tmp_path) as server:
        psycopg.connect(dsn.read(server.dsn_file)).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_it_as_well(writer):
    home = Path(subprocess.check_output(["mktemp", "-d", "/tmp/omc-user-XXXXXX"], text=True).strip())
    os.chown(home, 65534, 65534)
    become = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")
    try:
        reachable = subprocess.run([*become, sys.executable, "-c", "import psycopg"], cwd=ROOT, check=False)
        if reachable.returncode != 0:
            pytest.skip("another user cannot read this installation")
        owner = writer(home, *become)
        role, pid = role_and_pid(owner)
        assert role == "owner"
        assert Path(f"/proc/{pid}").stat().st_uid == 65534
        attached, _ = role_and_pid(writer(home, *become))
        assert attached == "attached"
        acknowledged = killed(owner)
        assert gone(pid)
        again = writer(home, *become)
        assert role_and_pid(again)[0] == "owner"
        assert int(again.stdout.readline()) > acknowledged
        pid = leftovers.postmaster(home / "postgres" / "data")
        again.kill()
        assert gone(pid)
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


def test_root_gives_the_server_no_user_no_file_and_no_folder(tmp_path: Path):
    tmp_path.chmod(0o700)
    before = {each: each.stat().st_mode for each in tmp_path.parents}
    passwd = Path("/etc/passwd").read_text()
    with EmbeddedPostgres(tmp_path) as server:
        assert server.owner
        assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {os.geteuid()}
    assert {each: each.stat().st_mode for each in tmp_path.parents} == before
    assert Path("/etc/passwd").read_text() == passwd
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_without_user_namespaces_becomes_another_user_and_back(monkeypatch: pytest.MonkeyPatch):
    home = Path(tempfile.mkdtemp(prefix="omc-setpriv-", dir="/tmp"))
    home.chmod(0o755)
    try:
        monkeypatch.setattr(launch, "_OWN_NAMESPACE", ("false",))
        with EmbeddedPostgres(home) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
            pid = server.pid
            psycopg.connect(dsn.read(server.dsn_file)).close()
            os.kill(pid, signal.SIGKILL)
            assert gone(pid)
            psycopg.connect(answering(server)).close()
        monkeypatch.undo()
        with EmbeddedPostgres(home) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == 0
            psycopg.connect(dsn.read(server.dsn_file)).close()
    finally:
        shutil.rmtree(home)
