"""The operator says who is a superuser, while the platform runs or not."""

import asyncio
import json

import pytest

from cluster import superusers
from cluster.wiring import wiring
from omc.adapters.postgres import dsn
from omc.adapters.postgres.users import PostgresUsers

pytestmark = pytest.mark.postgres


@pytest.fixture
def home(fresh_database, tmp_path, monkeypatch):
    address = dsn.read(fresh_database.dsn_file)
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    there = wiring(home=tmp_path)
    there.home.prepare()
    dsn.write(there.home.dsn_file, address)
    return there.home


async def run(home, *words: str) -> int:
    """As a process of its own would: without the loop of this test."""
    where = [words[0], "--home", str(home.folder), "--json", *words[1:]]
    return await asyncio.to_thread(superusers.main, where)


@pytest.mark.parametrize("running", [False, True])
async def test_it_is_granted_and_revoked_by_email_the_last_one_included(fresh_database, home, capsys, running):
    user = await PostgresUsers(fresh_database).create("Ada@example.com", "hash", None)
    held = home.locked()
    if running:
        held.__enter__()
    try:
        assert await run(home, "grant", "ada@EXAMPLE.com") == 0
        assert await run(home, "grant", "Ada@example.com") == 0
        assert await run(home, "list") == 0
        assert await run(home, "revoke", "Ada@example.com") == 0
    finally:
        if running:
            held.__exit__(None, None, None)
    told = [json.loads(line)["superusers"] for line in capsys.readouterr().out.splitlines()]
    assert told == [*3 * [[{"id": str(user.id), "email": "Ada@example.com"}]], []]
    assert not (await PostgresUsers(fresh_database).get(user.id)).is_superuser


async def test_nobody_becomes_one_without_an_account(home, capsys):
    assert await run(home, "grant", "bob@example.com") == 1
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "there is no account of bob@example.com"
