"""What a look at an account comes to: how its books compare, and what is not sent for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from actors.reconciling.lasting import Lasting
from omc.market.money import ZERO
from omc.trading.deployment import Deployment
from omc.trading.floor import Reconciliation
from omc.trading.order import OrderStatus
from omc.trading.reconciliation import books
from omc.trading.reconciliation.closure import Closure
from omc.trading.reconciliation.our_side import expected
from omc.trading.reconciliation.promises import traded
from omc.trading.reconciliation.reading import Reading
from omc.trading.reconciliation.steps import Settle, sentence
from omc.trading.reconciliation.venue_book import HeldOrder


def unbooked(lasting: Lasting, reading: Reading, patience_s: float) -> dict[str, str]:
    """A sentence for each order whose sender had `patience_s` to store what the venue executed of it, and has not: our
    books do not take it."""
    missing = {f"{step.client_order_id} {fill.fill_id}": step for step in reading.unbooked for fill in step.fills}
    lasted = lasting.of(missing)
    late = {step.client_order_id for each, step in missing.items() if lasted[each] > patience_s}
    return {
        name: f"order {name} was executed at the venue, and our books do not take its fills" for name in sorted(late)
    }


def compared_of(deployment: Deployment, reading: Reading, late: Mapping[str, str], now: datetime) -> Reconciliation:
    """`late` are orders whose fills our books do not take."""
    done = [step for step in reading.steps if not (isinstance(step, Settle) and step.client_order_id in late)]
    claims, own = expected(reading.ours, done)
    why, before = [*map(str, reading.shorts), *late.values()], reading.known.compared
    if not why and reading.doubtful and before is not None and before.closed and before.closed != before.unread:
        # What is in doubt may be what was missing, and may be not.
        why = [before.closed]
    return Reconciliation(
        deployment_id=deployment.id,
        compared_at=now,
        ours=claims,
        venue=dict(reading.report.balances),
        differences=books.differences(books.summed(claims, own), reading.report.balances),
        account=deployment.account,
        external={coin: quantity for coin, quantity in own.items() if quantity},
        told=tuple(text for step in reading.steps if (text := sentence(step))),
        waiting=reading.doubtful,
        closed="; ".join(why) or None,
    )


def closure_of(compared: Reconciliation, reading: Reading, held: Sequence[HeldOrder]) -> Closure:
    """What is not sent any more. An order that waits for a person keeps its coin by itself; of one that may have been
    executed twice, this does."""
    there = reading.report.balances
    left = {coin: there.get(coin, ZERO) for coin, claimed in compared.ours.items() if claimed > there.get(coin, ZERO)}
    waits = {order.intent.client_order_id for order in reading.ours.orders if order.status is OrderStatus.UNRESOLVED}
    doubted = {
        traded(listed)[0]: f"order {each.client_order_id} may have been executed once more: a person must say"
        for each in held
        if each.client_order_id not in waits
        for listed in each.candidates
    }
    return Closure(compared.closed or "", left, doubted)


def unread(last: Reconciliation, fault: Exception) -> Reconciliation:
    """The last comparison of an account that could not be compared again and again since."""
    why = f"the account cannot be compared with its venue: {fault}"
    closed = last.closed if last.closed and last.closed != last.unread else why
    return replace(last, closed=closed, unread=why, told=())
