"""What a backtest trades against: one price to execute at and another to judge by, which quotes do not tell apart."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from omc.feature.frame import FloatArray, Frame


@dataclass(frozen=True, slots=True)
class Market:
    """(T, C) float64 prices in AUD on the eight-decimal grid; a coin is quoted in a row when none of its three is NaN.

    In row t orders decided earlier execute at `bid[t]` and `ask[t]`. Then the books are marked at `close[t]`, and the
    next decision is made on it.
    """

    bid: FloatArray
    ask: FloatArray
    close: FloatArray

    def __post_init__(self) -> None:
        if not self.bid.shape == self.ask.shape == self.close.shape:
            raise ValueError(f"shapes differ: {self.bid.shape}, {self.ask.shape}, {self.close.shape}")

    @classmethod
    def quoted(cls, frame: Frame) -> Self:
        """Quotes execute and mark alike: what is held is worth the bid."""
        return cls(frame.bid, frame.ask, frame.bid)

    @classmethod
    def candles(cls, opens: FloatArray, closes: FloatArray) -> Self:
        """A decision at a candle's close executes at the next one's open, to buy and to sell."""
        whole = np.where(np.isnan(closes), np.nan, opens)
        return cls(whole, whole, closes)
