"""A seeded market for when no recording is given: correlated coins, regimes, jumps.

A common factor passes through regimes (calm, rising, falling, turbulent) of days each; every coin follows it with its
own beta, adds fat-tailed noise of its own and, now and then, jumps. Prices start where CoinSpot's page stood in May
2025. It is no model of any real market: it is a market in which everything that the platform does can happen. The
generator is numpy's PCG64, one stream a coin, so a coin's prices do not depend on which others are asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame
from omc.market.coin import ticker
from omc.market.spread import LARGEST_PRICE_AUD, quotes_around, spread_bps, to_grid
from omc.market.tape import BARS_A_DAY, Tape

LONGEST_DAYS = 3650
_START = np.datetime64("2025-01-01T00:00:00", "us")
_BAR = np.timedelta64(5 * 60 * 1_000_000, "us")


@dataclass(frozen=True, slots=True)
class Regime:
    """Of the common factor: drift and volatility of a day, as log returns, and how many days it lasts on average."""

    drift_day: float
    volatility_day: float
    days: float


_REGIMES = (
    Regime(drift_day=0.000, volatility_day=0.012, days=1.5),
    Regime(drift_day=0.030, volatility_day=0.018, days=3.0),
    Regime(drift_day=-0.028, volatility_day=0.022, days=2.5),
    Regime(drift_day=0.000, volatility_day=0.045, days=0.7),
)
# Where each regime leads: never to itself, seldom from calm straight into turbulence.
_NEXT = np.array(
    [
        [0.00, 0.45, 0.40, 0.15],
        [0.50, 0.00, 0.30, 0.20],
        [0.45, 0.35, 0.00, 0.20],
        [0.40, 0.30, 0.30, 0.00],
    ]
)


@dataclass(frozen=True, slots=True)
class Character:
    """How a coin moves: its first price, its share of the factor, its own volatility and jumps a day."""

    first_price_aud: float
    beta: float
    volatility_day: float
    jumps_day: float


CHARACTERS: Mapping[str, Character] = {
    "BTC": Character(150_000.0, 1.0, 0.006, 0.05),
    "ETH": Character(2_900.0, 1.2, 0.012, 0.08),
    "SOL": Character(230.0, 1.4, 0.020, 0.12),
    "XRP": Character(3.40, 1.1, 0.022, 0.15),
    "DOGE": Character(0.27, 1.5, 0.026, 0.20),
    "ADA": Character(1.07, 1.3, 0.020, 0.12),
    "LTC": Character(146.0, 1.1, 0.015, 0.10),
    "LINK": Character(22.0, 1.3, 0.020, 0.12),
}
_UNKNOWN = Character(1.0, 1.2, 0.025, 0.15)


def synthetic_tape(seed: int, days: float, coins: Sequence[str] = ("BTC", "ETH", "SOL", "XRP", "DOGE")) -> Tape:
    """`days` days of five-minute quotes for `coins`; the same arguments give the same tape."""
    names = tuple(dict.fromkeys(ticker(coin) for coin in coins))
    bars = round(days * BARS_A_DAY) if 0 < days <= LONGEST_DAYS else 0
    if bars < 2:
        raise InvalidInput(f"a synthetic market lasts from two bars to {LONGEST_DAYS} days, not {days} days")
    if not names:
        raise InvalidInput("a synthetic market needs at least one coin")
    if seed < 0:
        raise InvalidInput(f"a seed is a whole number from 0, not {seed}")
    factor = _factor(np.random.Generator(np.random.PCG64(seed)), bars)
    last = np.column_stack([_prices(coin, seed, factor) for coin in names])
    sides = [quotes_around(last[:, c], spread_bps(coin)) for c, coin in enumerate(names)]
    frame = Frame(
        times=_START + _BAR * np.arange(bars),
        coins=names,
        bid=np.column_stack([bid for bid, _ in sides]),
        ask=np.column_stack([ask for _, ask in sides]),
        last=last,
    )
    return Tape(frame, f"synthetic market, seed {seed}, {days:g} days")


def _factor(random: np.random.Generator, bars: int) -> FloatArray:
    """Log returns of the common factor, (T,)."""
    drift, volatility = np.empty(bars), np.empty(bars)
    at, regime = 0, 0
    while at < bars:
        now = _REGIMES[regime]
        until = min(at + 1 + int(random.exponential(now.days * BARS_A_DAY)), bars)
        drift[at:until] = now.drift_day / BARS_A_DAY
        volatility[at:until] = now.volatility_day / np.sqrt(BARS_A_DAY)
        at, regime = until, int(random.choice(len(_REGIMES), p=_NEXT[regime]))
    returns: FloatArray = drift + volatility * _fat_tailed(random, bars)
    return returns


def _prices(coin: str, seed: int, factor: FloatArray) -> FloatArray:
    """Last prices of one coin on the grid, (T,)."""
    bars = len(factor)
    character = CHARACTERS.get(coin, _UNKNOWN)
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, crc32(coin.encode())])))
    own = character.volatility_day / np.sqrt(BARS_A_DAY) * _fat_tailed(random, bars)
    jumps = (random.random(bars) < character.jumps_day / BARS_A_DAY) * random.normal(0.0, 0.03, bars)
    moves = character.beta * factor + own + jumps
    moves[0] = 0.0
    prices = character.first_price_aud * np.exp(np.cumsum(moves))
    # CoinSpot shows eight decimals; a coin that falls through them, or rises out of exact floats, stands at the limit.
    return to_grid(np.clip(prices, 1e-6, LARGEST_PRICE_AUD / 2))


def _fat_tailed(random: np.random.Generator, bars: int) -> FloatArray:
    """Student's t with five degrees of freedom, scaled to unit variance."""
    draws: FloatArray = random.standard_t(5, bars) * np.sqrt(3 / 5)
    return draws
