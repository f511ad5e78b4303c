"""The sandbox exchange as an ASGI application: paths to desks, refusals to statuses.

Every request is carried out between two awaits, so one is finished before the next begins: what a later nonce proves
about an earlier one holds here by construction, unless the exchange was told to carry some out late.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from omc.adapters.coinspot.exchange.answer import NOT_FOUND, Answer, Refusal, answered, refused
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.delivery import Connection, misbehave
from omc.adapters.coinspot.exchange.fault_desk import Struck
from omc.adapters.coinspot.exchange.faults import CHANGES_TRADES, IN_THE_ANSWER, Asked, Fault, FaultKind, asked
from omc.adapters.coinspot.exchange.hostile import act, read
from omc.adapters.coinspot.exchange.keys import UNKNOWN_KEY, WRONG_SIGN, KeyRing
from omc.adapters.coinspot.exchange.lateness import Late
from omc.adapters.coinspot.exchange.legacy import LEGACY, LEGACY_READING, holding, open_transactions, transactions
from omc.adapters.coinspot.exchange.public import PublicDesk
from omc.adapters.coinspot.exchange.reading import READING, balance
from omc.adapters.coinspot.exchange.request_fields import RequestFields
from omc.adapters.coinspot.exchange.trading import TRADING, Handler, Request
from omc.errors import InvalidInput, VenueRefused
from omc.trading.paper.venue import PaperVenue

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


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request, read whole."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    client: str


@dataclass(slots=True)
class SandboxExchange:
    venue: PaperVenue
    ring: KeyRing
    control: ControlDesk
    rate: RequestRate = field(default_factory=RequestRate)
    late: Late = field(default_factory=Late)
    public: PublicDesk = field(init=False)

    def __post_init__(self) -> None:
        self.public = PublicDesk(self.venue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        to, body = Connection(scope, receive, send), await _body(receive)
        if body is None:
            await to.send(refused(413, "The body is too large"))
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"].rstrip("/")
        request = Incoming(scope["method"], path, scope["query_string"], headers, body, str(scope.get("client")))
        faults, plan = self.control.faults, self.control.faults.plan
        if plan is None:
            self.late.catch_up()
            await to.send(self._answer(request))
            return
        account = self._account(request)
        fault = faults.next(path, account, self.venue.executions) if account is not None else None
        if fault is None or fault.kind in IN_THE_ANSWER:
            await to.send(self._carried_out(request, fault))
            return
        self._strike(fault, request)
        if fault.kind is FaultKind.CARRIED_OUT_LATE:
            answer = partial(self._put_off, request, plan.spans.late_s * fault.size)
        else:
            answer = partial(self._carried_out, request, fault if fault.kind is FaultKind.LISTED_LATE else None)
        await misbehave(fault, plan.spans, answer, to)

    def _account(self, request: Incoming) -> str | None:
        """Whose faults a request may have; None for one that is refused anyway."""
        return self.ring.account_of(request.headers.get("key")) if request.path.startswith("/api/") else ""

    def _strike(self, fault: Fault, request: Incoming) -> None:
        account = self._account(request) or ""
        at = self.control.player.position
        self.control.faults.tell(Struck(fault.kind, request.method, request.path, account, at))

    def _carried_out(self, request: Incoming, fault: Fault | None = None) -> Answer:
        """The answer while faults are on."""
        self.late.catch_up()
        answer = self._answer(request, fault)
        self.control.faults.note(self.venue.executions)
        return answer

    def _put_off(self, request: Incoming, by_s: float) -> Answer:
        """Admit a request now, and carry it out later; what is said is no answer to it."""

        def admit() -> Answer:
            admitted = self._admitted(request)
            if admitted is not None:
                self.late.put_off(partial(self._late, *admitted), by_s)
            return NOT_FOUND

        self.late.catch_up()
        return _refusing(request.path, admit)

    def _late(self, handler: Handler, asked_for: Request) -> None:
        with self._noting(asked_for):
            handler(asked_for)

    def _answer(self, request: Incoming, fault: Fault | None = None) -> Answer:
        return _refusing(request.path, partial(self._said, request, fault))

    def _said(self, request: Incoming, fault: Fault | None) -> Answer:
        method, path = request.method, request.path
        if path.startswith("/sandbox/"):
            name = path.removeprefix("/sandbox/")
            return self.control.answer(method, name, request.headers.get("x-sandbox-token", ""), request.body)
        self.rate.check(request.headers.get("key") or request.client)
        if method == "GET":
            return self._public(request, fault)
        if method == "POST":
            return self._private(request, fault)
        return NOT_FOUND

    def _public(self, request: Incoming, fault: Fault | None) -> Answer:
        if fault is not None:
            truth, said = self.public.latest(), self.public.spoiled(fault)
            if said.content != truth.content:
                self._strike(fault, request)
            return said
        if request.path == "/pubapi/latest":
            return self.public.latest()
        parts = request.path.removeprefix("/pubapi/v2/")
        return self.public.get(tuple(parts.split("/"))) if parts != request.path else NOT_FOUND

    def _private(self, request: Incoming, fault: Fault | None) -> Answer:
        admitted = self._admitted(request)
        if admitted is None:
            return NOT_FOUND
        handler, asked_for = admitted
        faults = self.control.faults
        if faults.plan is None:
            return answered(handler(asked_for))
        with self._noting(asked_for):
            if fault is None:
                return answered(handler(asked_for))
            if fault.kind in CHANGES_TRADES or fault.kind is FaultKind.LISTED_LATE:
                said, struck = act(handler, asked_for, fault, faults.showing, faults.plan.spans)
            else:
                said, struck = read(handler, asked_for, fault, faults.showing)
        if struck and fault.kind in IN_THE_ANSWER:
            self._strike(fault, request)
        return answered(said)

    def _admitted(self, request: Incoming) -> tuple[Handler, Request] | None:
        """Who carries a private request out, and the request, whose nonce is spent; None for a path that there is
        not."""
        available = parse_qs(request.query.decode("latin-1")).get("available") == ["yes"]
        handler, full_access = _handler(request.path, available=available)
        if handler is None:
            return None
        headers, showing = request.headers, self.control.faults.showing
        key, fields = self.ring.admit(request.body, headers.get("key"), headers.get("sign"), full_access=full_access)
        # What no list knows, balances do.
        late = frozenset[str]() if asked(request.path) is Asked.BALANCES else showing.unlisted()
        shown = showing.shown(self.venue.wallet(key.customer.account), orders=late)
        return handler, Request(self.venue, key.customer, RequestFields(fields), shown)

    @contextmanager
    def _noting(self, asked_for: Request) -> Iterator[None]:
        """What is put on the book meanwhile is new there."""
        orders = self.venue.wallet(asked_for.account).orders
        before = set(orders)
        yield
        if new := orders.keys() - before:
            self.control.faults.showing.opened(sorted(new), asyncio.get_running_loop().time())


def _refusing(path: str, say: Callable[[], Answer]) -> Answer:
    """What is said, or the no in the words of CoinSpot."""
    legacy = path.startswith("/api/") and not path.startswith("/api/v2/")
    try:
        return say()
    except Refusal as refusal:
        if legacy and refusal.message in (UNKNOWN_KEY, WRONG_SIGN):
            # Seen in 2017, never since: the first version does not say what is wrong with a key.
            return answered({"status": "invalid"})
        return refused(refusal.status, refusal.message)
    except (VenueRefused, InvalidInput) as refusal:
        return refused(400, str(refusal))


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
