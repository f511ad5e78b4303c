"""The audit trail in PostgreSQL. An entry's place is given under its chain's head, which is locked until the commit."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.audit import GENESIS, Entry, Happening, Link
from omc.access.audit_trail import Sought, Standstill
from omc.adapters.postgres import jsonb
from omc.adapters.postgres.database import Database

_COLUMNS = "account, seq, at, actor, action, subject, details, address, request_id, previous, hash"
# What `omc.access.audit.chained` computes.
_CHAINED = "encode(sha256(convert_to({previous} || '|' || {seq} || '|' || CAST(:digest AS text), 'UTF8')), 'hex')"
_FIRST = _CHAINED.format(previous=f"'{GENESIS.hash}'", seq="1")
_NEXT = _CHAINED.format(previous="head.hash", seq="(head.seq + 1)")
_APPEND = text(f"""
    WITH place AS (
        INSERT INTO audit_heads AS head (account, seq, previous, hash)
        VALUES (:account, 1, '{GENESIS.hash}', {_FIRST})
        ON CONFLICT (account) DO UPDATE SET seq = head.seq + 1, previous = head.hash, hash = {_NEXT}
        RETURNING seq, previous, hash
    )
    INSERT INTO audit ({_COLUMNS})
    SELECT :account, seq, :at, :actor, :action, :subject, CAST(:details AS jsonb), :address, :request_id, previous, hash
    FROM place RETURNING seq, hash
""")
_SOUGHT = """
    account = :account AND (CAST(:action AS text) IS NULL OR action = :action)
    AND (CAST(:start AS timestamptz) IS NULL OR at >= :start) AND (CAST(:end AS timestamptz) IS NULL OR at <= :end)
"""
_PAGE = text(f"SELECT {_COLUMNS} FROM audit WHERE {_SOUGHT} ORDER BY seq DESC LIMIT :limit OFFSET :offset")
_COUNT = text(f"SELECT count(*) FROM audit WHERE {_SOUGHT}")
_STILL = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_HEADS = text(f"""
    SELECT account, coalesce(head.seq, 0) AS seq, coalesce(head.hash, '{GENESIS.hash}') AS hash
    FROM audit_heads head FULL JOIN (SELECT DISTINCT account FROM audit) known USING (account)
""")
_CHAIN = text(f"SELECT {_COLUMNS} FROM audit WHERE account = :account AND seq >= :seq ORDER BY seq LIMIT :limit")
_AT_ONCE = 1_000
_LOWEST = -(2**63)


@dataclass(frozen=True, slots=True)
class PostgresAuditTrail:
    """An AuditTrail."""

    database: Database

    async def append(self, happening: Happening) -> Link:
        async with self.database.transaction() as connection:
            return await append(connection, happening)

    async def page(self, sought: Sought, limit: int, offset: int) -> tuple[list[Entry], int]:
        values = {"account": sought.account, "action": sought.action, "start": sought.start, "end": sought.end}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, {**values, "limit": limit, "offset": offset})
            total = (await connection.execute(_COUNT, values)).scalar_one()
        return [_entry(row) for row in rows], total

    @asynccontextmanager
    async def standstill(self) -> AsyncIterator[Standstill]:
        async with self.database.transaction() as connection:
            await connection.execute(_STILL)
            yield PostgresStandstill(connection)


@dataclass(frozen=True, slots=True)
class PostgresStandstill:
    """A Standstill, as long as the transaction lasts."""

    connection: AsyncConnection

    async def heads(self) -> Mapping[UUID, Link]:
        return {row.account: Link(row.seq, row.hash) for row in await self.connection.execute(_HEADS)}

    async def chain(self, account: UUID) -> AsyncIterator[Entry]:
        # From before its beginning: what somebody has put there is read by people as well.
        following = _LOWEST
        while True:
            values = {"account": account, "seq": following, "limit": _AT_ONCE}
            rows = (await self.connection.execute(_CHAIN, values)).all()
            for row in rows:
                following = row.seq + 1
                yield _entry(row)
            if len(rows) < _AT_ONCE:
                return


async def append(connection: AsyncConnection, happening: Happening) -> Link:
    """In the transaction of what it tells. Nothing but the journal may be locked after this."""
    values = {
        "account": happening.account,
        "at": happening.at,
        "actor": happening.actor,
        "action": happening.action,
        "subject": happening.subject,
        "details": jsonb.text(dict(happening.details)),
        "address": happening.address,
        "request_id": happening.request_id,
        "digest": happening.digest,
    }
    row = (await connection.execute(_APPEND, values)).one()
    return Link(row.seq, row.hash)


def _entry(row: Row[Any]) -> Entry:
    happening = Happening(
        account=row.account,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=row.details,
        address=row.address,
        request_id=row.request_id,
    )
    return Entry(happening, row.seq, row.previous, row.hash)
