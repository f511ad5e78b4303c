"""Prices as an algorithm sees them: one row a bar, one column a coin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.datetime64]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Frame:
    """Quotes of T bars and C coins; NaN where a coin was not quoted.

    `times` is (T,) datetime64[us] in UTC, strictly rising; `bid`, `ask` and `last` are (T, C) float64 in AUD,
    each the nearest float to a price of at most eight decimals. Everything in row t was known at `times[t]`.
    """

    times: TimeArray
    coins: tuple[str, ...]
    bid: FloatArray
    ask: FloatArray
    last: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.times), len(self.coins))
        for name in ("bid", "ask", "last"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, expected {shape}")
        if len(self.times) > 1 and not (self.times[1:] > self.times[:-1]).all():
            raise ValueError("times do not rise")

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, start: int, stop: int) -> Self:
        """Rows `start` to `stop` (exclusive), without copying."""
        return type(self)(
            self.times[start:stop], self.coins, self.bid[start:stop], self.ask[start:stop], self.last[start:stop]
        )

    def select(self, coins: Sequence[str]) -> Self:
        """The columns of `coins`, in their order."""
        at = [self.coins.index(coin) for coin in coins]
        return type(self)(self.times, tuple(coins), self.bid[:, at], self.ask[:, at], self.last[:, at])

    def first_row(self, time: datetime) -> int:
        """The first row known at or after `time`; T when there is none."""
        return int(np.searchsorted(self.times, as_datetime64(time)))

    def followed_by(self, later: Self) -> Self:
        """These rows and then those of `later` that are newer than all of them."""
        if self.coins != later.coins:
            raise ValueError(f"cannot join prices of {self.coins} and of {later.coins}")
        new = later.rows(int(np.searchsorted(later.times, self.times[-1], "right")) if len(self) else 0, len(later))
        return type(self)(
            np.concatenate([self.times, new.times]),
            self.coins,
            *(np.concatenate([getattr(self, name), getattr(new, name)]) for name in ("bid", "ask", "last")),
        )

    @property
    def bar_s(self) -> float:
        """The usual time from one row to the next (the median), in seconds; NaN with fewer than two rows."""
        return bar_s(self.times)

    def time(self, row: int) -> datetime:
        """When row `row` was known."""
        return as_datetime(self.times[row])


def bar_s(times: TimeArray) -> float:
    """The usual time from one of `times`, (T,), to the next (the median), in seconds; NaN with fewer than two."""
    return float(np.median(np.diff(times) / np.timedelta64(1, "us"))) / 1e6 if len(times) > 1 else float("nan")


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A contiguous view of it that cannot be written to: every compiled function then knows one kind of input, whether
    an array was made here or is mapped from another process's memory."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def as_datetime(time: np.datetime64) -> datetime:
    """An aware datetime in UTC."""
    value: datetime = time.astype("datetime64[us]").astype(datetime)
    return value.replace(tzinfo=UTC)


def as_datetime64(time: datetime) -> np.datetime64:
    """The inverse of `as_datetime`."""
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")
