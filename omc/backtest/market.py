"""What a backtest trades against: bars of bid and ask, of which quotes are the simplest kind."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.market.spread import quotes_around


@dataclass(frozen=True, slots=True)
class Market:
    """(T, C) float64 prices in AUD on the eight-decimal grid; a coin is quoted in a row when none of its prices is NaN.

    In row t orders decided earlier execute at `bid[t]` and `ask[t]`, the bar's open. Between `low[t]` and `high[t]`,
    bids both, stops and limit orders fill; the ask keeps its distance. Then the books are marked at `close[t]`, a bid
    as well, and the next decision is made on it. Without `high` and `low` a bar never leaves its open.
    `volume` is in coins.
    """

    bid: FloatArray
    ask: FloatArray
    close: FloatArray
    high: FloatArray | None = None
    low: FloatArray | None = None
    volume: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("ask", "close", "high", "low", "volume"):
            prices: FloatArray | None = getattr(self, name)
            if prices is not None and prices.shape != self.bid.shape:
                raise ValueError(f"{name} has shape {prices.shape}, bid {self.bid.shape}")
        if (self.high is None) != (self.low is None):
            raise ValueError("a bar has both a high and a low, or neither")

    @classmethod
    def quoted(cls, frame: Frame) -> Self:
        """Quotes execute and mark alike: what is held is worth the bid."""
        return cls(frame.bid, frame.ask, frame.bid)

    @classmethod
    def candles(
        cls,
        opens: FloatArray,
        highs: FloatArray,
        lows: FloatArray,
        closes: FloatArray,
        *,
        volume: FloatArray | None = None,
        spread_bps: int = 0,
    ) -> Self:
        """A decision at a candle's close executes at the next one's open. Half of `spread_bps` lies below each price,
        where one sells, and half above the open, where one buys. InvalidInput for a candle whose open or close is not
        between its low and its high."""
        known = ~np.isnan(opens + highs + lows + closes)
        inside = (lows <= np.minimum(opens, closes)) & (highs >= np.maximum(opens, closes))
        if (known & ~inside).any():
            row, coin = np.argwhere(known & ~inside)[0]
            raise InvalidInput(f"row {row}, coin {coin}: open or close does not lie between low and high")
        whole = [np.where(known, prices, np.nan) for prices in (opens, highs, lows, closes)]
        bid, ask = quotes_around(whole[0], spread_bps) if spread_bps else (whole[0], whole[0])
        high, low, close = (quotes_around(prices, spread_bps)[0] if spread_bps else prices for prices in whole[1:])
        return cls(bid, ask, close, high, low, volume)
