"""One reading of a venue's report: what is known of its rows, built up as they find their owners."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from omc.market.terms import Terms
from omc.trading.fill import Fill
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.books import moved, summed
from omc.trading.reconciliation.doubles import waiting
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.promises import Doubt, doubt_about, doubt_of
from omc.trading.reconciliation.steps import Step, Warn


@dataclass(slots=True)
class Found:
    ours: Ours
    report: VenueReport
    terms: Terms
    steps: list[Step] = field(default_factory=list)
    new: list[Fill] = field(default_factory=list)
    """Fills of ours that our books have not counted."""
    taken: set[str] = field(default_factory=set)
    """Ids of fills and orders that have an owner."""
    waiting: set[str] = field(default_factory=set)
    """Ids that could be an order's in doubt."""
    doubtful: list[Doubt] = field(default_factory=list)
    """Orders that this report does not account for, and what may be an order of ours once more."""

    def known(self) -> None:
        """What had an owner, or waited for one, before this report."""
        own = {fill.fill_id: fill for order in self.ours.orders for fill in order.fills}
        self.taken |= self.ours.owned
        for order in self.ours.orders:
            if order.status is OrderStatus.UNRESOLVED:
                self.waiting |= self.held_ids(order) - self.taken
        for _, listed in waiting(self.ours):
            self.waiting |= listed.ids
            self.doubtful.append(doubt_about(listed, self.terms))
        for row in self.report.fills:
            counted = own.get(row.fill.fill_id)
            if counted is not None and counted != row.fill:
                self.steps.append(
                    Warn(f"fill {counted.fill_id} was counted as {counted}; now the venue says {row.fill}")
                )

    def held_ids(self, order: Order) -> frozenset[str]:
        """Of everything that an order was held for."""
        candidates = self.ours.held.get(order.intent.client_order_id, ())
        return frozenset[str]().union(*(each.ids for each in candidates))

    def doubt(self, order: Order) -> None:
        self.doubtful.append(doubt_of(order, self.terms))

    def count(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            self.taken.add(fill.fill_id)
            self.new.append(fill)

    def explains(self, fills: Iterable[Fill]) -> bool:
        """Whether the account holds what our books and its owner's come to, with `fills`."""
        expected = summed(self.ours.claims, self.ours.own, moved([*self.new, *fills]))
        return expected == summed(self.report.balances)

    def explained(self, fresh: Iterable[Fill]) -> bool:
        """Whether it does, and nothing else is unaccounted for."""
        return not self.doubtful and self.explains(fresh)
