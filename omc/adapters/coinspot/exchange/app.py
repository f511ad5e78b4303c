"""The sandbox exchange as an ASGI application: paths to desks, refusals to statuses.

Every request is carried out between two awaits, so one is finished before the next begins: what a later nonce proves
about an earlier one holds here by construction.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from omc.adapters.coinspot.exchange.answer import NOT_FOUND, Answer, Refusal, answered, refused
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import UNKNOWN_KEY, WRONG_SIGN, KeyRing
from omc.adapters.coinspot.exchange.legacy import LEGACY, LEGACY_READING, holding, open_transactions, transactions
from omc.adapters.coinspot.exchange.public import PublicDesk
from omc.adapters.coinspot.exchange.reading import READING, balance
from omc.adapters.coinspot.exchange.request_fields import RequestFields
from omc.adapters.coinspot.exchange.trading import TRADING, Handler, Request
from omc.errors import InvalidInput, VenueRefused
from omc.trading.paper_venue import PaperVenue

LARGEST_BODY = 64 * 1024
_MINUTE_S = 60.0


@dataclass(slots=True)
class RequestRate:
    """How many requests a minute one caller may make; 0 means any number."""

    limit: int = 0
    _seen: dict[str, deque[float]] = field(default_factory=dict)

    def check(self, caller: str) -> None:
        if not self.limit:
            return
        now, seen = monotonic(), self._seen.setdefault(caller, deque())
        while seen and now - seen[0] > _MINUTE_S:
            seen.popleft()
        if len(seen) >= self.limit:
            raise Refusal(429, "Too many requests")
        seen.append(now)


@dataclass(slots=True)
class SandboxExchange:
    venue: PaperVenue
    ring: KeyRing
    control: ControlDesk
    rate: RequestRate = field(default_factory=RequestRate)
    public: PublicDesk = field(init=False)

    def __post_init__(self) -> None:
        self.public = PublicDesk(self.venue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        answer = self._answer(scope, headers, body) if body is not None else refused(413, "The body is too large")
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", answer.media_type),
                    (b"content-length", str(len(answer.content)).encode()),
                    *([(b"retry-after", b"60")] if answer.status == 429 else []),
                ],
            }
        )
        await send({"type": "http.response.body", "body": answer.content})

    def _answer(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> Answer:
        method, path = scope["method"], scope["path"].rstrip("/")
        legacy = path.startswith("/api/") and not path.startswith("/api/v2/")
        try:
            if path.startswith("/sandbox/"):
                name = path.removeprefix("/sandbox/")
                return self.control.answer(method, name, headers.get("x-sandbox-token", ""), body)
            self.rate.check(headers.get("key") or str(scope.get("client")))
            if method == "GET":
                return self._public(path)
            if method == "POST":
                query = parse_qs(scope["query_string"].decode("latin-1"))
                return self._private(path, headers, body, available=query.get("available") == ["yes"])
        except Refusal as refusal:
            if legacy and refusal.message in (UNKNOWN_KEY, WRONG_SIGN):
                # Seen in 2017, never since: the first version does not say what is wrong with a key.
                return answered({"status": "invalid"})
            return refused(refusal.status, refusal.message)
        except (VenueRefused, InvalidInput) as refusal:
            return refused(400, str(refusal))
        return NOT_FOUND

    def _public(self, path: str) -> Answer:
        if path == "/pubapi/latest":
            return self.public.latest()
        parts = path.removeprefix("/pubapi/v2/")
        return self.public.get(tuple(parts.split("/"))) if parts != path else NOT_FOUND

    def _private(self, path: str, headers: Mapping[str, str], body: bytes, *, available: bool) -> Answer:
        handler, full_access = _handler(path, available=available)
        if handler is None:
            return NOT_FOUND
        key, fields = self.ring.admit(body, headers.get("key"), headers.get("sign"), full_access=full_access)
        return answered(handler(Request(self.venue, key.customer, RequestFields(fields))))


def _handler(path: str, *, available: bool) -> tuple[Handler | None, bool]:
    """Who answers a private path, and whether it takes a key of full access."""
    second = path.removeprefix("/api/v2/")
    if second != path:
        match second.split("/"):
            case ["ro", "my", "balance", coin]:
                return partial(balance, coin=coin, available=available), False
            case ["ro", *_]:
                return READING.get(second.removeprefix("ro/")), False
        return TRADING.get(second), True
    first = path.removeprefix("/api/")
    match first.split("/"):
        case ["ro", "my", "balances", coin]:
            return partial(holding, coin=coin), False
        case ["ro", "my", "transactions", coin, "open"]:
            return partial(open_transactions, coin=coin), False
        case ["ro", "my", "transactions", coin] if coin != "open":
            return partial(transactions, coin=coin), False
        case ["ro", *_]:
            return LEGACY_READING.get(first.removeprefix("ro/")), False
    return (LEGACY.get(first) if first != path else None), True


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is larger than anything that this wire carries."""
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= LARGEST_BODY else None
