"""Whether a venue's report of an account can be used: whole, or not at all.

A row that says the same twice is one row, and is told. A row that cannot be, a number that is none, two rows of one
name that differ: then nothing in the report is believed, because what else is wrong with it nobody knows.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from omc.errors import InvalidInput, Unavailable
from omc.market.coin import ticker
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.reconciliation.books import CASH

Row = TypeVar("Row", ListedFill, ListedOrder)


def checked(report: VenueReport) -> tuple[VenueReport, tuple[str, ...]]:
    """`report` with each row once, and a sentence for every row that was there twice. Unavailable, naming the row, for
    a report that cannot be used."""
    for coin, quantity in report.balances.items():
        _ticker(coin, "a balance")
        if not _is_number(quantity) or quantity < 0:
            raise _unusable(f"the balance of {coin} is {quantity}")
    fills, twice = _once(report.fills, lambda row: row.fill.fill_id, _check_fill, "fill")
    working, more = _once(report.working, lambda row: row.venue_order_id, _check_order, "open order")
    return replace(report, fills=fills, working=working), (*twice, *more)


def repeats(fill: Fill, other: Fill) -> bool:
    """Whether two fills say the same under two names: lists repeat themselves."""
    return fill.fill_id != other.fill_id and replace(fill, fill_id=other.fill_id) == other


def _once(
    rows: Iterable[Row], name_of: Callable[[Row], str], check: Callable[[Row], None], what: str
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    seen: dict[str, Row] = {}
    twice: list[str] = []
    for row in rows:
        check(row)
        name = name_of(row)
        if name not in seen:
            seen[name] = row
        elif seen[name] == row:
            twice.append(f"{what} {name} is listed twice")
        else:
            raise _unusable(f"two {what}s are named {name} and differ")
    return tuple(seen.values()), tuple(twice)


def _check_fill(row: ListedFill) -> None:
    fill = row.fill
    if not isinstance(fill, Fill) or not _is_text(fill.fill_id) or not isinstance(fill.side, Side):
        raise _unusable(f"a fill that is none: {fill!r:.80}")
    _ticker(fill.coin, f"fill {fill.fill_id}")
    amounts = (fill.quantity, fill.total_aud, fill.fee_aud)
    if not all(map(_is_number, amounts)) or fill.quantity <= 0 or fill.total_aud < 0 or fill.fee_aud < 0:
        raise _unusable(f"fill {fill.fill_id}: quantity, total or fee is out of range")
    if not isinstance(fill.executed_at, datetime) or fill.executed_at.tzinfo is None:
        raise _unusable(f"fill {fill.fill_id} says no time")
    if not isinstance(row.kind, OrderKind | None) or not (row.venue_order_id is None or _is_text(row.venue_order_id)):
        raise _unusable(f"fill {fill.fill_id} is of no kind or order that is known")


def _check_order(row: ListedOrder) -> None:
    if not _is_text(row.venue_order_id) or not isinstance(row.side, Side):
        raise _unusable(f"an open order that is none: {row!r:.80}")
    _ticker(row.coin, f"open order {row.venue_order_id}")
    if not all(map(_is_number, (row.quantity, row.price_aud))) or row.quantity <= 0 or row.price_aud <= 0:
        raise _unusable(f"open order {row.venue_order_id}: quantity or price is out of range")


def _ticker(coin: Any, where: str) -> None:
    try:
        known = isinstance(coin, str) and (coin == CASH or ticker(coin) == coin)
    except InvalidInput:
        known = False
    if not known:
        raise _unusable(f"{where} is of {coin!r:.40}, which is no coin")


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _unusable(why: str) -> Unavailable:
    return Unavailable(f"the venue's report of the account cannot be used: {why}")
