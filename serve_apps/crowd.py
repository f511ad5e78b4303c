"""How many requests are under way at once in one replica: whoever comes when it is full is told so at once."""

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_apps import problem
from serve_apps.precedence import is_probe, is_stop
from serve_apps.vouched import Vouched

_FULL = "too many requests are under way here: ask again in a moment"
# So many more find room when it is full for everybody else.
ROOM_FOR_THE_FIRST = 32
# Of these, so that neither strangers nor anybody's own flood takes all of it.
_PROBES, _STOPS_EACH = 8, 4


class Crowd:
    """Nothing queues here. Probes, and emergency stops with a token that is known here, find room where others no
    longer do."""

    def __init__(self, app: ASGIApp, at_once: int, vouched: Vouched) -> None:
        self._app = app
        self._at_once = at_once
        self._vouched = vouched
        self._under_way = 0
        self._first: Counter[str] = Counter()
        """Those that came when it was full, by whom room is kept for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        first = self._goes_first(scope) if self._under_way >= self._at_once else "room"
        if first is None:
            await problem.answer("UNAVAILABLE", 503, _FULL, headers={"Retry-After": "1"})(scope, receive, send)
            return
        self._under_way += 1
        self._first[first] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            self._first -= Counter([first])

    def _goes_first(self, scope: Scope) -> str | None:
        """Whom room is kept for; None of a request for which there is none."""
        if self._under_way >= self._at_once + ROOM_FOR_THE_FIRST:
            return None
        if is_probe(scope):
            return "probes" if self._first["probes"] < _PROBES else None
        account = self._vouched.account(scope) if is_stop(scope) else None
        if account is None or self._first[str(account)] >= _STOPS_EACH:
            return None
        return str(account)
