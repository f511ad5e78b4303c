"""What trades amounted to: round trips, each from a coin's first trade until none of it was held, and their costs.

`trades` have dtype `kernel.TRADE`, in order of execution; `trips` have dtype TRIP, in order of their ends. What is
still held at the end is no round trip. A measure of trips that does not exist is NaN.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from omc.backtest.cost import Costs
from omc.backtest.distribution import NOTHING
from omc.backtest.kernel import BUY, SELL
from omc.feature.frame import FloatArray, Frame
from omc.market.terms import BPS
from omc.trading.sizing import UNITS

TRIP = np.dtype(
    [("coin", "i8"), ("side", "i8"), ("opened", "i8"), ("closed", "i8"), ("paid_aud", "f8"), ("got_aud", "f8")]
)
"""Column; BUY for a long trip, SELL for a short one; first and last row; AUD of its buys and of its sales."""
NAN = float("nan")


@numba.njit(cache=True, nogil=True)
def round_trips(trades: NDArray[np.void], coins: int) -> NDArray[np.void]:
    """(K,) of dtype TRIP. A trade that turns a position around ends one trip and begins the next with its rest."""
    units, opened = np.zeros(coins, np.int64), np.zeros(coins, np.int64)
    money = np.zeros((coins, 2))
    trips, made = np.empty(2 * trades.shape[0], TRIP), 0
    for i in range(trades.shape[0]):
        trade = trades[i]
        c, side = trade.coin, np.int64(trade.side)
        traded = np.int64(np.rint(trade.quantity * UNITS))
        flow = 0 if side == BUY else 1
        left = 1.0
        if units[c] != 0 and side * units[c] < 0:
            closing = min(traded, abs(units[c]))
            part = closing / traded
            money[c, flow] += trade.total_aud * part
            units[c] += side * closing
            traded -= closing
            left = 1.0 - part
            if units[c] == 0:
                trips[made].coin = c
                trips[made].side = -side
                trips[made].opened = opened[c]
                trips[made].closed = trade.row
                trips[made].paid_aud = money[c, 0]
                trips[made].got_aud = money[c, 1]
                made += 1
                money[c, :] = 0.0
        if traded > 0:
            if units[c] == 0:
                opened[c] = trade.row
            units[c] += side * traded
            money[c, flow] += trade.total_aud * left
    return trips[:made]


def profits(trips: NDArray[np.void]) -> FloatArray:
    """(K,) AUD that each trip earned, after fees."""
    return trips["got_aud"] - trips["paid_aud"]


def gains(trips: NDArray[np.void]) -> FloatArray:
    """(K,) fractions that each trip earned of what it was opened with; NaN for one that was opened with nothing."""
    stake = np.where(trips["side"] == SELL, trips["got_aud"], trips["paid_aud"])
    return np.divide(profits(trips), stake, out=np.full(len(trips), np.nan), where=stake > 0)


def win_rate(trips: NDArray[np.void]) -> float:
    """The part of trips that earned something (hit rate); NaN without any."""
    return float((profits(trips) > 0).mean()) if len(trips) else NAN


def profit_factor(trips: NDArray[np.void]) -> float:
    """AUD that the winning trips earned, over AUD that the losing ones lost; NaN when none lost."""
    earned = profits(trips)
    lost = -earned[earned < 0].sum()
    return float(earned[earned > 0].sum() / lost) if lost > 0 else NAN


def expectancy(trips: NDArray[np.void]) -> float:
    """The mean fraction that a trip earned; NaN without any."""
    return float(gains(trips).mean()) if len(trips) else NAN


def payoff(trips: NDArray[np.void]) -> float:
    """The mean fraction that a winning trip earned, over the mean that a losing one lost; NaN unless there are both."""
    gained = gains(trips)
    won, lost = gained[gained > 0], gained[gained < 0]
    return float(won.mean() / -lost.mean()) if len(won) and len(lost) else NAN


def sqn(trips: NDArray[np.void]) -> float:
    """System quality number (Tharp 1998): the mean fraction over its sample deviation, times the root of the number of
    trips; NaN with fewer than two, or when they never vary."""
    gained = gains(trips)
    deviation = gained.std(ddof=1) if len(trips) > 1 else 0.0
    return float(gained.mean() / deviation * np.sqrt(len(trips))) if deviation > NOTHING else NAN


def kelly(trips: NDArray[np.void]) -> float:
    """The fraction to stake that grows fastest (Kelly 1956): the win rate less the loss rate over the payoff; NaN where
    there is no payoff. Negative: stake nothing."""
    won = win_rate(trips)
    return float(won - (1 - won) / payoff(trips))


def average_holding(trips: NDArray[np.void]) -> float:
    """The mean number of bars from a trip's first trade to its last; NaN without any."""
    return float((trips["closed"] - trips["opened"]).mean()) if len(trips) else NAN


def turnover(trades: NDArray[np.void], equity: FloatArray) -> float:
    """AUD moved by all trades, as a multiple of the mean equity; NaN without a bar."""
    return float(trades["total_aud"].sum() / equity.mean()) if len(equity) and equity.mean() > 0 else NAN


def fees(trades: NDArray[np.void], costs: Costs) -> float:
    """AUD of all fees: inside the total of a buy, off the value of a sale."""
    bps = costs.fee_bps[trades["coin"]]
    bought = trades["total_aud"] * bps / (BPS + bps)
    sold = trades["quantity"] * trades["price_aud"] * bps / BPS
    return float(np.where(trades["side"] == BUY, bought, sold).sum())


def spread(trades: NDArray[np.void], window: Frame) -> float:
    """AUD lost between the middle of bid and ask and the quote that a trade faced; where none is known, none."""
    bid, ask = window.bid[trades["row"], trades["coin"]], window.ask[trades["row"], trades["coin"]]
    return float(np.nansum((ask - bid) / 2 * trades["quantity"]))


def slippage(trades: NDArray[np.void], window: Frame) -> float:
    """AUD lost between the quote that a trade faced and the price that it got: negative where that was better."""
    bid, ask = window.bid[trades["row"], trades["coin"]], window.ask[trades["row"], trades["coin"]]
    price = trades["price_aud"]
    return float(np.nansum(np.where(trades["side"] == BUY, price - ask, bid - price) * trades["quantity"]))


@numba.njit(cache=True, nogil=True)
def trade_sums(trades: NDArray[np.void], fee_bps: NDArray[np.int64]) -> tuple[float, float]:
    """AUD moved and AUD of fees, as `turnover` and `fees` count them, without an array in between."""
    moved, paid = 0.0, 0.0
    for i in range(trades.shape[0]):
        trade = trades[i]
        bps = fee_bps[trade.coin]
        moved += trade.total_aud
        if trade.side == BUY:
            paid += trade.total_aud * bps / (BPS + bps)
        else:
            paid += trade.quantity * trade.price_aud * bps / BPS
    return moved, paid


@numba.njit(cache=True, nogil=True)
def trip_sums(trips: NDArray[np.void]) -> tuple[int, float, float]:
    """How many trips won, and the AUD that winning ones earned and losing ones lost."""
    won, earned, lost = 0, 0.0, 0.0
    for i in range(trips.shape[0]):
        profit = trips[i].got_aud - trips[i].paid_aud
        if profit > 0.0:
            won += 1
            earned += profit
        else:
            lost -= profit
    return won, earned, lost
