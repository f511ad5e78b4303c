"""What must hold of an account whatever was killed: the exchange's own record beside our books."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omc.market.money import eight_places
from omc.market.terms import OrderKind
from omc.portfolio.account import Account
from omc.trading.fill import Fill
from omc.trading.paper.order import Execution

Wanted = tuple[str, str, Decimal, Decimal]
"""An order by what it says: side, coin, quantity and price."""
_NEVER_SENT = frozenset({"intent", "denied", "sliced"})
_FINAL = frozenset({"denied", "filled", "cancelled", "expired", "rejected"})


@dataclass(frozen=True, slots=True)
class OurOrder:
    name: str
    venue_order_id: str | None
    wanted: Wanted
    status: str


@dataclass(frozen=True, slots=True)
class Venues:
    """The exchange's record of one account."""

    taken: Sequence[Wanted]
    """Orders that it took."""
    executions: Sequence[Execution]
    working: Sequence[str]
    """Ids of orders that are on its book."""
    balances: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Ours:
    """Our books of the same account. `trades` are (venue order id, coin, side, quantity, total, fee)."""

    deposited_aud: Decimal
    orders: Sequence[OurOrder]
    trades: Sequence[tuple[Any, ...]]
    cash_aud: Decimal
    positions: dict[str, Decimal]
    realized_aud: Decimal
    fees_aud: Decimal


def violations(venue: Venues, ours: Ours) -> list[str]:
    """One sentence for each invariant that does not hold."""
    return [*_orders(venue, ours), *_books(venue, ours), *_earnings(venue, ours)]


def _orders(venue: Venues, ours: Ours) -> list[str]:
    found = [f"order {each.name} is left {each.status}" for each in ours.orders if not _settled(each)]
    found += [f"order {each} is still on the exchange's book" for each in venue.working]
    sent = Counter(each.wanted for each in ours.orders if each.status not in _NEVER_SENT)
    for wanted, count in (Counter(venue.taken) - sent).items():
        found.append(f"the exchange took {count} order more than we sent: {' '.join(map(str, wanted))}")
    theirs = Counter(_execution(each) for each in venue.executions)
    booked = Counter((row[0] if row[0] and row[0] in _ids(venue) else None, *row[1:]) for row in ours.trades)
    found += [f"an execution that no order of ours owns: {each}" for each in (theirs - booked).elements()]
    found += [f"a trade that the exchange never made: {each}" for each in (booked - theirs).elements()]
    return found


def _books(venue: Venues, ours: Ours) -> list[str]:
    found = []
    if venue.balances.get("AUD") != ours.cash_aud:
        found.append(f"cash: we say {ours.cash_aud}, the exchange {venue.balances.get('AUD')}")
    for coin in sorted({*venue.balances, *ours.positions} - {"AUD"}):
        we, they = ours.positions.get(coin, Decimal(0)), venue.balances.get(coin, Decimal(0))
        if we != they:
            found.append(f"{coin}: we say {we}, the exchange {they}")
    return found


def _earnings(venue: Venues, ours: Ours) -> list[str]:
    """The exchange's executions, replayed from the deposit."""
    account = Account(ours.deposited_aud, ours.deposited_aud, {})
    for each in venue.executions:
        total, fee = each.settlement.total_aud, _fee(each)
        fill = Fill(each.execution_id, each.coin, each.side, each.quantity, total, fee, each.executed_at)
        account = account.apply(fill, each.price_aud)
    found = []
    for name, replayed, told in (
        ("cash", account.cash_aud, ours.cash_aud),
        ("realized", account.realized_aud, ours.realized_aud),
        ("fees", account.fees_aud, ours.fees_aud),
    ):
        if eight_places(replayed) != eight_places(told):
            found.append(f"{name}: the ledger replays to {replayed}, we say {told}")
    return found


def _settled(order: OurOrder) -> bool:
    # An intent that was never approved waits for its trader, and is nothing that the exchange knows of.
    return order.status in _FINAL or order.status in _NEVER_SENT


def _ids(venue: Venues) -> set[str]:
    return {each.order_id for each in venue.executions if each.kind is OrderKind.MARKET}


def _execution(each: Execution) -> tuple[Any, ...]:
    order_id = each.order_id if each.kind is OrderKind.MARKET else None
    return order_id, each.coin, each.side.value, each.quantity, each.settlement.total_aud, _fee(each)


def _fee(each: Execution) -> Decimal:
    """As the exchange lists it: its two parts in eight decimals each."""
    return eight_places(each.settlement.fee_ex_gst_aud) + eight_places(each.settlement.gst_aud)
