"""The operator seals everything anew, while the platform runs or not, and can do so again."""

import asyncio
import json
import secrets

import pytest

from cluster import rotating, vault_key
from cluster.wiring import Wiring, wiring
from omc.access.credential import COINSPOT, sealed
from omc.access.vault import key_id
from omc.adapters.postgres import dsn
from omc.errors import Conflict
from tests.omc.adapters.postgres.house import NOON, in_postgres

pytestmark = pytest.mark.postgres

SECRET = {"api_key": "abcd0123456789wxyz", "api_secret": "s3cret-of-the-exchange"}


@pytest.fixture
def address(fresh_database) -> str:
    return dsn.read(fresh_database.dsn_file)


def at(folder, address: str, **given) -> Wiring:
    there = wiring(home=folder, database_url=address, **given)
    there.home.prepare()
    dsn.write(there.home.dsn_file, address)
    return there


async def stored(wired: Wiring):
    user_id = await in_postgres(wired.database).user()
    made = await wired.credentials.add(sealed(COINSPOT, user_id, SECRET, wired.vault, at=NOON))
    await wired.database.close()
    return made


@pytest.fixture
async def kept(tmp_path, address):
    """A home on which a platform ran, and one key that it was entrusted with."""
    wired = at(tmp_path, address)
    await vault_key.prepare(wired)
    made = await stored(wired)
    await wired.database.close()
    return wired, made


async def found(wired: Wiring, made):
    try:
        return await wired.credentials.get(made.user_id, COINSPOT)
    finally:
        await wired.database.close()


@pytest.mark.parametrize("running", [False, True])
async def test_a_new_key_is_put_on_top_and_all_is_sealed_under_it(kept, capsys, monkeypatch, address, running):
    wired, made = kept
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    held = wired.home.locked()
    if running:
        held.__enter__()
    try:
        code = await run(["--home", str(wired.home.folder), "--new", "--json"])
    finally:
        if running:
            held.__exit__(None, None, None)
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    former, newest = key_id(made.sealed["api_key"]), wired.vault.newest()
    assert (told["newest"], told["resealed"], told["failed"], told["needed"]) == (newest, 1, [], [])
    assert former != newest
    now = await found(wired, made)
    assert now.sealed_under(newest)
    assert now.opened(wired.vault) == SECRET
    assert await run(["--home", str(wired.home.folder)]) == 0
    said = capsys.readouterr().out
    assert f"sealed anew under {newest}: 0" in said
    assert "nothing needs an older key any more" in said


async def test_what_was_broken_off_is_gone_on_with_under_the_same_key(kept):
    wired, made = kept
    rotating.add_key(wired.home.vault_key)
    newest = wired.vault.newest()
    told = await rotating._rotated(wired, new=True)
    assert (told.newest, told.resealed) == (newest, 1)
    assert (await found(wired, made)).sealed_under(newest)


async def test_keys_that_are_given_serve_as_they_stand(tmp_path, address):
    newer, older = secrets.token_hex(32), secrets.token_hex(32)
    first = at(tmp_path, address, vault_key=older)
    await vault_key.prepare(first)
    made = await stored(first)
    vault_key.clear(first)
    both = at(tmp_path, address, vault_key=f"{newer},{older}")
    told = await apart(both, new=False)
    assert (told.resealed, told.needed) == (1, frozenset())
    assert (await found(both, made)).sealed_under(told.newest)
    assert not both.home.given_vault_key.exists()
    with pytest.raises(Conflict, match="OMC_VAULT_KEY"):
        await apart(both, new=True)


async def test_what_cannot_be_opened_is_told(kept, capsys, monkeypatch, address):
    wired, made = kept
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    wired.home.vault_key.write_text(secrets.token_hex(32))
    assert await run(["--home", str(wired.home.folder)]) == 1
    said = capsys.readouterr().out
    assert f"not opened: exchange coinspot of {made.user_id}: the vault's key" in said
    assert f"still needed: {key_id(made.sealed['api_key'])}" in said


async def run(arguments: list[str]) -> int:
    """As a process of its own would: without the loop of this test."""
    return await asyncio.to_thread(rotating.main, arguments)


async def apart(wired: Wiring, *, new: bool):
    return await asyncio.to_thread(rotating.rotated, wired, new=new)
