"""The handle that stores share: it travels, hides its secret, and says what a fault means."""

import asyncio
import pickle
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import uvloop
from sqlalchemy import text

from omc.adapters.postgres import dsn
from omc.adapters.postgres.database import Database, connect
from omc.adapters.postgres.leases import PostgresLeases
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
    gone_within_ms = 30_000  # without it, the answer comes while they are still ending, and still look open
    killed = await killer.fetch(
        "SELECT pg_terminate_backend(pid, $1) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        gone_within_ms,
    )
    await killer.close()
    assert len(killed) >= 3
    assert all(gone for (gone,) in killed)
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


class Proxy:
    """Passes bytes to the server and back, until a COMMIT: then the line is cut before it, or behind it."""

    def __init__(self, port: int, *, deliver: bool) -> None:
        self.port, self.deliver, self.cuts = port, deliver, 1

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(self.pass_on(from_server, writer))
        while data := await reader.read(65536):
            cut = self.cuts > 0 and b"COMMIT" in data
            if not cut or self.deliver:
                to_server.write(data)
                await to_server.drain()
            if cut:
                self.cuts -= 1
                back.cancel()
                await asyncio.sleep(0.2)
                break
        back.cancel()
        for stream in (to_server, writer):
            stream.transport.abort()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest.mark.postgres
@pytest.mark.parametrize("delivered", [True, False])
async def test_a_commit_without_an_answer_is_looked_up(database: Database, tmp_path: Path, delivered: bool):
    address = dsn.read(database.dsn_file)
    proxy = Proxy(int(address.rsplit("port=", 1)[1]), deliver=delivered)
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dsn.write(tmp_path / "proxied.dsn", address.split("?")[0].replace("@/", f"@127.0.0.1:{port}/"))
    leases = PostgresLeases(Database(tmp_path / "proxied.dsn"))
    name = f"risk:{uuid4()}"
    if delivered:
        assert (await leases.take(name, "one")).epoch == 1
    else:
        with pytest.raises(Unavailable):
            await leases.take(name, "one")
    assert proxy.cuts == 0
    assert await PostgresLeases(database).current(name) == int(delivered)
    await leases.database.close()
    server.close()


@pytest.mark.postgres
async def test_a_look_leaves_no_connection_that_keeps_what_is_rolled_back(database: Database):
    name = uuid4().hex
    for _ in range(3):
        async with database.look() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        with suppress(ZeroDivisionError):
            async with database.transaction() as connection:
                await connection.execute(text(f"INSERT INTO leases (name, epoch, holder) VALUES ('{name}', 1, 'x')"))
                raise ZeroDivisionError
    async with database.look() as connection:
        assert (await connection.execute(text(f"SELECT 1 FROM leases WHERE name = '{name}'"))).first() is None


@pytest.mark.postgres
async def test_a_look_at_a_database_that_goes_away_is_unavailable(database: Database):
    with pytest.raises(Unavailable):
        async with database.look() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    async with database.look() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
