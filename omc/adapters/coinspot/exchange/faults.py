"""What may go wrong at an exchange, and with which requests.

No fault invents money or loses it: what the exchange did, it did. A fault hides that, delays it, repeats it, or refuses
to do it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class FaultKind(StrEnum):
    LATENCY = "latency"
    """The request is a while on its way. Whoever sent it may have given up by then; it is carried out all the same."""
    LOST_REQUEST = "lost-request"
    """It never arrives, and nobody answers: the connection is silent, and is closed in the end."""
    LOST_ANSWER = "lost-answer"
    """It is carried out, and nobody answers."""
    DROPPED = "dropped"
    """The connection is closed at once, before it is carried out or after."""
    HALF_ANSWER = "half-answer"
    """It is carried out, and the answer breaks off in the middle."""
    RATE_LIMITED = "rate-limited"
    """429 with Retry-After; not carried out, and its nonce is not spent."""
    ERROR_BEFORE = "error-before"
    """A 5xx, and it is not carried out."""
    ERROR_AFTER = "error-after"
    """A 5xx, though it is carried out."""
    HTML = "html"
    """A page instead of JSON, with status 200 or a 5xx; not carried out."""
    MAINTENANCE = "maintenance"
    """For a while every request gets a page that says so, with status 503."""
    NONCE_REFUSED = "nonce-refused"
    """401 "invalid nonce", though it was a good one; not carried out, and the nonce is not spent."""
    STALE_PRICES = "stale-prices"
    """An earlier board once more."""
    CROSSED_PRICES = "crossed-prices"
    """Coins whose bid is above their ask."""
    NAN_PRICES = "nan-prices"
    """Coins whose price is the text "NaN", as thin ones are quoted."""
    PARTIAL_FILL = "partial-fill"
    """The book holds less than a market order asks for: the rest of it waits there."""
    SHUFFLED_FILLS = "shuffled-fills"
    """Completed orders are listed in no order at all."""
    DUPLICATED_FILLS = "duplicated-fills"
    """Some completed orders are listed twice."""
    LAGGING_FILLS = "lagging-fills"
    """The list of completed orders does not know the newest yet."""
    LAGGING_BALANCES = "lagging-balances"
    """Balances do not count the newest fills yet."""
    CLOCK_SKEW = "clock-skew"
    """What the order does is stamped by a clock that is wrong, and stays so."""
    CARRIED_OUT_LATE = "carried-out-late"
    """It is admitted, so its nonce is spent, and the connection is closed; it is carried out some time after that."""
    REPEATED_REQUEST = "repeated-request"
    """It is delivered twice, and what is answered is the answer to the second: its nonce is no good any more."""
    LISTED_LATE = "listed-late"
    """It is carried out, and the connection is closed. For some time no list knows what it did; balances do."""
    LAGGING_ORDERS = "lagging-orders"
    """The list of open orders does not know the newest yet."""
    OLD_PRICES = "old-prices"
    """A board of long ago once more."""


class Asked(StrEnum):
    """What a request is about, as far as faults care."""

    PRICES = "prices"
    PUBLIC = "public"
    ORDER = "order"
    INSTANT = "instant"
    ACTION = "action"
    HISTORY = "history"
    BALANCES = "balances"
    OPEN = "open"
    READING = "reading"


K = FaultKind
_CARRIED: Final = (K.LATENCY, K.LOST_ANSWER, K.DROPPED, K.HALF_ANSWER)
_ANY: Final = (*_CARRIED, K.RATE_LIMITED, K.ERROR_BEFORE, K.HTML, K.MAINTENANCE)
_PRIVATE: Final = (*_ANY, K.NONCE_REFUSED, K.LOST_REQUEST, K.ERROR_AFTER)
_ACTING: Final = (K.CARRIED_OUT_LATE, K.REPEATED_REQUEST)

FITTING: Final[Mapping[Asked, tuple[FaultKind, ...]]] = {
    Asked.PRICES: (*_ANY, K.STALE_PRICES, K.CROSSED_PRICES, K.NAN_PRICES, K.OLD_PRICES),
    Asked.PUBLIC: _ANY,
    Asked.ORDER: (*_PRIVATE, K.PARTIAL_FILL, K.CLOCK_SKEW, *_ACTING, K.LISTED_LATE),
    Asked.INSTANT: (*_PRIVATE, K.CLOCK_SKEW, *_ACTING, K.LISTED_LATE),
    Asked.ACTION: (*_PRIVATE, *_ACTING),
    Asked.HISTORY: (*_PRIVATE, K.LAGGING_FILLS, K.SHUFFLED_FILLS, K.DUPLICATED_FILLS),
    Asked.BALANCES: (*_PRIVATE, K.LAGGING_BALANCES),
    Asked.OPEN: (*_PRIVATE, K.LAGGING_ORDERS),
    Asked.READING: _PRIVATE,
}
"""What can go wrong with a request. What only the list of an account's orders or the prices can do wrong is left to
those. A plan picks one by its place among those that it has, so a new kind stands last: plans that name kinds strike as
they did before."""

NOT_CARRIED_OUT: Final = frozenset(
    {K.LOST_REQUEST, K.RATE_LIMITED, K.ERROR_BEFORE, K.HTML, K.MAINTENANCE, K.NONCE_REFUSED}
)
"""Besides one half of what is dropped."""

CHANGES_TRADES: Final = frozenset({K.PARTIAL_FILL, K.CLOCK_SKEW})
"""In what the exchange does with an order: less of it, or at another time. All other kinds leave no trace in an
account, however often they strike, if its owner copes with them."""

IN_THE_ANSWER: Final = CHANGES_TRADES | {
    K.STALE_PRICES,
    K.CROSSED_PRICES,
    K.NAN_PRICES,
    K.SHUFFLED_FILLS,
    K.DUPLICATED_FILLS,
    K.LAGGING_FILLS,
    K.LAGGING_BALANCES,
    K.LAGGING_ORDERS,
    K.OLD_PRICES,
}
"""In what is done or said; the answer itself is delivered whole and in time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one request. `size`, from 0 up to 1, is how bad it is; `seed` is for whatever else it needs."""

    kind: FaultKind
    size: float
    seed: int

    @property
    def acts(self) -> bool:
        """Whether the request is carried out."""
        if self.kind is K.DROPPED:
            return self.seed % 2 == 1
        return self.kind not in NOT_CARRIED_OUT

    def random(self) -> Random:
        """For details: the same each time."""
        return Random(self.seed)  # noqa: S311 - reproducible on purpose


_PRICES = frozenset({"/pubapi/v2/latest", "/pubapi/latest"})
_HISTORY = ("my/orders/completed", "my/orders/market/completed", "my/transactions")
_BALANCES = ("my/balances", "my/balance/")
_OPEN = ("my/orders/market/open", "my/orders/limit/open")
_ORDERS = frozenset({"my/buy", "my/sell"})
_INSTANT = frozenset({"my/buy/now", "my/sell/now", "my/swap/now"})


def asked(path: str) -> Asked | None:
    """What the request to `path` is about; None for what no fault befalls, the sandbox's own control."""
    if path.startswith("/pubapi/"):
        return Asked.PRICES if path in _PRICES else Asked.PUBLIC
    if not path.startswith("/api/"):
        return None
    name = path.removeprefix("/api/").removeprefix("v2/")
    below = name.removeprefix("ro/")
    if below.startswith(_HISTORY):
        return Asked.HISTORY
    if below.startswith(_BALANCES):
        return Asked.BALANCES
    if below in _OPEN:
        return Asked.OPEN
    if name != below:
        return Asked.READING
    return Asked.ORDER if name in _ORDERS else Asked.INSTANT if name in _INSTANT else Asked.ACTION
