"""Whatever cannot be opened any more is named, and nothing that can is shown."""

import asyncio
import json
import secrets

import psycopg
import pytest

from cluster import examining, rotating, vault_key
from cluster.wiring import wiring
from omc.access.credential import COINSPOT, sealed
from omc.adapters.postgres import dsn
from tests.omc.adapters.postgres.house import NOON, in_postgres

pytestmark = pytest.mark.postgres
SECRET = {"api_key": "abcd0123456789wxyz", "api_secret": "s3cret-of-the-exchange"}


@pytest.fixture
async def kept(tmp_path, fresh_database, monkeypatch):
    """A home on which a platform ran, and two people's keys."""
    address = dsn.read(fresh_database.dsn_file)
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    wired = wiring(home=tmp_path)
    wired.home.prepare()
    dsn.write(wired.home.dsn_file, address)
    await vault_key.prepare(wired)
    users = [await in_postgres(wired.database).user() for _ in range(2)]
    made = [await wired.credentials.add(sealed(COINSPOT, each, SECRET, wired.vault, at=NOON)) for each in users]
    await wired.database.close()
    return wired, made


async def run(wired, capsys) -> tuple[int, dict]:
    code = await asyncio.to_thread(examining.main, ["--home", str(wired.home.folder), "--json"])
    said = capsys.readouterr()
    for secret in SECRET.values():
        assert secret not in said.out + said.err
    return code, json.loads(said.out)


def change(statement: str, database, *values: object) -> None:
    with psycopg.connect(dsn.read(database.dsn_file), autocommit=True) as connection:
        connection.execute(statement, values)


async def test_everything_that_opens_is_counted(kept, capsys):
    assert await run(kept[0], capsys) == (0, {"sound": True, "opened": 2, "tampered": [], "lost": []})


async def test_a_row_that_was_tampered_with_is_named(kept, capsys, fresh_database):
    wired, (first, _) = kept
    change(
        "UPDATE coinspot_credentials SET api_secret_encrypted = overlay(api_secret_encrypted PLACING 'AAAA'::bytea"
        " FROM 40) WHERE id = %s",
        fresh_database,
        first.id,
    )
    code, told = await run(wired, capsys)
    assert (code, told["opened"], told["lost"]) == (1, 1, [])
    (named,) = told["tampered"]
    assert named.startswith(f"exchange coinspot of {first.user_id}, {first.id}: a sealed value was changed")


async def test_a_row_that_was_given_to_somebody_else_is_named(kept, capsys, fresh_database):
    wired, (first, second) = kept
    change("DELETE FROM coinspot_credentials WHERE id = %s", fresh_database, second.id)
    change("UPDATE coinspot_credentials SET user_id = %s", fresh_database, second.user_id)
    code, told = await run(wired, capsys)
    assert (code, told["opened"], len(told["tampered"])) == (1, 0, 1)
    assert str(first.id) in told["tampered"][0]


async def test_secrets_that_two_owners_rows_have_swapped_are_named(kept, capsys, fresh_database):
    wired, _ = kept
    change(
        "UPDATE coinspot_credentials a SET api_key_encrypted = b.api_key_encrypted FROM coinspot_credentials b"
        " WHERE a.id <> b.id",
        fresh_database,
    )
    code, told = await run(wired, capsys)
    assert (code, told["opened"], len(told["tampered"])) == (1, 0, 2)


async def test_a_wrong_key_of_the_vault_is_told_apart_from_tampering(kept, capsys):
    wired, _ = kept
    wired.home.vault_key.write_text(secrets.token_hex(32))
    code, told = await run(wired, capsys)
    assert (code, told["opened"], told["tampered"], len(told["lost"])) == (1, 0, [], 2)


async def test_keys_that_are_stored_while_all_is_sealed_anew_are_not_lost(kept, capsys):
    wired, made = kept
    stop = asyncio.Event()

    async def store() -> int:
        stored = 0
        while not stop.is_set():
            user_id = await in_postgres(wired.database).user()
            credential = await wired.credentials.add(sealed(COINSPOT, user_id, SECRET, wired.vault, at=NOON))
            # As whoever trades opens it, in the middle of everything.
            for each in (credential, await wired.credentials.get(made[0].user_id, COINSPOT)):
                assert each.opened(wired.vault) == SECRET
            stored += 1
        return stored

    storing = asyncio.create_task(store())
    for _ in range(3):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(rotating.rotated, wired, new=True)
    stop.set()
    stored = await storing
    # One that was sealed just before the newest key came is found by going on.
    await asyncio.to_thread(rotating.rotated, wired, new=False)
    newest = wired.vault.newest()
    await wired.database.close()
    code, told = await run(wired, capsys)
    assert (code, told["opened"]) == (0, 2 + stored)
    assert await asyncio.to_thread(asyncio.run, keys_of(wired)) == {newest}


async def keys_of(wired) -> frozenset[str]:
    try:
        return await wired.credentials.vault_keys()
    finally:
        await wired.database.close()
