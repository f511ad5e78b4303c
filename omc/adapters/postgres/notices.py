"""Notices to traders, as rows: numbered under the lock of their deployment, so that no purchase slips in between."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import journal
from omc.errors import NotFound
from omc.trading.notice import JOURNALED, Notice, NoticeKind, same

_COLUMNS = "deployed_algorithm_id, number, kind, coins, idempotency_key, done"
_LOCK = text("SELECT user_id FROM deployed_algorithms WHERE id = :id FOR UPDATE")
_COUNT = text("""
    INSERT INTO trader_memory (deployed_algorithm_id, notices) VALUES (:id, 1)
    ON CONFLICT (deployed_algorithm_id) DO UPDATE SET notices = trader_memory.notices + 1
    RETURNING notices
""")
_INSERT = text(f"INSERT INTO trader_notices ({_COLUMNS}) VALUES (:id, :number, :kind, :coins, :key, :done)")
_KNOWN = text(f"""
    SELECT {_COLUMNS} FROM trader_notices WHERE deployed_algorithm_id = :id AND idempotency_key = :key
""")
_UNHEARD = text(f"""
    SELECT {_COLUMNS} FROM trader_notices WHERE deployed_algorithm_id = :id AND number > :heard ORDER BY number
""")
_UNFINISHED = text(f"SELECT {_COLUMNS} FROM trader_notices WHERE NOT done ORDER BY noticed_at, number")
_DONE = text("""
    UPDATE trader_notices SET done = true
    WHERE deployed_algorithm_id = :id AND number = :number AND NOT done RETURNING 1
""")
_COINS = text("SELECT coins FROM deployed_algorithms WHERE id = :id")


async def notify(
    connection: AsyncConnection, deployment_id: UUID, kind: NoticeKind, coins: Sequence[str], key: str | None
) -> Notice:
    owner = (await connection.execute(_LOCK, {"id": deployment_id})).scalar_one_or_none()
    if owner is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    known = await noticed(connection, deployment_id, key) if key is not None else None
    if known is not None:
        return same(known, kind, coins)
    notice = await _add(connection, Notice(deployment_id, 0, kind, tuple(coins), key, kind is not NoticeKind.OUT))
    if kind in JOURNALED:
        await journal.write(connection, journal.Line(owner, JOURNALED[kind], notice.told(), deployment_id))
    return notice


async def noticed(connection: AsyncConnection, deployment_id: UUID, key: str) -> Notice | None:
    row = (await connection.execute(_KNOWN, {"id": deployment_id, "key": key})).first()
    return _notice(row) if row else None


async def done(connection: AsyncConnection, notice: Notice) -> None:
    await connection.execute(_LOCK, {"id": notice.deployment_id})
    which = {"id": notice.deployment_id, "number": notice.number}
    if (await connection.execute(_DONE, which)).first() is not None:
        await _add(connection, Notice(notice.deployment_id, 0, NoticeKind.MOVED, notice.coins))


async def unfinished(connection: AsyncConnection) -> list[Notice]:
    return [_notice(row) for row in await connection.execute(_UNFINISHED)]


async def unheard(connection: AsyncConnection, deployment_id: UUID, heard: int) -> tuple[list[str], list[Notice]]:
    """The deployment's coins, and the notices after the one that was `heard`."""
    coins: list[str] = (await connection.execute(_COINS, {"id": deployment_id})).scalar_one()
    rows = await connection.execute(_UNHEARD, {"id": deployment_id, "heard": heard})
    return coins, [_notice(row) for row in rows]


async def _add(connection: AsyncConnection, notice: Notice) -> Notice:
    number: int = (await connection.execute(_COUNT, {"id": notice.deployment_id})).scalar_one()
    added = replace(notice, number=number)
    values = {
        "id": added.deployment_id,
        "number": number,
        "kind": added.kind.value,
        "coins": list(added.coins),
        "key": added.key,
        "done": added.done,
    }
    await connection.execute(_INSERT, values)
    return added


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.deployed_algorithm_id, row.number, NoticeKind(row.kind), tuple(row.coins), row.idempotency_key, row.done
    )
