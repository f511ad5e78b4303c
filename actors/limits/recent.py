"""What was sent lately, by the quotes that it was sized on. A restart forgets it: it holds off what runs wild in one
process, and that has ended."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from omc.risk.store import Place
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import OrderIntent

_MINUTE = timedelta(minutes=1)
_MOST = 10_000
_Alike = tuple[UUID, str, Side, Decimal, Decimal]


class Recent:
    def __init__(self) -> None:
        self._sent: dict[Place, deque[tuple[datetime, str]]] = {}
        self._last: OrderedDict[_Alike, tuple[datetime, str]] = OrderedDict()

    def sent(self, deployment: Deployment, intent: OrderIntent) -> None:
        """An order that is sent again counts once."""
        one = intent.quoted_at, intent.client_order_id
        for place in Place.all_of(deployment):
            sent = self._sent.setdefault(place, deque(maxlen=_MOST))
            while sent and sent[0][0] <= intent.quoted_at - _MINUTE:
                sent.popleft()
            if one not in sent:
                sent.append(one)
        self._last[_alike(intent)] = one
        self._last.move_to_end(_alike(intent))
        while len(self._last) > _MOST:
            self._last.popitem(last=False)

    def orders(self, place: Place, intent: OrderIntent) -> int:
        """How many others were sent there within the minute before this one."""
        since = intent.quoted_at - _MINUTE
        return sum(at > since and name != intent.client_order_id for at, name in self._sent.get(place, ()))

    def repeats(self, intent: OrderIntent) -> timedelta | None:
        """How long before this one the very same was sent; None when it was not."""
        at, name = self._last.get(_alike(intent), (intent.quoted_at, intent.client_order_id))
        return None if name == intent.client_order_id else abs(intent.quoted_at - at)


def _alike(intent: OrderIntent) -> _Alike:
    return intent.deployment_id, intent.coin, intent.side, intent.quantity, intent.quote_price_aud
