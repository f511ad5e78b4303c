"""What one coin could be bought and sold for at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """One coin's prices in AUD for one coin, before fees."""

    coin: str
    bid_aud: Decimal
    ask_aud: Decimal
    last_aud: Decimal

    def __post_init__(self) -> None:
        for name in ("bid_aud", "ask_aud", "last_aud"):
            price: Decimal = getattr(self, name)
            if not price.is_finite() or price <= 0:
                raise ValueError(f"{self.coin}: {name} is {price}, not a positive number")
        if self.bid_aud > self.ask_aud:
            raise ValueError(f"{self.coin}: bid {self.bid_aud} is above ask {self.ask_aud}")


@dataclass(frozen=True, slots=True)
class QuoteBoard:
    """Every coin's quote as a venue showed them together."""

    time: datetime
    """When the venue showed them, by the venue's clock."""
    quotes: Mapping[str, Quote]
    faults: tuple[str, ...] = field(default=())
    """One sentence for each coin whose quote was unusable and left out."""
