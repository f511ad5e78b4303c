"""Our books of one account held against what its venue shows: every difference, as a step that mends it or tells it.

Whose a listed row is, is decided in this order. What carries the venue's id of an order of ours is that order's. What
alone can be an order whose outcome is in doubt is that one. What could be one in doubt, among others, waits for it.
What is left is for `others` to tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from omc.errors import Ambiguous
from omc.market.terms import Terms
from omc.trading.fill import Fill
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.doubles import SKEW
from omc.trading.reconciliation.found import Found
from omc.trading.reconciliation.matching import Match, alike, match
from omc.trading.reconciliation.others import others
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.steps import AddFills, Hold, LookAgain, Settle, Step, Warn
from omc.trading.reconciliation.table import Said, order_vs_venue
from omc.trading.reconciliation.venue_check import checked, repeats

_S = OrderStatus
_ASKED = frozenset({_S.CANCELLING, _S.REPLACING})
NEVER_SENT = frozenset({_S.INTENT, _S.DENIED, _S.SLICED})


@dataclass(frozen=True, slots=True)
class _Orders:
    """Orders of ours, and what the report shows of them."""

    found: Found
    asked_alone: frozenset[str]

    def read(self) -> None:
        orders = [order for order in self.found.ours.orders if order.status not in NEVER_SENT]
        for order in orders:
            if order.venue_order_id is not None:
                self._named(order)
        for order in orders:
            if order.venue_order_id is None and not order.status.final:
                self._nameless(order)

    def _named(self, order: Order) -> None:
        """An order that the venue gave an id."""
        mine = [row.fill for row in self.found.report.fills if row.venue_order_id == order.venue_order_id]
        fresh = self._fresh(order, mine)
        working = any(each.venue_order_id == order.venue_order_id for each in self.found.report.working)
        if order.status.final:
            if fresh:
                self.found.count(fresh)
                self.found.steps.append(AddFills(order.intent.client_order_id, fresh))
            return
        self._settled(order, fresh, order.venue_order_id, working=working)

    def _nameless(self, order: Order) -> None:
        """An order that is recognized by what it looks like."""
        intent, report = order.intent, self.found.report
        since, known = intent.quoted_at - SKEW, frozenset(self.found.taken)
        try:
            found = match(intent, report.fills, report.working, since=since, known=known, terms=self.found.terms)
        except Ambiguous:
            self._held(order, alike(intent, report.fills, report.working, since=since, known=known))
            return
        held = self.found.held_ids(order) - self.found.taken
        if order.status is _S.UNRESOLVED and held and (found is None or found.ids != held):
            # What it was held for may just not be listed now: that is no reason to take the rest for it.
            self.found.doubt(order)
        elif found is not None and found.ids & self.found.waiting and found.ids != held:
            self._held(order, (found,))
        elif found is not None:
            self._settled(order, found.fills, found.venue_order_id, working=found.working is not None)
        else:
            self._settled(order, (), None, working=False)

    def _held(self, order: Order, candidates: tuple[Match, ...]) -> None:
        name = order.intent.client_order_id
        self.found.waiting |= {each for candidate in candidates for each in candidate.ids}
        self.found.doubt(order)
        if set(self.found.ours.held.get(name, ())) != set(candidates) or order.status is not _S.UNRESOLVED:
            self.found.steps.append(Hold(name, candidates))

    def _settled(self, order: Order, fresh: tuple[Fill, ...], venue_order_id: str | None, *, working: bool) -> None:
        """An order that is not over, by its fills and whether it still works."""
        name = order.intent.client_order_id
        filled = order.filled_by(fresh)
        said = _said(filled, working)
        if said is Said.NOT_FOUND and name not in self.asked_alone:
            self.found.doubt(order)
            if order.venue_order_id is None:
                # What is listed looks like a part of it, and may be somebody else's whole.
                self.found.waiting |= {fill.fill_id for fill in fresh} | ({venue_order_id} if venue_order_id else set())
            elif fresh:
                self.found.count(fresh)
                self.found.steps.append(Settle(name, _S.PARTIAL, fresh, venue_order_id))
            self.found.steps.append(LookAgain(name, "the venue does not list it whole, and was not asked for it alone"))
            return
        status = order_vs_venue(order.status, said, has_fills=bool(filled.fills)).status
        if said is Said.NOT_FOUND and order.status in _ASKED | {_S.UNRESOLVED} and self.found.explained(fresh):
            # What it was asked for cannot be seen. But the account holds what its fills come to, so it is over.
            status = _S.CANCELLED
        self.found.count(fresh)
        self.found.taken |= {venue_order_id} if venue_order_id else set()
        if status is _S.UNRESOLVED:
            self.found.doubt(order)
            if order.status is _S.UNRESOLVED and name not in self.found.ours.held:
                # Something is missing, and nothing that is listed could be it. A person may know more.
                self.found.steps.append(Hold(name, ()))
        if fresh or status is not order.status or (venue_order_id or order.venue_order_id) != order.venue_order_id:
            self.found.steps.append(Settle(name, status, fresh, venue_order_id))

    def _fresh(self, order: Order, listed: Iterable[Fill]) -> tuple[Fill, ...]:
        """Fills of an order that are not counted. What would fill it more than whole and says what another row says
        too is that row again: lists repeat themselves."""
        counted = {fill.fill_id for fill in order.fills}
        fresh: list[Fill] = []
        quantity, seen = order.filled_quantity, list(order.fills)
        for fill in sorted(listed, key=lambda each: (each.executed_at, each.fill_id)):
            if fill.fill_id in counted or fill.fill_id in self.found.ours.external:
                continue
            if quantity + fill.quantity > order.intent.quantity and any(repeats(fill, each) for each in seen):
                self.found.taken.add(fill.fill_id)
                self.found.steps.append(Warn(f"fill {fill.fill_id} is listed twice"))
                continue
            quantity += fill.quantity
            seen.append(fill)
            fresh.append(fill)
        return tuple(fresh)


def steps(
    ours: Ours, report: VenueReport, *, terms: Terms, asked_alone: frozenset[str] = frozenset()
) -> tuple[Step, ...]:
    """What is to be done; nothing when our books are the venue's. `asked_alone` are client order ids of orders that
    the venue was asked for one by one, in vain, since they were last heard of. Unavailable for a report that cannot be
    used, of which nothing is believed."""
    whole, twice = checked(report)
    found = Found(ours, whole, terms)
    found.known()
    _Orders(found, asked_alone).read()
    others(found)
    return (*map(Warn, twice), *found.steps)


def _said(order: Order, working: bool) -> Said:
    if order.filled_quantity >= order.intent.quantity:
        return Said.FILLED
    if working:
        return Said.PARTIAL if order.fills else Said.OPEN
    # Neither among the open orders nor whole among the fills: whatever there was of it is over, or not listed yet.
    return Said.NOT_FOUND
