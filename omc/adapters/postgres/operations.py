"""Which operations have had their effect, written down in the effect's own transaction.

A request may be carried out again, by another process, because the first died before it answered. What others have
changed since must not be undone then.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import jsonb

_DO = text("""
    INSERT INTO done_operations (operation, answer) VALUES (:operation, CAST(:answer AS jsonb)) ON CONFLICT DO NOTHING
""")
_ANSWERED = text("SELECT answer FROM done_operations WHERE operation = :operation")


async def first(connection: AsyncConnection, operation: UUID | None, answer: Mapping[str, Any] | None = None) -> bool:
    """Whether the effect is to be had now; whoever asks at the same time waits for the end of this transaction. What
    has no name is had every time."""
    if operation is None:
        return True
    values = {"operation": operation, "answer": None if answer is None else jsonb.text(dict(answer))}
    return bool((await connection.execute(_DO, values)).rowcount)


async def answered(connection: AsyncConnection, operation: UUID) -> Mapping[str, Any] | None:
    """What was kept with its effect."""
    answer: Mapping[str, Any] | None = (
        await connection.execute(_ANSWERED, {"operation": operation})
    ).scalar_one_or_none()
    return answer
