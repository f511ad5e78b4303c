"""Rolling indicators whose value at a row depends on the bits of its own window and on nothing else.

The floor computes them from the few rows that it holds, the backtest from years, and both must decide the same. A
running float sum would remember every row that it ever saw, and so would the endless recursion by which averages with
fading weights are usually defined. So means are exact (`omc/feature/exact_mean.py`), everything else is put together
from its own window alone (`omc/feature/doubling.py`), and fading weights end where next to nothing is left of them.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numba
import numpy as np

from omc.errors import InvalidInput
from omc.feature import doubling
from omc.feature.exact_mean import ExactMeans
from omc.feature.frame import FloatArray, read_only

EMA_SPANS = 8
"""An exponential average of span n sees 8 n rows: what it leaves out would weigh less than 2e-7 of it."""
CODES_OWN = "of the code's own"
"""What the keys of arrays begin with that people's code shares: these are nobody else's."""
RSI_WINDOWS = 16
"""A relative strength of n rows sees the 16 n changes before it, and leaves out about as little."""


class Indicators:
    """Indicators of one array of prices, each computed once and kept while they fit into `capacity_bytes`, the least
    recently used going first.

    `prices` is (T, C) float64 in AUD on the eight-decimal grid, NaN where there is none. Everything returned has that
    shape, is NaN in rows whose window is not complete or holds a NaN, and must not be written to. InvalidInput for a
    window of no rows.
    """

    def __init__(self, prices: FloatArray, capacity_bytes: int = 256 * 1024**2) -> None:
        self._prices = read_only(prices)
        self._capacity_bytes = capacity_bytes
        self._means: ExactMeans | None = None
        self._kept: OrderedDict[Hashable, FloatArray] = OrderedDict()
        self._kept_bytes = 0

    def mean(self, window: int) -> FloatArray:
        """Of the last `window` rows, in AUD: the float64 nearest to the exact one."""
        return self.shared(("mean", window), lambda: self._exact_means().of(window))

    def deviation(self, window: int) -> FloatArray:
        """Population standard deviation (ddof 0) of the last `window` rows, in AUD: 0 if they never vary."""
        return self.shared(("deviation", window), lambda: doubling.deviation(self._prices, window))

    def highest(self, window: int) -> FloatArray:
        """Price of the last `window` rows, in AUD."""
        return self.shared(("highest", window), lambda: doubling.highest(self._prices, window))

    def lowest(self, window: int) -> FloatArray:
        """Price of the last `window` rows, in AUD."""
        return self.shared(("lowest", window), lambda: doubling.lowest(self._prices, window))

    def returns(self, bars: int) -> FloatArray:
        """The fraction gained since `bars` rows ago. Sees `bars` + 1 rows, the first and the last of which count."""
        return self.shared(("returns", bars), lambda: _returns(self._prices, bars))

    def volatility(self, window: int) -> FloatArray:
        """Population standard deviation of the last `window` one-bar returns. Sees `window` + 1 rows."""
        return self.shared(("volatility", window), lambda: doubling.deviation(self.returns(1), window))

    def ema(self, span: int) -> FloatArray:
        """Average in AUD in which each row weighs 1 - 2 / (`span` + 1) times as much as the next one, over the last
        8 `span` rows: pandas' `ewm(span).mean()` of just these rows."""
        return self.shared(("ema", span), lambda: ema(self._prices, span))

    def macd(self, fast: int, slow: int, signal: int) -> FloatArray:
        """Appel's histogram, in AUD: the `ema` of span `fast` less that of `slow`, less that difference's own average
        of span `signal`. Sees 8 `slow` + 8 `signal` - 1 rows, `fast` being the shorter."""
        return self.shared(("macd", fast, slow, signal), lambda: self._macd(fast, slow, signal))

    def rsi(self, window: int) -> FloatArray:
        """Wilder's relative strength index, 0 to 100: what rises make of all changes, both averaged with weights that
        fade by 1 - 1 / `window` a row. Sees 16 `window` + 1 rows; 50 when none of them changed."""
        return self.shared(("rsi", window), lambda: _rsi(self._prices, window))

    def rank(self, window: int) -> FloatArray:
        """Where the last price stands among the last `window` (2 or more), itself left out: 0 for the lowest, 1 for
        the highest, equals counting half."""
        return self.shared(("rank", window), lambda: _rank(self._prices, window))

    def correlation(self, window: int, coin: int) -> FloatArray:
        """Of the last `window` one-bar returns with those of column `coin`; NaN where either never varies. Sees
        `window` + 1 rows."""
        return self.shared(("correlation", window, coin), lambda: self._correlation(window, coin))

    def shared(self, key: Hashable, compute: Callable[[], FloatArray]) -> FloatArray:
        """What `compute` makes of the prices, by a key that says all that it depends on beside them."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = read_only(compute())
        self._kept[key] = made
        self._kept_bytes += made.nbytes
        self._make_room()
        return made

    def limit(self, capacity_bytes: int) -> None:
        """Keep no more than that from now on."""
        self._capacity_bytes = capacity_bytes
        self._make_room()

    def forget(self, owner: str) -> None:
        """Let go of what was shared under tuples that begin with `owner`."""
        for key in [each for each in self._kept if isinstance(each, tuple) and each[0] == owner]:
            self._kept_bytes -= self._kept.pop(key).nbytes

    def _make_room(self) -> None:
        while len(self._kept) > 1 and self._kept_bytes > self._capacity_bytes:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes

    def _exact_means(self) -> ExactMeans:
        if self._means is None:
            self._means = ExactMeans(self._prices)
        return self._means

    def _macd(self, fast: int, slow: int, signal: int) -> FloatArray:
        line = self.ema(fast) - self.ema(slow)
        return line - ema(line, signal)

    def _correlation(self, window: int, coin: int) -> FloatArray:
        returns = self.returns(1)
        return doubling.correlation(returns, np.repeat(returns[:, [coin]], returns.shape[1], axis=1), window)


def rolling_mean(prices: FloatArray, window: int) -> FloatArray:
    """`Indicators.mean` of (T, C) or (T,) prices."""
    return Indicators(_as_columns(prices)).mean(window).reshape(prices.shape)


def rolling_std(prices: FloatArray, window: int) -> FloatArray:
    """`Indicators.deviation` of (T, C) or (T,) prices."""
    return Indicators(_as_columns(prices)).deviation(window).reshape(prices.shape)


def ema(values: FloatArray, span: int) -> FloatArray:
    """`Indicators.ema` of any (T, C)."""
    if span < 1:
        raise InvalidInput(f"a span of {span} bars is too short")
    return doubling.average(values, EMA_SPANS * span, 1.0 - 2.0 / (span + 1.0))


def _as_columns(prices: FloatArray) -> FloatArray:
    return prices.reshape(len(prices), -1)


def _returns(prices: FloatArray, bars: int) -> FloatArray:
    if bars < 1:
        raise InvalidInput(f"a return over {bars} bars is none")
    returns = np.full(prices.shape, np.nan)
    returns[bars:] = prices[bars:] / prices[:-bars] - 1.0
    return returns


def _rsi(prices: FloatArray, window: int) -> FloatArray:
    if window < 1:
        raise InvalidInput(f"a window of {window} bars is too short")
    changes = np.full(prices.shape, np.nan)
    changes[1:] = prices[1:] - prices[:-1]
    rows, ratio = RSI_WINDOWS * window, 1.0 - 1.0 / window
    # NaN changes stay NaN in both.
    rises = doubling.average(np.maximum(changes, 0.0), rows, ratio)
    moves = doubling.average(np.abs(changes), rows, ratio)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(moves == 0.0, 50.0, 100.0 * (rises / moves))


def _rank(prices: FloatArray, window: int) -> FloatArray:
    if window < 2:
        raise InvalidInput(f"there is no rank among {window} bars")
    return _ranks(prices, window)


@numba.njit(cache=True, nogil=True)
def _ranks(prices, window):  # type: ignore[no-untyped-def]
    """Counts are whole halves, so their order does not matter. Rows are the inner loop: many are counted at once."""
    rows, coins = prices.shape
    flat = prices.copy().reshape(-1)
    below = np.zeros(rows * coins)
    below[: (window - 1) * coins] = np.nan
    for back in range(1, window):
        for i in range((window - 1) * coins, len(flat)):
            other = flat[i - back * coins]
            if np.isnan(other) or np.isnan(flat[i]):
                below[i] = np.nan
            elif other < flat[i]:
                below[i] += 1.0
            elif other == flat[i]:
                below[i] += 0.5
    return (below / (window - 1)).reshape(rows, coins)
