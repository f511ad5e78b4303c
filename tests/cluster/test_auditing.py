"""The operator learns whether anybody has changed what is on record, and where."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from cluster import auditing
from cluster.wiring import wiring
from omc.access.audit import Happening
from omc.adapters.postgres import dsn
from omc.adapters.postgres.audit import PostgresAuditTrail

pytestmark = pytest.mark.postgres
NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
async def account(fresh_database, tmp_path, monkeypatch):
    """Somebody with three entries, on the database of the home at `tmp_path`."""
    address, somebody = dsn.read(fresh_database.dsn_file), uuid4()
    monkeypatch.setenv("OMC_DATABASE_URL", address)
    home = wiring(home=tmp_path).home
    home.prepare()
    for number in range(3):
        await PostgresAuditTrail(fresh_database).append(Happening(somebody, NOON, "cli", f"test.{number}"))
    return somebody


async def run(tmp_path, *arguments: str) -> int:
    return await asyncio.to_thread(auditing.main, ["--home", str(tmp_path), *arguments])


def tamper(database, *statements: str) -> None:
    with psycopg.connect(dsn.read(database.dsn_file), autocommit=True) as connection:
        for statement in (
            "ALTER TABLE audit DISABLE TRIGGER USER",
            "ALTER TABLE audit_heads DISABLE TRIGGER USER",
            *statements,
        ):
            connection.execute(statement)


async def test_chains_that_hold_are_counted_and_their_heads_written(account, tmp_path, capsys):
    file = tmp_path / "heads.txt"
    assert await run(tmp_path, "--export", str(file)) == 0
    assert "1 chains with 3 entries are as they were written" in capsys.readouterr().out
    assert list(auditing.read_heads(file)) == [account]
    assert await run(tmp_path, "--against", str(file), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"accounts": 1, "entries": 3, "broken": []}


async def test_a_tampered_entry_is_named_by_account_and_number(account, tmp_path, capsys, fresh_database):
    tamper(fresh_database, "UPDATE audit SET actor = 'user:nobody' WHERE seq = 2")
    assert await run(tmp_path) == 1
    assert f"account {account}, entry 2: it was changed" in capsys.readouterr().out
    assert await run(tmp_path, "--json") == 1
    assert json.loads(capsys.readouterr().out)["broken"] == [
        {"account": str(account), "seq": 2, "what": "it was changed"}
    ]


async def test_a_trail_that_was_taken_away_whole_is_missed_by_whoever_kept_its_head(
    account, tmp_path, capsys, fresh_database
):
    file = tmp_path / "heads.txt"
    assert await run(tmp_path, "--export", str(file)) == 0
    tamper(fresh_database, "DELETE FROM audit", "DELETE FROM audit_heads")
    assert await run(tmp_path) == 0
    assert await run(tmp_path, "--against", str(file)) == 1
    assert f"account {account}, entry 1: it is missing" in capsys.readouterr().out


async def test_a_file_that_holds_no_heads_is_one_sentence(account, tmp_path, capsys):
    (tmp_path / "heads.txt").write_text("not heads")
    assert await run(tmp_path, "--against", str(tmp_path / "heads.txt"), "--json") == 1
    assert "holds no heads" in capsys.readouterr().err
