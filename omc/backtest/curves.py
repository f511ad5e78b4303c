"""The whole history of a backtest, beside its figures: what it was worth after every bar, and every trade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from omc.errors import NotFound
from omc.feature.frame import FloatArray, TimeArray
from omc.trading.fill import Fill


@dataclass(frozen=True, slots=True)
class Curves:
    """(T,) each: times in UTC, and after the bar known at each of them, in AUD, what everything was worth, the cash in
    it, and what holding the same coins all the while would have been worth."""

    times: TimeArray
    equity_aud: FloatArray
    cash_aud: FloatArray
    benchmark_aud: FloatArray

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, at: NDArray[np.int64] | slice) -> Self:
        """The points at the row numbers `at`."""
        return type(self)(self.times[at], self.equity_aud[at], self.cash_aud[at], self.benchmark_aud[at])

    def columns(self) -> dict[str, Any]:
        """By name, as a file of them is laid out."""
        return {
            "time": self.times,
            "equity_aud": self.equity_aud,
            "cash_aud": self.cash_aud,
            "benchmark_aud": self.benchmark_aud,
        }


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill of a simulation; `reason` is signal, stop_loss, take_profit, trailing_stop, time_stop or end."""

    fill: Fill
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    curves: Curves
    trades: tuple[Execution, ...]


class CurveStore(Protocol):
    """One history a backtest. Whoever asks has been found to own the backtest."""

    async def put(self, run_id: UUID, history: History) -> None:
        """Keep it, in the place of an earlier one. A backtest that is gone keeps nothing."""
        ...

    async def curves(self, run_id: UUID) -> Curves:
        """NotFound for a backtest that keeps none."""
        ...

    async def trades(self, run_id: UUID) -> tuple[Execution, ...]:
        """In order of execution. NotFound for a backtest that keeps none."""
        ...


@dataclass(slots=True)
class MemoryCurveStore:
    """A CurveStore that lives and dies with the process."""

    kept: dict[UUID, History] = field(default_factory=dict)

    async def put(self, run_id: UUID, history: History) -> None:
        self.kept[run_id] = history

    async def curves(self, run_id: UUID) -> Curves:
        return self._history(run_id).curves

    async def trades(self, run_id: UUID) -> tuple[Execution, ...]:
        return self._history(run_id).trades

    def _history(self, run_id: UUID) -> History:
        if run_id not in self.kept:
            raise missing(run_id)
        return self.kept[run_id]


def missing(run_id: UUID) -> NotFound:
    return NotFound(f"backtest {run_id} keeps no curve: run it again")


def trade_columns(trades: Sequence[Execution]) -> Mapping[str, Any]:
    """Trades by column, as a file of them is laid out: money and quantities in Decimal."""
    fills = [each.fill for each in trades]
    times = [fill.executed_at.replace(tzinfo=None) for fill in fills]
    return {
        "executed_at": np.array(times, "datetime64[us]"),
        "coin": [fill.coin for fill in fills],
        "side": [fill.side.value for fill in fills],
        "quantity": [fill.quantity for fill in fills],
        "price_aud": [fill.price_aud for fill in fills],
        "total_aud": [fill.total_aud for fill in fills],
        "fee_aud": [fill.fee_aud for fill in fills],
        "reason": [each.reason for each in trades],
    }


def thinned(values: FloatArray, most: int) -> NDArray[np.int64]:
    """Row numbers, rising, of at most `most` (4 or more) of `values`, (T,), that look like all of them: the first and
    the last, and of each of many equal stretches its lowest and its highest."""
    rows = len(values)
    if rows <= most:
        return np.arange(rows)
    edges = np.linspace(0, rows, max(1, (most - 2) // 2) + 1).astype(np.int64)
    known = np.where(np.isnan(values), 0.0, values)
    kept = [0, rows - 1]
    for first, end in pairwise(edges.tolist()):
        stretch = known[first:end]
        kept += [first + int(stretch.argmin()), first + int(stretch.argmax())]
    return np.unique(np.array(kept, np.int64))
