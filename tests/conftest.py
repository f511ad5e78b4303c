"""What slow tests share: one database server and one Ray cluster a session, started when the first test asks."""

import asyncio
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from cluster.proxy_door import CALLBACK
from omc.adapters.postgres import dsn
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.server import EmbeddedPostgres
from tests.omc.adapters.postgres.dropping import drop

# First calls compile, and the machine may be busy: a property holds however long it takes. It is asked the same
# examples on every run, which so tells of what was changed and of nothing else; `make search` looks for new ones.
SLOW = [HealthCheck.too_slow]
settings.register_profile("omc", deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.load_profile("omc")

# Short, because the paths of Ray's sockets may have no more than 107 bytes.
_RAY_FOLDER = Path(tempfile.mkdtemp(prefix="omc-"))


class FilesApart(LoadScopeScheduling):
    """Processes that share the tests take whole files, and one of them everything that starts a cluster."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "ray" if "mark.ray" in (self.config.rootpath / file).read_text() else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesApart:
    return FilesApart(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a cluster takes longest, so it begins at once."""
    items.sort(key=lambda item: item.get_closest_marker("ray") is None)


@pytest.fixture(scope="session", autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """What tests leave to go on by itself is ended before the event loop is. A risk desk that nobody stopped takes up
    again what was cut short, so that it has to be told more than once."""
    yield
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=1.0)


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The address file of a migrated database that nobody connects to, so that it can be copied."""
    home = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres(home) as server:
        migrate(Database(server.dsn_file))
        yield server.dsn_file
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
async def database(postgres_template: Path) -> AsyncIterator[Database]:
    """A migrated database that the whole session shares: tests keep apart by using users of their own."""
    shared = _copy(postgres_template)
    yield shared
    await shared.close()


@pytest.fixture
async def fresh_database(postgres_template: Path) -> AsyncIterator[Database]:
    """A migrated database with nothing in it, for this test alone."""
    fresh = _copy(postgres_template)
    yield fresh
    await fresh.close()
    with psycopg.connect(dsn.read(postgres_template).replace("/omc?", "/postgres?"), autocommit=True) as connection:
        drop(connection, fresh.dsn_file.stem)


def _copy(template: Path) -> Database:
    name = f"test_{uuid.uuid4().hex[:12]}"
    address = dsn.read(template)
    with psycopg.connect(address.replace("/omc?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE omc')
    file = template.with_name(f"{name}.dsn")
    dsn.write(file, address.replace("/omc?", f"/{name}?"))
    return Database(file)


def pytest_configure() -> None:
    """Ray reads who may connect, and from where, when it is first imported: long before a test asks for a cluster."""
    token = _RAY_FOLDER / "token"
    token.touch(0o600)
    token.write_text(secrets.token_hex(32))
    os.environ |= {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **CALLBACK,
    }


def pytest_unconfigure() -> None:
    shutil.rmtree(_RAY_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One local Ray cluster that the whole session shares, on loopback, with a token of its own."""
    import ray  # takes a second, and most tests need none of it

    ray.init(
        num_cpus=4,
        include_dashboard=False,
        object_store_memory=150_000_000,
        namespace="test",
        log_to_driver=False,
        _temp_dir=str(_RAY_FOLDER / "ray"),
    )
    yield
    ray.shutdown()
