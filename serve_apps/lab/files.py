"""Columns as a file to save."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Response

from serve_apps.columns import as_csv as as_csv
from serve_apps.lab.ports import LabPorts

Format = Literal["csv", "parquet"]

_MEDIA_TYPES: Mapping[Format, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A part as JSON; or everything in one file, as CSV or Parquet.",
        "content": {
            _MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
            _MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What a path answers that takes a `Format`, beside its model."""


async def as_file(ports: LabPorts, columns: Mapping[str, Any], name: str, kind: Format) -> Response:
    """`columns` of equal length, whole, under the file name `name`.csv or `name`.parquet. A year of bars takes a second
    to write: others are answered meanwhile."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    if kind == "parquet":
        packed = await asyncio.to_thread(ports.parquet, columns)
        return Response(packed, media_type=_MEDIA_TYPES[kind], headers=headers)
    text = await asyncio.to_thread(as_csv, columns)
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
