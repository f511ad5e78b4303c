"""Paths that are not treated as all others are."""

from typing import Any

from starlette.types import Scope

REGISTERING = "/api/v1/users/register"
PROBES = frozenset({"/api/v1/health", "/api/v1/ready"})
"""Whoever watches the platform must hear from it when it is asked too much."""
HALTS = frozenset({"/api/v1/floor/emergency-stop", "/api/v1/floor/stopentry"})
"""Whatever keeps account of requests is told of these too, and never waited for."""
STOPS = HALTS | {"/api/v1/floor/emergency-stop/reset"}
"""Whoever wants everything stopped is neither held up by others nor by what else they have asked."""
_LONG = frozenset({"report", "verdict", "promotion", "parity", "forceexit"})
_LAB, _WRITES = "/api/v1/lab/", frozenset({"POST", "PUT", "PATCH"})
OPEN = frozenset(
    {
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        REGISTERING,
        "/api/v1/docs",
        "/api/v1/redoc",
        "/api/v1/openapi.json",
    }
)
"""Nobody has to be signed in here, so a token that comes along says nothing."""


def is_stop(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"] in STOPS


def is_halt(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"] in HALTS


def is_registration(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"] == REGISTERING


def is_probe(scope: Scope) -> bool:
    return scope["path"] in PROBES


def takes_its_time(scope: Scope) -> bool:
    """Whether it is known to work for as long as it takes: it stops or sells, reads people's code, fits, measures for
    the gates, or replays and draws what has been. Each of them has bounds of its own."""
    path: str = scope["path"]
    if is_stop(scope) or (path.startswith(_LAB) and scope["method"] in _WRITES):
        return True
    return not _LONG.isdisjoint(path.split("/")[-2:])


def header(scope: Scope, name: bytes) -> bytes:
    """The first of that name; empty when there is none."""
    pairs: list[tuple[bytes, bytes]] | Any = scope["headers"]
    return next((value for key, value in pairs if key == name), b"")
