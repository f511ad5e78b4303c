"""One coin held by one deployment: long only, at average cost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from omc.market.money import ZERO, eight_places
from omc.trading.fill import Fill, Side


@dataclass(frozen=True, slots=True)
class Position:
    """`cost_aud` is what the coins held now were bought for, without fees. `realized_aud` is before fees too:
    over any list of fills, realized + unrealized - fees = cash that came back + value held - cash that went out."""

    coin: str
    quantity: Decimal = ZERO
    cost_aud: Decimal = ZERO
    realized_aud: Decimal = ZERO
    fees_aud: Decimal = ZERO
    opening_price_aud: Decimal | None = None
    """The quote that the fill which opened the position was sized on: stops are measured from it."""

    @property
    def average_price_aud(self) -> Decimal:
        """Paid for one coin on average, without fees; zero when flat."""
        return eight_places(self.cost_aud / self.quantity) if self.quantity else ZERO

    def apply(self, fill: Fill, quote_price_aud: Decimal) -> Self:
        """This position after `fill`; selling more than is held is refused."""
        fees = self.fees_aud + fill.fee_aud
        match fill.side:
            case Side.BUY:
                return type(self)(
                    self.coin,
                    quantity=self.quantity + fill.quantity,
                    cost_aud=self.cost_aud + fill.value_aud,
                    realized_aud=self.realized_aud,
                    fees_aud=fees,
                    opening_price_aud=self.opening_price_aud if self.quantity else quote_price_aud,
                )
            case Side.SELL:
                if fill.quantity > self.quantity:
                    raise ValueError(f"cannot sell {fill.quantity} {self.coin}: {self.quantity} held")
                left = self.quantity - fill.quantity
                cost = eight_places(self.cost_aud * left / self.quantity)
                return type(self)(
                    self.coin,
                    quantity=left,
                    cost_aud=cost,
                    realized_aud=self.realized_aud + fill.value_aud - (self.cost_aud - cost),
                    fees_aud=fees,
                    opening_price_aud=self.opening_price_aud if left else None,
                )

    def unrealized_aud(self, mark_aud: Decimal) -> Decimal:
        """What selling everything at `mark_aud` would realize, before fees."""
        return self.quantity * mark_aud - self.cost_aud
