"""A table as one answer, however long it is: the next piece is read while the one before it is on its way.

Two pieces are in memory at most. When the asker leaves, what is being read is given up, and the query with it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping

from fastapi.responses import StreamingResponse

from omc.feature.table import Columns, TableWriter
from serve_apps.negotiation import MEDIA_TYPES, Form

_ENDINGS: Mapping[Form, str] = {"csv": "csv", "arrow": "arrows"}


async def table_answer(
    pieces: AsyncIterator[Columns], writer: TableWriter, form: Form, name: str, headers: Mapping[str, str]
) -> StreamingResponse:
    """`pieces` as `writer` writes them, to be saved as `name`. What the first of them raises is raised here, while it
    can still be answered; what a later one raises breaks the connection off."""
    first = await anext(pieces, None)
    media = MEDIA_TYPES[form] + ("; charset=utf-8" if form == "csv" else "")
    saved = {"Content-Disposition": f'attachment; filename="{name}.{_ENDINGS[form]}"'}
    return StreamingResponse(_written(first, pieces, writer), media_type=media, headers={**headers, **saved})


async def _written(
    columns: Columns | None, pieces: AsyncIterator[Columns], writer: TableWriter
) -> AsyncIterator[bytes]:
    while columns is not None:
        ahead = asyncio.create_task(_next(pieces))
        try:
            yield await asyncio.to_thread(writer.write, columns)
            columns = await ahead
        finally:
            ahead.cancel()
    yield writer.close()


async def _next(pieces: AsyncIterator[Columns]) -> Columns | None:
    return await anext(pieces, None)
