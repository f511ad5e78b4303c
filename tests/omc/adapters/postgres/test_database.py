"""The handle that stores share: it travels, hides its secret, and says what a fault means."""

import asyncio
import pickle
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import uvloop
from sqlalchemy import text

from omc.adapters.postgres import dsn
from omc.adapters.postgres.database import Database, connect
from omc.errors import InvalidInput, Unavailable


def test_a_handle_travels_without_its_secret(tmp_path: Path):
    handle = Database(tmp_path / "database.dsn")
    dsn.write(handle.dsn_file, "postgresql://u:secret@h/d")
    assert pickle.loads(pickle.dumps(handle)) == handle
    assert "secret" not in repr(handle)
    assert b"secret" not in pickle.dumps(handle)


async def test_a_database_that_is_not_there_is_unavailable_in_one_sentence(tmp_path: Path):
    nowhere = Database(tmp_path / "none.dsn")
    with pytest.raises(Unavailable, match="no database is running"):
        await nowhere.ping()
    refused = Database(tmp_path / "refused.dsn")
    dsn.write(refused.dsn_file, "postgresql://u:secret@127.0.0.1:9/d")
    for attempt in (refused.ping(), connect(refused.dsn_file)):
        with pytest.raises(Unavailable) as fault:
            await attempt
        assert "secret" not in str(fault.value)
        assert "\n" not in str(fault.value)


@pytest.mark.postgres
async def test_a_wrong_password_or_database_is_told_as_such(database: Database, tmp_path: Path):
    address = dsn.read(database.dsn_file)
    user, rest = address.removeprefix("postgresql://").split(":", 1)
    dsn.write(tmp_path / "password.dsn", f"postgresql://{user}:wrong@{rest.split('@', 1)[1]}")
    with pytest.raises(Unavailable, match="password"):
        await Database(tmp_path / "password.dsn").ping()
    dsn.write(tmp_path / "name.dsn", address.replace("/test_", "/no_"))
    with pytest.raises(Unavailable, match="no database of that name"):
        await Database(tmp_path / "name.dsn").ping()


@pytest.mark.postgres
async def test_a_lost_connection_is_unavailable_and_the_next_use_works(database: Database):
    suicide = "SELECT pg_terminate_backend(pg_backend_pid())"

    async def through_sqlalchemy() -> None:
        async with database.transaction() as connection:
            await connection.execute(text(suicide))

    async def through_the_driver() -> None:
        async with database.transaction() as connection:
            await (await connection.get_raw_connection()).driver_connection.execute(suicide)

    for attempt in (through_sqlalchemy, through_the_driver):
        with pytest.raises(Unavailable):
            await attempt()
        await database.ping()


@pytest.mark.postgres
async def test_idle_connections_that_were_killed_are_replaced(database: Database):
    await asyncio.gather(*(database.ping() for _ in range(3)))
    killer = await connect(database.dsn_file)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await killer.close()
    await asyncio.gather(*(database.ping() for _ in range(3)))


@pytest.mark.postgres
async def test_a_value_that_does_not_fit_is_the_callers_fault(database: Database):
    with pytest.raises(InvalidInput, match="overflow"):
        async with database.transaction() as connection:
            await connection.execute(text("SELECT CAST(:n AS numeric(20,8))"), {"n": Decimal(10) ** 13})


@pytest.mark.postgres
async def test_a_block_that_raises_leaves_nothing(fresh_database: Database):
    async def fail() -> None:
        async with fresh_database.transaction() as connection:
            await connection.execute(text("INSERT INTO leases (name, epoch, holder) VALUES ('x', 1, 'x')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with fresh_database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM leases"))).scalar_one() == 0


@pytest.mark.postgres
def test_every_event_loop_has_connections_of_its_own(postgres_template: Path, tmp_path: Path):
    file = tmp_path / "postgres.dsn"
    dsn.write(file, dsn.read(postgres_template).replace("/omc?", "/postgres?"))
    handle = Database(file)

    async def use() -> None:
        await handle.ping()
        await handle.close()
        await handle.ping()
        await replace(handle).close()

    asyncio.run(use())
    asyncio.run(use())
    uvloop.run(use())
