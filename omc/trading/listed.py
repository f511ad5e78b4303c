"""What an account at a venue shows of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side


@dataclass(frozen=True, slots=True)
class ListedFill:
    """One fill as a venue lists it. `kind` and `venue_order_id` are None where the venue does not say."""

    fill: Fill
    kind: OrderKind | None = None
    venue_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An open order as a venue lists it; `quantity` is what is left of it."""

    venue_order_id: str
    coin: str
    side: Side
    quantity: Decimal
    price_aud: Decimal


@dataclass(frozen=True, slots=True)
class VenueReport:
    """An account as of one moment: a reading that a fill came in between is not one, and is made again.

    `balances` count what open orders hold; cash is under "AUD", coins with nothing held may be left out. `fills` are
    all since `since`, in any order, each once.
    """

    since: datetime
    balances: Mapping[str, Decimal]
    working: tuple[ListedOrder, ...]
    fills: tuple[ListedFill, ...]
