"""A page for a browser to show or print, which loads nothing and runs nothing but what it brings along."""

from typing import Any

from fastapi.responses import HTMLResponse

from omc.backtest.tearsheet.page import policy

DESCRIBED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "The page."}}


def html(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={"Content-Security-Policy": policy()})
