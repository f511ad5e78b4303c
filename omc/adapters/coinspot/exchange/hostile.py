"""What a request comes to when its fault is in what is done or said, rather than in how the answer is delivered."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from omc.adapters.coinspot.exchange import spoiling
from omc.adapters.coinspot.exchange.faults import Fault, FaultKind
from omc.adapters.coinspot.exchange.plan import Spans
from omc.adapters.coinspot.exchange.showing import Showing
from omc.adapters.coinspot.exchange.trading import Request
from omc.market.money import cents

Handler = Callable[[Request], dict[str, Any]]
_LEAST_LEFT_AUD = Decimal(2)
"""A book that is thinner still would fill less than money can pay."""


def read(handler: Handler, request: Request, fault: Fault, showing: Showing) -> tuple[dict[str, Any], bool]:
    """An account's list, and whether it is another than the true one."""
    truth = handler(request)
    match fault.kind:
        case FaultKind.SHUFFLED_FILLS | FaultKind.DUPLICATED_FILLS:
            said = spoiling.history(truth, fault)
        case FaultKind.LAGGING_ORDERS:
            wallet = request.venue.wallet(request.account)
            said = handler(replace(request, shown=showing.shown(wallet, orders=showing.unlisted() | showing.new())))
        case _:
            wallet = request.venue.wallet(request.account)
            unlisted = frozenset[str]() if fault.kind is FaultKind.LAGGING_BALANCES else showing.unlisted()
            said = handler(replace(request, shown=showing.shown(wallet, showing.hidden(wallet), unlisted)))
    return said, said != truth


def act(
    handler: Handler, request: Request, fault: Fault, showing: Showing, spans: Spans
) -> tuple[dict[str, Any], bool]:
    """An order, carried out on a book that is thin, stamped by a clock that is wrong, or listed late; and whether that
    changed anything."""
    venue, wallet = request.venue, request.venue.wallet(request.account)
    done, open_before = len(wallet.executions), set(wallet.orders)
    if fault.kind is FaultKind.PARTIAL_FILL:
        value = request.fields.decimal("amount") * request.fields.decimal("rate")
        with venue.thinned(max(cents(value * Decimal(fault.size)), _LEAST_LEFT_AUD)):
            answer = handler(request)
        return answer, bool(wallet.executions[done:]) and bool(wallet.orders.keys() - open_before)
    answer = handler(request)
    orders = {each.order_id for each in wallet.executions[done:]} | (wallet.orders.keys() - open_before)
    if fault.kind is FaultKind.LISTED_LATE:
        showing.unlist(orders, asyncio.get_running_loop().time() + spans.unlisted_s * fault.size)
        return answer, bool(orders)
    showing.skew(orders, timedelta(seconds=round(spans.skew_s * (2 * fault.size - 1), 3)))
    return answer, bool(orders)
