"""One reading of an account: what we know of it, what its venue shows, and what is to be done about the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from omc.portfolio.account import Account
from omc.trading.deployment import Deployment
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation import doubles
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.steps import (
    AdoptFill,
    AdoptMovement,
    AdoptOrder,
    Hold,
    LookAgain,
    Settle,
    Short,
    Step,
    Surplus,
)
from omc.trading.reconciliation.venue_book import HeldOrder, Known

_WAITS = OrderStatus.UNRESOLVED
Trouble = tuple[type[Step], str, Decimal]
"""What balances say of a coin that nothing explains."""


@dataclass(frozen=True, slots=True)
class Reading:
    deployments: tuple[Deployment, ...]
    accounts: Mapping[UUID, Account]
    known: Known
    ours: Ours
    report: VenueReport
    steps: tuple[Step, ...]
    board_time: datetime | None
    """The venue's clock, as the newest quotes have it, before anything was read."""
    held: tuple[HeldOrder, ...] = ()

    @property
    def troubles(self) -> frozenset[Trouble]:
        """The same for as long as nobody else does anything, whatever our own orders move meanwhile."""
        return frozenset(each for step in self.steps if (each := _trouble(step)))

    @property
    def lasting(self) -> frozenset[Trouble]:
        """Those that adopting does not end."""
        return frozenset(each for each in self.troubles if each[0] is not AdoptMovement)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Client order ids of orders that the report does not account for."""
        told = {step.client_order_id for step in self.steps if isinstance(step, LookAgain | Hold)}
        waiting = {order.intent.client_order_id for order in self.ours.orders if order.status is _WAITS}
        settled = {step.client_order_id for step in self.steps if isinstance(step, Settle)}
        twice = {name for name, _ in doubles.waiting(self.ours)}
        return tuple(sorted(told | twice | (waiting - settled)))

    @property
    def shorts(self) -> tuple[Short, ...]:
        return tuple(step for step in self.steps if isinstance(step, Short))

    @property
    def under_way(self) -> tuple[Order, ...]:
        """Orders that the venue has, and that are their sender's to bring to an end."""
        return tuple(order for order in self.ours.orders if not order.status.final and order.status is not _WAITS)

    @property
    def unbooked(self) -> tuple[Settle, ...]:
        """What the venue executed of orders under way, and their sender has still to store."""
        names = {order.intent.client_order_id for order in self.under_way}
        settled = (step for step in self.steps if isinstance(step, Settle))
        return tuple(step for step in settled if step.fills and step.client_order_id in names)

    @property
    def external(self) -> frozenset[str]:
        """Ids that are known to be others' once all is carried out."""
        fills = {step.listed.fill.fill_id for step in self.steps if isinstance(step, AdoptFill)}
        orders = {step.listed.venue_order_id for step in self.steps if isinstance(step, AdoptOrder)}
        return self.ours.external | fills | orders

    @property
    def over(self) -> tuple[HeldOrder, ...]:
        """Orders that waited for a person, and need not any more: all that they could be has an owner."""
        waits = {order.intent.client_order_id for order in self.ours.orders if order.status is _WAITS}
        waits |= {name for name, _ in doubles.waiting(self.ours)}
        waits |= {step.client_order_id for step in self.steps if isinstance(step, Hold)}
        return tuple(each for each in self.held if each.client_order_id not in waits)


def _trouble(step: Step) -> Trouble | None:
    match step:
        case Short(coin, claimed, held):
            return Short, coin, claimed - held
        case AdoptMovement(coin, quantity) | Surplus(coin, quantity):
            return type(step), coin, quantity
        case _:
            return None
