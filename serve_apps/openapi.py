"""One description of all the apps."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve_apps.problem import Failure

FAILURES: dict[int | str, dict[str, Any]] = {
    "default": {"model": Failure, "description": "Refused or failed; the status follows from the code."}
}
_DESCRIPTION = """\
Takes a crypto trading idea from the lab to the floor.

Money and quantities are strings with eight decimals, times are RFC 3339 in UTC, metrics are numbers or null.
Log in with `POST /api/v1/auth/login` and send the access token as a bearer.
"""


def merged(apps: Mapping[str, FastAPI]) -> dict[str, Any]:
    """The document of `apps`, each by the prefix that it is served under."""
    whole = FastAPI(openapi_url=None)
    for prefix, app in apps.items():
        whole.include_router(app.router, prefix=prefix)
    return get_openapi(
        title="Oh My Coins", version="1", description=_DESCRIPTION, routes=whole.routes, servers=[{"url": "/"}]
    )
