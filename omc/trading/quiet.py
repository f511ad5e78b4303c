"""How long a trader would do nothing: bars looked at in one compiled loop, with the very functions that it asks.

A trader sends an order on few of the bars of a replay. Here are all the others: each is looked at as the trader would,
in the same order, and only the first in which it would send an order is left to it.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Self

import numba
import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray, TimeArray, as_datetime
from omc.portfolio.account import Account
from omc.trading import exit_fills, sizing
from omc.trading.blotter import TraderMemory
from omc.trading.exit_fills import gain_at, leaves_at_open, leaves_inside
from omc.trading.mandate import Mandate
from omc.trading.recovery import openings_of
from omc.trading.sizing import equity, quantity_to_buy, quantity_to_sell

_MORE_THAN_ALL = 1.0 + 1e-9
"""As much as `sizing.check_weights` lets pass."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars to replay, and what was decided after each: (T, C) float64, contiguous and read-only.

    `bid` and `ask` are the prices at a bar's open, the others what became of the bid in the bar.
    """

    times: TimeArray
    bid: FloatArray
    ask: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    weights: FloatArray

    @property
    def prices(self) -> tuple[FloatArray, ...]:
        return self.bid, self.ask, self.high, self.low, self.close

    def time(self, row: int) -> datetime:
        return as_datetime(self.times[row])


def _compiled(arithmetic: str):  # type: ignore[no-untyped-def]  # noqa: C901
    """The loop, compiled around the source of the `arithmetic` that it calls: an upgrade of that compiles it anew."""

    @numba.njit(cache=True, nogil=True)
    def quiet_until(prices, weights, of, rules, state, curves, first):  # type: ignore[no-untyped-def]  # noqa: C901
        """Pass over bars from row `first` until one in which an order would be sent, or T: that row.

        `of` is (fees in bps, (C,); band; smallest order), `state` the fields of a Standing. It is written on to what it
        is after the row before, with the marks of the row's open; `curves`, (2, T), gets equity and cash of each row
        passed. A row with weights that cannot be traded is not passed.
        """
        arithmetic  # noqa: B018
        bid, ask, high, low, close = prices
        fee_bps, band, least = of
        levels, ages, gains = rules
        cash, held, opening, mark, target, stopped, age, trail = state
        rows, coins = weights.shape
        trailed = np.empty(coins)
        for t in range(first, rows):
            for c in range(coins):
                if not np.isnan(bid[t, c]):
                    mark[c] = bid[t, c]
            worth = equity(cash, held, mark)
            wanted = 0.0
            for c in range(coins):
                weight = weights[t, c]
                if not 0.0 <= weight <= 1.0:
                    return t
                wanted += weight
                quoted = not np.isnan(bid[t, c])
                trailed[c] = trail[c]
                if held[c] > 0.0 and quoted:
                    if (
                        not np.isnan(target[c])
                        and quantity_to_sell(target[c], worth, held[c], bid[t, c], band, least) > 0.0
                    ):
                        return t
                    old = age[c] + 1
                    price, _ = leaves_at_open(levels, 1.0, opening[c], old, trail[c], np.nan, np.nan, bid[t, c])
                    if held[c] * price >= least:
                        return t
                    since, gain = gain_at(ages, gains, old)
                    price, _, trailed[c] = leaves_inside(
                        levels,
                        since,
                        gain,
                        1.0,
                        opening[c],
                        old,
                        trail[c],
                        np.nan,
                        np.nan,
                        bid[t, c],
                        high[t, c],
                        low[t, c],
                    )
                    if held[c] * price >= least:
                        return t
                if (
                    target[c] > 0.0
                    and quantity_to_buy(target[c], worth, held[c], bid[t, c], ask[t, c], fee_bps[c], cash, band, least)
                    > 0.0
                ):
                    return t
            if wanted > _MORE_THAN_ALL:
                return t
            for c in range(coins):
                weight = weights[t, c]
                if not np.isnan(close[t, c]):
                    mark[c] = close[t, c]
                if weight == 0.0:
                    stopped[c] = False
                target[c] = 0.0 if stopped[c] else weight
                if held[c] > 0.0:
                    age[c] += 1
                    trail[c] = trailed[c]
            curves[0, t] = equity(cash, held, mark)
            curves[1, t] = cash
        return rows

    return quiet_until


quiet_until = _compiled(inspect.getsource(sizing) + inspect.getsource(exit_fills))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a trader goes by between two bars, as arrays, (C,) each, that are written on as bars pass."""

    cash: float
    held: FloatArray
    opening: FloatArray
    mark: FloatArray
    target: FloatArray
    """NaN for a coin that is left as it is."""
    stopped: NDArray[np.bool_]
    age: NDArray[np.int64]
    """-1 for what is not held."""
    trail: FloatArray

    @classmethod
    def of(
        cls, mandate: Mandate, memory: TraderMemory, account: Account, held: Sequence[float], mark: Sequence[float]
    ) -> Self:
        """`memory` has an age for exactly what is `held`."""
        nothing = (None,) * len(mark)
        return cls(
            float(account.cash_aud),
            np.array(held),
            np.array(openings_of(memory, mandate, account)),
            np.array(mark),
            np.array(memory.targets or nothing, np.float64),
            np.array(memory.stopped or (False,) * len(mark)),
            np.array([-1 if age is None else age for age in memory.ages or nothing]),
            np.array(memory.trails or nothing, np.float64),
        )

    def pass_over(self, stretch: Stretch, mandate: Mandate, row: int, curves: FloatArray) -> int:
        """`quiet_until` for whoever stands so."""
        state = (self.cash, self.held, self.opening, self.mark, self.target, self.stopped, self.age, self.trail)
        rules, sized_by = mandate.exits.rules, mandate.sized_by
        return int(quiet_until(stretch.prices, stretch.weights, sized_by, rules, state, curves, row))

    def memory(self, time: datetime) -> TraderMemory:
        """After the bar of `time`."""
        return TraderMemory(
            time,
            time,
            _known(self.target),
            tuple(self.stopped.tolist()),
            ages=tuple(None if each < 0 else each for each in self.age.tolist()),
            trails=_known(self.trail),
            openings=_known(self.opening),
            leaving=(None,) * len(self.held),
        )


def _known(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(None if isnan(each) else each for each in values.tolist())
