"""The bid and ask that a last price stands for, where a recording carries none.

What CoinSpot's own page asked and paid, as a fraction of the middle, was the same in May 2025 (535 coins, ten
snapshots) and in October 2026 (23 coins): BTC 0.99 %, dollar coins 1.0 to 1.2 %, the coins traded most 2.6 %, the
median coin 3.1 %, the dearest tenth above 5.5 %. That is the spread of instant orders.

Coins with an order book trade inside it. The one book that was recorded, BTC's at 129051.79 to 129966.15, was 0.706 %
wide: 0.713 of the page. No other book was recorded, so the same share is assumed for every coin with a market: weak,
but on the dear side, and better than letting five-minute strategies trade for free.

Prices go out on the eight-decimal grid, in integer arithmetic: whoever computes them anywhere gets the same bits. The
spread is rounded up to the grid, so a coin at 0.00000010 has one of whole units.
"""

from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import NDArray

from omc.feature.frame import FloatArray
from omc.market.terms import BPS, COINSPOT_MARKET_COINS

# Basis points of the middle: medians of both recordings, over both spellings where CoinSpot keeps a legacy ticker.
PAGE_SPREAD_BPS: Mapping[str, int] = {
    "ADA": 266,
    "ANS": 281,
    "AVAX": 268,
    "BCC": 275,
    "BCH": 305,
    "BNB": 262,
    "BTC": 99,
    "DOGE": 261,
    "DOT": 272,
    "EOS": 321,
    "ETH": 262,
    "GAS": 347,
    "LINK": 267,
    "LTC": 268,
    "NEO": 334,
    "PEPE": 276,
    "POWR": 374,
    "SHIB": 285,
    "SOL": 261,
    "STR": 270,
    "SUI": 264,
    "TRX": 275,
    "UNI": 268,
    "USDC": 118,
    "USDT": 101,
    "XLM": 271,
    "XRP": 261,
}
MEDIAN_PAGE_SPREAD_BPS = 314
"""Of all 535 coins: for those not named above."""
BOOK_SHARE_PER_MILLE = 713
"""How much of the page's spread is left on an order book."""

_UNITS = 100_000_000
LARGEST_PRICE_AUD = 10_000_000.0
"""A float and its product with 1e8 are each off by half a bit, so units are read back exactly up to 2**51, which is
22 million dollars; this leaves room for the ask."""


def spread_bps(coin: str, market_coins: Set[str] = COINSPOT_MARKET_COINS) -> int:
    """Ask less bid, in basis points of the middle: the book's for coins that have one, else the page's."""
    page = PAGE_SPREAD_BPS.get(coin, MEDIAN_PAGE_SPREAD_BPS)
    return (page * BOOK_SHARE_PER_MILLE + 500) // 1000 if coin in market_coins else page


def to_grid(prices: FloatArray) -> FloatArray:
    """Each price rounded to eight decimals, as the nearest float; NaN stays NaN."""
    return np.rint(prices * _UNITS) / _UNITS


def quotes_around(last: FloatArray, bps: int) -> tuple[FloatArray, FloatArray]:
    """Bid and ask around `last` (on the grid, up to the largest price; NaN where nothing was traded): one array each.

    0 < bid <= last <= ask always; a last price of one unit has its bid there too.
    """
    known = ~np.isnan(last)
    units: NDArray[np.int64] = np.zeros(last.shape, dtype=np.int64)
    units[known] = np.rint(last[known] * _UNITS).astype(np.int64)
    # half = ceil(units * bps / 20000), in two steps because the product may pass 2**63.
    whole, rest = np.divmod(units, 2 * BPS)
    half = whole * bps - (-(rest * bps) // (2 * BPS))
    bid = np.where(known, np.maximum(units - half, 1) / _UNITS, np.nan)
    ask = np.where(known, (units + half) / _UNITS, np.nan)
    return bid, ask
