"""Columns as a file to save."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Response

from serve_apps.columns import as_csv as as_csv
from serve_apps.lab.ports import LabPorts

Format = Literal["csv", "parquet"]


async def as_file(ports: LabPorts, columns: Mapping[str, Any], name: str, kind: Format) -> Response:
    """`columns` of equal length, whole, under the file name `name`.csv or `name`.parquet. A year of bars takes a second
    to write: others are answered meanwhile."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    if kind == "parquet":
        packed = await asyncio.to_thread(ports.parquet, columns)
        return Response(packed, media_type="application/vnd.apache.parquet", headers=headers)
    text = await asyncio.to_thread(as_csv, columns)
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
