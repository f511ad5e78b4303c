"""What slow tests share: one database server a session, started when the first test asks for it."""

import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from omc.adapters.postgres import dsn
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.server import EmbeddedPostgres


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
        connection.execute(f'DROP DATABASE "{fresh.dsn_file.stem}" WITH (FORCE)')


def _copy(template: Path) -> Database:
    name = f"test_{uuid.uuid4().hex[:12]}"
    address = dsn.read(template)
    with psycopg.connect(address.replace("/omc?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE omc')
    file = template.with_name(f"{name}.dsn")
    dsn.write(file, address.replace("/omc?", f"/{name}?"))
    return Database(file)
