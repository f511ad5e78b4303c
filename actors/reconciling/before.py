"""What is known of an account before its venue is asked: from when on to ask, and what was there before us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from omc.market.quote import QuoteBoard
from omc.trading.deployment import Deployment
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.steps import AdoptFill, AdoptOrder, Step
from omc.trading.reconciliation.venue_book import Known

OVERLAP = timedelta(minutes=10)
"""How far before the last look the next one begins: a venue's lists lag, and its clock may be behind."""
FIRST = timedelta(hours=1)
_OPENED = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before the venue is asked."""

    board: QuoteBoard | None
    deployments: tuple[Deployment, ...]
    known: Known | None
    unsettled: tuple[Order, ...]

    @property
    def since(self) -> datetime:
        """From when on the venue is asked, by its own clock, wherever that has jumped. An order that waits for a person
        has its candidates already."""
        # Without quotes nobody knows what time it is there: of a new account, all that it lists is read then.
        now, known = self.board.time if self.board else None, self.known
        since = _OPENED if now is None else now - FIRST
        if known is not None and known.looked_until is not None:
            since = min(known.looked_until, now or known.looked_until) - OVERLAP
        sent = [each.intent.quoted_at for each in self.unsettled if each.status is not OrderStatus.UNRESOLVED]
        return max(min([since, *(each - OVERLAP for each in sent)]), _OPENED)


def strangers(first: Sequence[Step]) -> set[str]:
    """Ids of what is somebody else's on an account that is looked at for the first time."""
    names: set[str] = set()
    for step in first:
        match step:
            case AdoptFill(listed):
                names.add(listed.fill.fill_id)
            case AdoptOrder(order):
                names.add(order.venue_order_id)
            case _:
                continue
    return names
