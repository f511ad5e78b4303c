"""The sandbox exchange in the same process: its own record of what it took, and the cable that leads to it.

The record is the truth that everything else is held against. Every request says which intent it is about, in a way
that only the record can see, so that two orders of one intent are found whatever they look like.
"""

from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any

from omc.adapters.coinspot.exchange.app import SandboxExchange
from omc.adapters.coinspot.exchange.in_process import InProcessLine
from omc.adapters.coinspot.line import Reply
from omc.errors import OutcomeUnknown, Unavailable
from omc.trading.fill import Side
from omc.trading.paper.order import Execution, RestingOrder
from omc.trading.paper.venue import PaperVenue
from tests.simulation.weather import Wire, settle

ABOUT: ContextVar[str] = ContextVar("about", default="")
"""The intent that whoever runs now has the venue carry out."""
REQUEST: ContextVar[tuple[str, float]] = ContextVar("request", default=("", 0.0))
"""What the request that is carried out now is about, and when it left."""
_LONGEST_S = 3600.0


class Trouble(Enum):
    """What a network does to a request."""

    REFUSED = "no connection"
    LOST = "request lost"
    LATE = "late"
    ANSWER_LOST = "answer lost"


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that the exchange took."""

    about: str
    """The client order id of the intent that it was sent for; empty for a stranger's."""
    order_id: str
    account: str
    coin: str
    side: Side
    quantity: Decimal
    price_aud: Decimal
    sent_s: float
    """When the request left."""
    time: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A limit that the exchange moved."""

    about: str
    sent_s: float


class RecordingVenue(PaperVenue):
    """A paper venue that writes down every order that it takes, and what owners bring and take besides."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken: list[Taken] = []
        self.moved: list[Moved] = []
        self.sent_for: dict[str, str] = {}
        """What each order is about, by its id."""
        self.brought: dict[str, Counter[str]] = {}
        """By account and coin: what came by no order, besides what the floor was given to trade."""
        self.overdrawn: list[str] = []

    def bring(self, account: str, amounts: Mapping[str, Decimal]) -> None:
        """Deposit, or below zero withdraw."""
        wallet, brought = self.wallet(account), self.brought.setdefault(account, Counter())
        for coin, amount in amounts.items():
            if amount < 0:
                wallet.need(coin, -amount)
            if coin == "AUD":
                wallet.cash_aud += amount
            else:
                wallet.coins[coin] = wallet.balance(coin) + amount
            brought[coin] += amount

    def owners(self, account: str) -> Counter[str]:
        """What of an account is its owner's own: what he brought and what he made of it. Below zero where he has taken
        what is not his."""
        own = Counter(self.brought.get(account, Counter()))
        for done in self.wallet(account).executions:
            if not self.sent_for.get(done.order_id):
                own[done.coin] += done.quantity if done.side is Side.BUY else -done.quantity
                own["AUD"] += done.cash_moved_aud
        return own

    def place(self, account: str, side: Side, coin: str, *, quantity: Decimal, price_aud: Decimal) -> RestingOrder:
        order = super().place(account, side, coin, quantity=quantity, price_aud=price_aud)
        self._take(order.order_id, account, coin, side, quantity, price_aud)
        return order

    def trade_now(self, account: str, side: Side, coin: str, **how: Any) -> Execution:
        done = super().trade_now(account, side, coin, **how)
        self._take(done.order_id, account, coin, side, done.quantity, done.price_aud)
        return done

    def edit(self, account: str, side: Side, order_id: str, **to: Decimal) -> RestingOrder:
        moved = super().edit(account, side, order_id, **to)
        self.moved.append(Moved(self.sent_for[order_id], REQUEST.get()[1]))
        return moved

    def _take(self, order_id: str, account: str, coin: str, side: Side, quantity: Decimal, price: Decimal) -> None:
        about, sent_s = REQUEST.get()
        self.sent_for[order_id] = about
        self.taken.append(Taken(about, order_id, account, coin, side, quantity, price, sent_s, self.time))

    def _record(self, execution: Execution) -> None:
        super()._record(execution)
        wallet = self.wallet(execution.account)
        for name in ("AUD", execution.coin):
            if wallet.balance(name) < 0:
                self.overdrawn.append(f"{execution.account} is left with {wallet.balance(name)} {name}")


@dataclass(slots=True)
class Exchange:
    """The application, and what may happen on the way to it."""

    app: SandboxExchange
    venue: RecordingVenue
    wire: Wire
    rng: Random
    closed: bool = False
    """Nobody gets through to it."""


class Cable:
    """A Channel to the exchange over a network that loses and delays what it carries. What the exchange itself does
    wrong is its own plan's."""

    def __init__(self, exchange: Exchange, timeout_s: float = 10.0) -> None:
        self._exchange = exchange
        self._wire = exchange.wire
        self.base_url, self.timeout_s = "sim://exchange", timeout_s

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        wire, sent_s = self._wire, self._wire.loop.time()
        how = await wire.cut(f"{method} {path}")
        trouble = self._trouble()
        answer = wire.loop.create_future()
        out_s = wire.takes(wire.weather.exchange_s)
        if trouble is Trouble.REFUSED:
            wire.later(out_s, settle, answer, None, Unavailable(f"{self.base_url} cannot be reached (ConnectError)"))
            return await wire.sent(how, answer)
        if trouble is Trouble.LATE:
            out_s += self._exchange.rng.uniform(0.0, 3.0 * self.timeout_s)
        about = wire.outside.copy()
        about.run(REQUEST.set, (ABOUT.get(), sent_s))
        if trouble is not Trouble.LOST:
            request = (method, path, content or b"", dict(headers or {}))
            wire.loop.call_later(out_s, self._arrive, request, answer, trouble, context=about)
        gave_up = OutcomeUnknown(f"{self.base_url}{path} gave no answer (ReadTimeout)")
        timeout = wire.loop.call_later(self.timeout_s, settle, answer, None, gave_up, context=wire.outside)
        answer.add_done_callback(lambda _: timeout.cancel(), context=wire.outside)
        return await wire.sent(how, answer)

    async def close(self) -> None:
        """There is nothing to close."""

    def _trouble(self) -> "Trouble | None":
        weather, rng = self._wire.weather, self._exchange.rng
        if self._exchange.closed:
            return Trouble.REFUSED
        if not weather.network_faults or rng.random() >= weather.network_faults:
            return None
        return rng.choice(list(Trouble))

    def _arrive(self, request: tuple[str, str, bytes, dict[str, str]], answer: Any, trouble: "Trouble | None") -> None:
        # Its context goes with it, so the record knows what the request is about.
        self._wire.loop.create_task(self._served(request, answer, trouble))

    async def _served(
        self, request: tuple[str, str, bytes, dict[str, str]], answer: Any, trouble: "Trouble | None"
    ) -> None:
        method, path, content, headers = request
        reply: Reply | None = None
        error: OutcomeUnknown | None = None
        try:
            far = InProcessLine(self._exchange.app, timeout_s=_LONGEST_S, base_url=self.base_url)
            reply = await far.send(method, path, content=content, headers=headers)
        except OutcomeUnknown as closed:
            error = closed
        said = repr(error) if error or reply is None else f"{reply.status} {reply.content[:300]!r}"
        self._wire.tell(f"{method} {path}", REQUEST.get()[0], said, trouble and trouble.value)
        if trouble is not Trouble.ANSWER_LOST:
            self._wire.later(self._wire.takes(self._wire.weather.exchange_s), settle, answer, reply, error)
