"""What happened: coins that changed hands, the cash that moved, and the fee inside it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from omc.market.money import eight_places


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `total_aud` is the cash that moved, fee included when buying and deducted when selling."""

    fill_id: str
    coin: str
    side: Side
    quantity: Decimal
    total_aud: Decimal
    fee_aud: Decimal
    executed_at: datetime

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.total_aud < 0 or self.fee_aud < 0:
            raise ValueError(f"fill {self.fill_id}: quantity, total or fee is out of range")

    @property
    def value_aud(self) -> Decimal:
        """What the coins themselves cost or fetched: the cash that moved, without the fee."""
        return self.total_aud - self.fee_aud if self.side is Side.BUY else self.total_aud + self.fee_aud

    @property
    def price_aud(self) -> Decimal:
        """Paid for one coin before fees, as the settled cash says, to eight decimals."""
        return eight_places(self.value_aud / self.quantity)
