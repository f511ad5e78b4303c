"""Prices that cross something: a level, or the mean of what they were before."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.ledger.catalyst import Catalyst

BoolArray = NDArray[np.bool_]
MOST_BARS = 2_016
"""Of a mean: a week of five minutes."""
LARGEST_PERCENT = 1_000.0


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    EITHER = "either"

    def of(self, up: BoolArray, down: BoolArray) -> BoolArray:
        return (up & (self is not Direction.DOWN)) | (down & (self is not Direction.UP))


def last_of(frame: Frame, coin: str) -> FloatArray:
    """(T,): its last prices. InvalidInput for a coin that the frame has not."""
    if coin not in frame.coins:
        raise InvalidInput(f"a trigger looks at {coin}, which is none of {', '.join(frame.coins)}")
    return frame.last[:, frame.coins.index(coin)]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The last price of a coin is on the other side of a level, or at it, while the bar before it was not. A bar
    without a price crosses nothing, nor does the one after it."""

    coin: str
    level_aud: float
    direction: Direction = Direction.EITHER

    def __post_init__(self) -> None:
        if not 0.0 < self.level_aud < np.inf:
            raise InvalidInput(f"a price is crossed at a level above 0, not {self.level_aud}")

    @property
    def bars(self) -> int:
        return 2

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        price = last_of(frame, self.coin)
        fired = np.zeros(len(frame), np.bool_)
        before, now = price[:-1], price[1:]
        up = (before < self.level_aud) & (now >= self.level_aud)
        down = (before > self.level_aud) & (now <= self.level_aud)
        fired[1:] = self.direction.of(up, down)
        return fired

    def told(self) -> dict[str, Any]:
        return {
            "on": "price",
            "coin": self.coin,
            "level_aud": self.level_aud,
            "direction": self.direction.value,
        }

    def __str__(self) -> str:
        return f"{self.coin} crosses A${self.level_aud:g} ({self.direction})"


@dataclass(frozen=True, slots=True)
class Strayed:
    """The last price of a coin is so many percent above or below the mean of the bars before it, or further, while the
    bar before it was not so from the mean before that. Without a price on all of these bars nothing fires."""

    coin: str
    percent: float
    mean_bars: int
    direction: Direction = Direction.EITHER

    def __post_init__(self) -> None:
        if not 0.0 < self.percent <= LARGEST_PERCENT:
            raise InvalidInput(f"a price strays by more than 0 and at most {LARGEST_PERCENT:g} %, not {self.percent}")
        if not 1 <= self.mean_bars <= MOST_BARS:
            raise InvalidInput(f"a mean is of 1 to {MOST_BARS} bars, not {self.mean_bars}")

    @property
    def bars(self) -> int:
        return self.mean_bars + 2

    def fires(self, frame: Frame, events: tuple[Catalyst, ...] = ()) -> BoolArray:
        price = last_of(frame, self.coin)
        fired = np.zeros(len(frame), np.bool_)
        if len(frame) < self.bars:
            return fired
        now, mean = price[self.mean_bars :], self._means(price)
        up, down = now >= mean * (1.0 + self.percent / 100.0), now <= mean * (1.0 - self.percent / 100.0)
        known = np.isfinite(now) & np.isfinite(mean)
        fresh_up = up[1:] & ~up[:-1] & known[1:] & known[:-1]
        fresh_down = down[1:] & ~down[:-1] & known[1:] & known[:-1]
        fired[self.mean_bars + 1 :] = self.direction.of(fresh_up, fresh_down)
        return fired

    def _means(self, price: FloatArray) -> FloatArray:
        """(T - mean_bars,): of the bars before each. Summed bar after bar in one order, however many rows there are: so
        a trader that sees few of them comes to the same, to the bit."""
        rows = len(price) - self.mean_bars
        whole = np.zeros(rows)
        for shift in range(self.mean_bars):
            whole += price[shift : shift + rows]
        return whole / self.mean_bars

    def told(self) -> dict[str, Any]:
        return {
            "on": "price",
            "coin": self.coin,
            "percent": self.percent,
            "mean_bars": self.mean_bars,
            "direction": self.direction.value,
        }

    def __str__(self) -> str:
        return f"{self.coin} strays {self.percent:g} % from the mean of {self.mean_bars} bars ({self.direction})"
