"""One account at a paper venue: what it holds, and what its open orders hold back."""

from dataclasses import dataclass, field
from decimal import Decimal

from omc.errors import VenueRefused
from omc.market.money import ZERO
from omc.trading.fill import Side
from omc.trading.paper.order import Execution, RestingOrder


@dataclass(slots=True)
class PaperWallet:
    """Never negative, and never more held back than there is."""

    cash_aud: Decimal
    coins: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, RestingOrder] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    """Oldest first."""

    def balance(self, coin: str) -> Decimal:
        return self.cash_aud if coin == "AUD" else self.coins.get(coin, ZERO)

    def available(self, coin: str) -> Decimal:
        """The balance, less what open orders hold back."""
        if coin == "AUD":
            return self.cash_aud - sum((order.held_aud for order in self.orders.values()), ZERO)
        held = (o.quantity for o in self.orders.values() if o.coin == coin and o.side is Side.SELL)
        return self.balance(coin) - sum(held, ZERO)

    def need(self, coin: str, amount: Decimal) -> None:
        """VenueRefused unless `amount` is available."""
        if amount > self.available(coin):
            raise VenueRefused(f"Insufficient {coin} funds")

    def book(self, execution: Execution) -> None:
        """Move what an execution moved."""
        sign = 1 if execution.side is Side.BUY else -1
        self._add(execution.coin, sign * execution.quantity)
        if execution.swapped:
            self._add(execution.swapped.coin, execution.swapped.quantity)
        self.cash_aud += execution.cash_moved_aud
        self.executions.append(execution)

    def _add(self, coin: str, quantity: Decimal) -> None:
        self.coins[coin] = self.balance(coin) + quantity
