"""Fills that come to light too late: their coins were accepted as gone, and are out of our books already.

To book such a fill as well would sell the same coins twice. It is taken for what made them go: somebody else's.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from omc.portfolio.account import Account
from omc.trading.listed import VenueReport
from omc.trading.order import Order
from omc.trading.reconciliation.books import fit
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.steps import AddFills, AdoptFill, Step, Warn


def fitting(
    made: Sequence[Step], ours: Ours, report: VenueReport, accounts: Mapping[UUID, Account]
) -> tuple[Step, ...]:
    """`made`, with what the books of its deployment do not take adopted rather than booked."""
    orders = {order.intent.client_order_id: order for order in (*ours.sent, *ours.orders)}
    steps: list[Step] = []
    for step in made:
        if isinstance(step, AddFills) and not fit(_account(orders[step.client_order_id], accounts), step.fills):
            late = {fill.fill_id for fill in step.fills}
            steps.append(Warn(f"order {step.client_order_id}: {len(late)} of its fills came to light too late to book"))
            steps += [AdoptFill(row) for row in report.fills if row.fill.fill_id in late]
        else:
            steps.append(step)
    return tuple(steps)


def _account(order: Order, accounts: Mapping[UUID, Account]) -> Account:
    return accounts[order.intent.deployment_id]
