"""A page for a browser to show or print, which loads nothing and runs nothing."""

from typing import Any

from fastapi.responses import HTMLResponse

DESCRIBED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "The page."}}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
