"""Chains grow by one however many append, and the database itself changes nothing in them."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from omc.access.audit import Happening
from omc.access.audit_trail import AuditTrail, MemoryAuditTrail, Sought, verify_all
from omc.adapters.postgres import dsn
from omc.adapters.postgres.audit import PostgresAuditTrail

NOON = datetime(2025, 6, 10, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def trail(kind: str, request: pytest.FixtureRequest) -> AuditTrail:
    return PostgresAuditTrail(request.getfixturevalue("fresh_database")) if kind == "postgres" else MemoryAuditTrail()


def happening(account: UUID, number: int = 0, action: str = "auth.log_in") -> Happening:
    details = {"status": 200, "outcome": "done", "nothing": None, "whether": True, "text": "é'\\\" \u2028"}
    return Happening(
        account, NOON + timedelta(minutes=number), f"user:{account}", action, "x", details, "192.0.2.1", f"r{number}"
    )


async def test_what_is_appended_is_found_as_it_was_and_its_chain_holds(trail: AuditTrail):
    account = uuid4()
    links = [await trail.append(happening(account, number)) for number in range(3)]
    assert [link.seq for link in links] == [1, 2, 3]
    found, total = await trail.page(Sought(account), 10, 0)
    assert total == 3
    assert [entry.happening for entry in found] == [happening(account, number) for number in (2, 1, 0)]
    verified = await verify_all(trail)
    assert (verified.flaws, verified.entries, verified.heads) == ((), 3, {account: links[-1]})


async def test_entries_are_sought_by_action_and_time_and_by_account_always(trail: AuditTrail):
    account = uuid4()
    for number, action in enumerate(("a", "b", "a", "b")):
        await trail.append(happening(account, number, action))
    await trail.append(happening(uuid4(), 1, "a"))
    found, total = await trail.page(Sought(account, action="a"), 1, 1)
    assert ([entry.seq for entry in found], total) == ([1], 2)
    from_second_to_third = Sought(account, start=NOON + timedelta(minutes=1), end=NOON + timedelta(minutes=2))
    found, total = await trail.page(from_second_to_third, 10, 0)
    assert ([entry.seq for entry in found], total) == ([3, 2], 2)


async def test_many_who_append_at_once_each_get_a_place(trail: AuditTrail):
    accounts = [uuid4(), uuid4()]
    await asyncio.gather(*(trail.append(happening(accounts[number % 2], number)) for number in range(40)))
    verified = await verify_all(trail)
    assert verified.flaws == ()
    assert {link.seq for link in verified.heads.values()} == {20}


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'user:nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "UPDATE audit_heads SET seq = seq - 1",
        "UPDATE audit_heads SET hash = repeat('0', 64)",
    ],
)
async def test_the_database_refuses_to_change_what_was_written(fresh_database, statement):
    await PostgresAuditTrail(fresh_database).append(happening(uuid4()))
    with (
        psycopg.connect(dsn.read(fresh_database.dsn_file), autocommit=True) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
    ):
        connection.execute(statement)


COLUMNS = "account, at, actor, action, subject, details, address, request_id, previous, hash, seq"
BEFORE = f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS.removesuffix(', seq')},"
TAMPERED = {
    "a changed entry": ("UPDATE audit SET details = '{\"status\": 500}' WHERE seq = 2", 2),
    "another time": ("UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 1", 1),
    "a removed entry": ("DELETE FROM audit WHERE seq = 2", 2),
    "a tail cut off": ("DELETE FROM audit WHERE seq > 1", 2),
    "all entries": ("DELETE FROM audit", 1),
    "a head set back": ("UPDATE audit_heads SET seq = 2", 3),
    "a beginning before the first": (f"{BEFORE} -7 FROM audit WHERE seq = 1", -7),
    "one before the first": (f"{BEFORE} 0 FROM audit WHERE seq = 2", 0),
    "two in each other's place": ("UPDATE audit SET seq = 1 - seq; UPDATE audit SET seq = seq + 3", 1),
    "no head": ("DELETE FROM audit_heads", 1),
}


@pytest.mark.postgres
@pytest.mark.parametrize("how", TAMPERED)
async def test_whoever_gets_round_the_database_is_found_out(fresh_database, how):
    trail, account, statement = PostgresAuditTrail(fresh_database), uuid4(), TAMPERED[how][0]
    for number in range(3):
        await trail.append(happening(account, number))
    with psycopg.connect(dsn.read(fresh_database.dsn_file), autocommit=True) as connection:
        for table in ("audit", "audit_heads"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.execute(statement)
    (flaw,) = (await verify_all(trail)).flaws
    assert (flaw.account, flaw.seq) == (account, TAMPERED[how][1])
