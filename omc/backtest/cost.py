"""What trading costs, as the kernel takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from omc.backtest.limits import Limits
from omc.errors import InvalidInput
from omc.market.terms import Terms

_UNITS = 100_000_000
# A coin has at most eight decimals.
_FINEST = 1 / _UNITS


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far beyond the quote an order at the market fills: `bps` of it, and `volume_bps` more for an order as large
    as the bar's volume, in proportion for a smaller one. A limit order waits for its price and does not slip, nor does
    a profit that is taken inside a bar; one taken at the open does."""

    bps: float = 0.0
    volume_bps: float = 0.0

    def __post_init__(self) -> None:
        for name in ("bps", "volume_bps"):
            value: float = getattr(self, name)
            if not 0.0 <= value < 10_000.0:
                raise InvalidInput(f"slippage of {value} {name}: it lies from 0 to below 10,000")


NO_SLIPPAGE = Slippage()
NO_LIMITS = Limits()

Frictions = tuple[float, float, float, float, float, float, int, bool]
"""As compiled functions take them: slippage and its part by volume in bps, volume share, then max_weight,
max_notional_aud, max_gross, max_positions, and whether shorts are sold."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`fee_bps` is (C,) int64: what each coin's way of trading takes, inside the total of a buy, off that of a sale."""

    fee_bps: NDArray[np.int64]
    min_order_aud: float
    band: float
    """The fraction of equity by which a holding may be off its target before it is traded."""
    slippage: Slippage = NO_SLIPPAGE
    volume_share: float = inf
    """The part of a bar's volume that a coin's orders may take in it; what is left of them keeps working."""
    quantity_step: float = _FINEST
    """Coins are traded in multiples of it, rounded down."""
    price_step: float = _FINEST
    """Prices that slipped lie on multiples of it, on the dearer side for whoever trades."""
    latency_bars: int = 0
    """Bars by which a decision reaches the market later than the next."""
    short: bool = False
    """Whether the venue sells what is not held: only then may a weight be negative."""
    limits: Limits = NO_LIMITS

    def __post_init__(self) -> None:
        for name in ("min_order_aud", "band"):
            value: float = getattr(self, name)
            if not 0.0 <= value < inf:
                raise InvalidInput(f"{name} must be 0 or more, not {value}")
        if not self.volume_share > 0.0:
            raise InvalidInput(f"volume_share must be above 0, not {self.volume_share}")
        for name in ("quantity_step", "price_step"):
            step: float = getattr(self, name)
            if not _FINEST <= step <= 1_000_000.0 or abs(step * _UNITS - round(step * _UNITS)) > 1e-6:
                raise InvalidInput(f"{name} is a multiple of 0.00000001 and up to 1,000,000, not {step}")
        if self.latency_bars < 0:
            raise InvalidInput(f"latency_bars must be 0 or more, not {self.latency_bars}")

    @classmethod
    def of(cls, terms: Terms, coins: Sequence[str], band: float) -> Self:
        """A venue's terms for `coins`, in their order."""
        return cls(np.array([terms.fee_bps(coin) for coin in coins], np.int64), float(terms.min_order_aud), band)

    @property
    def plain(self) -> bool:
        """Whether there is nothing but fees, the least order and the band, as on the floor."""
        return (
            self.slippage == NO_SLIPPAGE
            and self.volume_share == inf
            and self.quantity_step == self.price_step == _FINEST
            and not self.short
            and self.limits == NO_LIMITS
        )

    @property
    def needs_volume(self) -> bool:
        return self.slippage.volume_bps > 0.0 or self.volume_share < inf

    @property
    def frictions(self) -> Frictions | None:
        """None where there are none: what is compiled then does not look for them."""
        if self.plain:
            return None
        limits = self.limits
        return (
            float(self.slippage.bps),
            float(self.slippage.volume_bps),
            float(self.volume_share),
            float(limits.max_weight),
            float(limits.max_notional_aud),
            float(limits.max_gross),
            len(self.fee_bps) if limits.max_positions is None else limits.max_positions,
            self.short,
        )

    @property
    def units(self) -> tuple[int, int]:
        """Units, a hundred-millionth each, that quantities and prices are multiples of."""
        return round(self.quantity_step * _UNITS), round(self.price_step * _UNITS)
