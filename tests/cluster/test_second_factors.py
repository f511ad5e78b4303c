"""The operator takes a lost second factor away, while the platform runs or not, and that is on record."""

import asyncio
import json

import pytest

from cluster import second_factors
from cluster.wiring import wiring
from omc.access.audit_trail import Sought
from omc.access.second_factor import code_of, secret_bytes, step_of
from omc.access.second_factors import SecondFactors
from omc.access.vault import MemoryVault
from omc.adapters.postgres import dsn
from omc.adapters.postgres.audit import PostgresAuditTrail
from omc.adapters.postgres.second_factors import PostgresSecondFactors
from omc.adapters.postgres.users import PostgresUsers

pytestmark = pytest.mark.postgres


@pytest.fixture
def there(fresh_database, tmp_path, monkeypatch):
    address = dsn.read(fresh_database.dsn_file)
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    wired = wiring(home=tmp_path)
    wired.home.prepare()
    dsn.write(wired.home.dsn_file, address)
    return wired


async def run(there, email: str) -> int:
    """As a process of its own would: without the loop of this test."""
    words = ["reset", "--home", str(there.home.folder), "--json", "--", email]
    return await asyncio.to_thread(second_factors.main, words)


async def switched_on(fresh_database, there) -> tuple:
    user = await PostgresUsers(fresh_database).create("Ada@example.com", "hash", None)
    factors = SecondFactors(PostgresSecondFactors(fresh_database), MemoryVault(), there.clock)
    secret = await factors.begin(user.id)
    await factors.confirm(user.id, code_of(secret_bytes(secret), step_of(there.clock.now())))
    return user, factors.store


async def test_it_is_taken_away_by_email_and_asks_for_nothing_any_more(fresh_database, there, capsys):
    user, store = await switched_on(fresh_database, there)
    assert (await store.get(user.id)).is_on
    assert await run(there, "ada@EXAMPLE.com") == 0
    assert json.loads(capsys.readouterr().out) == {"id": str(user.id), "email": "Ada@example.com", "state": "off"}
    assert await store.get(user.id) is None
    entries, _ = await PostgresAuditTrail(fresh_database).page(Sought(user.id), 10, 0)
    told = [(each.happening.actor, each.happening.action, each.happening.details["outcome"]) for each in entries]
    assert told == [("cli", "second_factor.reset", "done"), ("cli", "second_factor.reset", "asked")]


async def test_whoever_has_none_or_no_account_has_none_taken_away(fresh_database, there, capsys):
    await PostgresUsers(fresh_database).create("bob@example.com", "hash", None)
    for email, said in (
        ("bob@example.com", "this account has no second factor"),
        ("eve@example.com", "there is no account of eve@example.com"),
    ):
        assert await run(there, email) == 1
        assert json.loads(capsys.readouterr().out)["error"]["message"] == said
