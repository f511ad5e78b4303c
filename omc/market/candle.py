"""A bar of trading: what the first, highest, lowest and last trade in it paid."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices in AUD for one coin; `open_time` is when the bar began."""

    coin: str
    open_time: datetime
    open_aud: Decimal
    high_aud: Decimal
    low_aud: Decimal
    close_aud: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        prices = (self.open_aud, self.high_aud, self.low_aud, self.close_aud)
        if not all(price.is_finite() and price > 0 for price in prices):
            raise ValueError(f"{self.coin} at {self.open_time}: a price is not a positive number")
        if self.low_aud > min(prices) or self.high_aud < max(prices):
            raise ValueError(f"{self.coin} at {self.open_time}: a price lies outside low and high")
