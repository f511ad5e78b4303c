"""The cash and the positions of one deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from omc.market.money import ZERO
from omc.portfolio.position import Position
from omc.trading.fill import Fill, Side


@dataclass(frozen=True, slots=True)
class Account:
    """Law: realized + unrealized - fees = equity - deposited, to the last eighth decimal."""

    deposited_aud: Decimal
    cash_aud: Decimal
    positions: Mapping[str, Position] = field(default_factory=dict)

    @classmethod
    def opened_with(cls, cash_aud: Decimal) -> Self:
        return cls(deposited_aud=cash_aud, cash_aud=cash_aud)

    def position(self, coin: str) -> Position:
        return self.positions.get(coin, Position(coin))

    def apply(self, fill: Fill, quote_price_aud: Decimal) -> Self:
        moved = -fill.total_aud if fill.side is Side.BUY else fill.total_aud
        position = self.position(fill.coin).apply(fill, quote_price_aud)
        return type(self)(self.deposited_aud, self.cash_aud + moved, {**self.positions, fill.coin: position})

    @property
    def realized_aud(self) -> Decimal:
        return sum((position.realized_aud for position in self.positions.values()), ZERO)

    @property
    def fees_aud(self) -> Decimal:
        return sum((position.fees_aud for position in self.positions.values()), ZERO)

    def unrealized_aud(self, marks_aud: Mapping[str, Decimal]) -> Decimal:
        """Marks are bids: what somebody would pay now. A coin without a mark is valued at its cost."""
        return sum(
            (
                position.unrealized_aud(marks_aud[coin])
                for coin, position in self.positions.items()
                if position.quantity and coin in marks_aud
            ),
            ZERO,
        )

    def equity_aud(self, marks_aud: Mapping[str, Decimal]) -> Decimal:
        held = sum((position.cost_aud for position in self.positions.values()), ZERO)
        return self.cash_aud + held + self.unrealized_aud(marks_aud)
