"""What browsers are told not to do with any of our answers."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_NOTHING = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# A page of ours is one file: its styles, scripts and pictures stand in it, and it talks to nobody.
_OWN_PAGE = (
    b"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# The pages that describe the API load their programs from this platform, and ask it alone.
_DOCUMENTED = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_DOCUMENTS: Mapping[str, bytes] = {"/api/v1/docs": _DOCUMENTED, "/api/v1/redoc": _DOCUMENTED}


class SecurityHeaders:
    """On every answer, errors too. What somebody had to be signed in for is kept by no cache, unless it says how it may
    be asked about again."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._always = (*_ALWAYS, _HTTPS_ONLY) if https else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = dict(message["headers"])
                added = [*self._always, (b"content-security-policy", _policy(scope, given))]
                if b"cache-control" not in given and b"etag" not in given and _is_somebodys(scope):
                    added.append((b"cache-control", b"no-store"))
                told = [pair for pair in added if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *told]}
            await send(message)

        await self._app(scope, receive, guarded)


def _policy(scope: Scope, given: Mapping[bytes, bytes]) -> bytes:
    if not given.get(b"content-type", b"").startswith(b"text/html"):
        return _NOTHING
    return _DOCUMENTS.get(scope["path"], _OWN_PAGE)


def _is_somebodys(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])
