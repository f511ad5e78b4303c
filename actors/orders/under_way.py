"""What one account's sender has sent and is not final, as it was last settled."""

from omc.errors import Unresolved
from omc.trading.blotter import Blotter
from omc.trading.order import UNSETTLED, Order, OrderIntent, OrderStatus


class UnderWay(dict[str, Order]):
    """Orders by name."""

    def __init__(self, blotter: Blotter) -> None:
        super().__init__()
        self._blotter = blotter

    def know(self, order: Order) -> Order:
        """Keep in mind what an order has become."""
        name = order.intent.client_order_id
        if order.status in UNSETTLED:
            self[name] = order
        else:
            self.pop(name, None)
        return order

    async def hear(self) -> list[Order]:
        """What the store knows more of than we do, which is known from now on. A desk that was replaced may have
        settled it: its cash is moved, and would be held back besides."""
        heard = []
        for name, known in list(self.items()):
            stored = await self._blotter.order(name)
            if stored is not None and stored != known:
                heard.append(self.know(stored))
        return heard

    async def check_coin(self, intent: OrderIntent) -> None:
        """Nothing is sent for a coin while a person must say what became of another order of it: what one of them did
        could not be told from what the other did."""
        for name, other in list(self.items()):
            if other.status is OrderStatus.UNRESOLVED and other.intent.coin == intent.coin:
                now = await self._blotter.order(name)
                if now is not None and self.know(now).status is OrderStatus.UNRESOLVED:
                    raise Unresolved(f"{intent.coin} waits for order {name}, which is held: {now.message}")
