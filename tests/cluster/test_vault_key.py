"""The vault's key is given, kept or made once, and a platform that misses it does not start."""

import secrets
from dataclasses import replace

import pytest

from cluster import vault_key
from cluster.wiring import Wiring, wiring
from omc.access.credential import COINSPOT, sealed
from omc.adapters.postgres import dsn
from omc.adapters.vault import FileVault
from omc.errors import InvalidInput, OmcError, VaultKeyLost
from omc.trading.deployment import DeploymentStatus, Mode
from tests.omc.adapters.postgres.house import NOON, in_postgres

pytestmark = pytest.mark.postgres

SECRET = {"api_key": "abcd0123456789wxyz", "api_secret": "s3cret-of-the-exchange"}


@pytest.fixture
def wired(tmp_path, fresh_database) -> Wiring:
    return at(tmp_path, fresh_database)


def at(folder, database, **given) -> Wiring:
    there = wiring(home=folder, **given)
    there.home.prepare()
    dsn.write(there.home.dsn_file, dsn.read(database.dsn_file))
    return there


async def stored(wired: Wiring, vault=None):
    user_id = await in_postgres(wired.database).user()
    return await wired.credentials.add(sealed(COINSPOT, user_id, SECRET, vault or wired.vault, at=NOON))


async def test_a_key_is_made_once_and_it_is_said_where(wired, capsys):
    await vault_key.prepare(wired)
    said = capsys.readouterr().err
    assert str(wired.home.vault_key) in said
    assert "Keep a copy" in said
    key = wired.home.vault_key.read_text()
    assert key.strip() not in said
    assert wired.home.vault_key.stat().st_mode & 0o777 == 0o600
    await vault_key.prepare(wired)
    assert capsys.readouterr().err == ""
    assert wired.home.vault_key.read_text() == key


async def test_a_platform_whose_key_is_gone_does_not_start_nor_makes_another(wired):
    await vault_key.prepare(wired)
    await stored(wired)
    kept = wired.home.vault_key.read_text()
    wired.home.vault_key.unlink()
    with pytest.raises(VaultKeyLost, match="put the vault's key back") as raised:
        await vault_key.prepare(wired)
    assert str(wired.home.vault_key) in str(raised.value)
    assert not wired.home.vault_key.exists()
    wired.home.vault_key.touch(0o600)
    wired.home.vault_key.write_text(secrets.token_hex(32) + "\n")
    with pytest.raises(VaultKeyLost, match=r"sealed under [0-9a-f]{12}, which is not in"):
        await vault_key.prepare(wired)
    wired.home.vault_key.write_text(secrets.token_hex(32) + "\n" + kept)
    await vault_key.prepare(wired)


async def test_a_key_that_is_given_serves_the_run_and_leaves_no_trace(tmp_path, fresh_database):
    newer, older = secrets.token_hex(32), secrets.token_hex(32)
    file = tmp_path / "older.key"
    file.touch(0o600)
    file.write_text(older)
    wired = at(tmp_path / "home", fresh_database, vault_key=f"{newer}, {older}")
    credential = await stored(wired, FileVault(file))
    await vault_key.prepare(wired)
    assert credential.opened(wired.vault) == SECRET
    assert len(wired.vault.key_ids) == 2
    assert wired.vault_key_file.stat().st_mode & 0o777 == 0o600
    assert wired.vault_key_file.parent == wired.home.run
    for text in (repr(wired), repr(wired.chosen), str(wired.chosen.model_dump())):
        assert newer not in text
    vault_key.clear(wired)
    assert not wired.vault_key_file.exists()
    assert not wired.home.vault_key.exists()


async def test_a_key_that_was_given_to_a_run_that_was_killed_is_taken_away_by_the_next(tmp_path, fresh_database):
    killed = at(tmp_path / "home", fresh_database, vault_key=secrets.token_hex(32))
    await vault_key.prepare(killed)
    assert killed.home.given_vault_key.exists()
    await vault_key.prepare(at(tmp_path / "home", fresh_database))
    assert not killed.home.given_vault_key.exists()


def test_a_key_that_is_none_is_refused_without_being_shown(tmp_path):
    with pytest.raises(InvalidInput, match="64 hexadecimal digits") as raised:
        wiring(home=tmp_path, vault_key="hunter2-hunter2")
    assert "hunter2" not in str(raised.value)


async def test_a_key_file_that_others_can_read_is_refused(wired):
    await vault_key.prepare(wired)
    wired.home.vault_key.chmod(0o644)
    with pytest.raises(OmcError, match="0600"):
        await vault_key.prepare(replace(wired))


async def test_what_traded_real_money_stands_still_on_a_platform_that_trades_none(wired):
    house = in_postgres(wired.database)
    user_id = await house.user()
    live, paper = (
        await house.deployed(user_id, name="live", mode=Mode.LIVE),
        await house.deployed(user_id, name="paper"),
    )
    await vault_key.prepare(wired)
    assert (await house.deployments.get(live.id)).status is DeploymentStatus.PAUSED
    assert (await house.deployments.get(paper.id)).status is DeploymentStatus.ACTIVE
    entries, _ = await house.blotter.journal(user_id, live.id, ("deployment",), 0, 1)
    assert "plays a tape" in entries[0].data["reason"]
