"""How many requests are under way at once in one replica: whoever comes when it is full is told so at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_apps import problem
from serve_apps.precedence import is_probe, is_stop

_FULL = "too many requests are under way here: ask again in a moment"
# So many more find room when it is full for everybody else.
ROOM_FOR_THE_FIRST = 32


class Crowd:
    """Nothing queues here. Probes and emergency stops find room where others no longer do."""

    def __init__(self, app: ASGIApp, at_once: int) -> None:
        self._app = app
        self._at_once = at_once
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        room = self._at_once + ROOM_FOR_THE_FIRST if is_probe(scope) or is_stop(scope) else self._at_once
        if self._under_way >= room:
            await problem.answer("UNAVAILABLE", 503, _FULL, headers={"Retry-After": "1"})(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
