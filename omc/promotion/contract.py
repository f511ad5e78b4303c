"""Whether an algorithm keeps the contract, tried out on a market made for the purpose."""

from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy

import numpy as np

from omc.errors import Refused
from omc.feature.frame import FloatArray, Frame
from omc.strategy.algorithm import Algorithm
from omc.strategy.decider import MOST_CELLS
from omc.trading.sizing import check_weights

COINS = ("AAA", "BBB", "CCC")
MOST_COINS = 100
_POINTS, _COPIES = 24, 6
_SPARE = 96


def findings(algorithm: Algorithm) -> list[str]:
    """What is broken, a sentence each: parameters that do not come back, weights that nobody could trade, decisions
    that need more of the past than the algorithm says that it remembers. Whether it looks ahead is another question."""
    found = []
    try:
        if algorithm.set_params(**algorithm.get_params()).get_params() != algorithm.get_params():
            found.append("set_params(get_params()) changes it")
        memory = algorithm.memory_bars
    except Refused as reason:
        return [*found, f"memory_bars: {reason}"]
    if memory < 1:
        return [*found, f"memory_bars is {memory}: a decision sees at least its own row"]
    coins = coins_for(algorithm)
    if len(coins) < algorithm.fewest_coins:
        return [
            *found,
            f"it decides on no fewer than {algorithm.fewest_coins:,} coins: at most {MOST_COINS} are traded",
        ]
    if memory * len(coins) > MOST_CELLS:
        most = MOST_CELLS // len(coins)
        return [*found, f"memory_bars is {memory:,}: with {len(coins)} coins at most {most:,} can be tried out"]
    frame = made_market(bars_for(algorithm), coins)
    try:
        weights = algorithm.predict(frame)
        check_weights(weights, len(frame.coins))
    except (ValueError, Refused) as reason:
        return [*found, f"predict: {reason}"]
    if weights.shape != frame.last.shape:
        return [*found, f"weights have shape {weights.shape}, prices {frame.last.shape}"]
    if (weights[np.isnan(frame.last)] != 0).any():
        found.append("a coin without a quote has a weight")
    return found + _memory(algorithm, frame, weights)


def bars_for(algorithm: Algorithm) -> int:
    """How many rows show enough of it: as many again as it remembers, and some."""
    return 2 * algorithm.memory_bars + _SPARE


def coins_for(algorithm: Algorithm, coins: Sequence[str] | None = None) -> tuple[str, ...]:
    """Of `coins`, or of as many as could be traded, the first few, as many as it decides on."""
    known = (*COINS, *(f"C{at:03d}" for at in range(len(COINS), MOST_COINS))) if coins is None else coins
    return tuple(known[: max(len(COINS), algorithm.fewest_coins)])[: algorithm.most_coins]


def _memory(algorithm: Algorithm, frame: Frame, weights: FloatArray) -> list[str]:
    """Whoever has seen all of the frame could look up there what it should not remember: a copy has seen nothing."""
    memory = algorithm.memory_bars
    rows = np.linspace(0, len(frame) - 1, _POINTS).astype(int)
    for at in range(_COPIES):
        with closing(deepcopy(algorithm)) as unknowing:
            # Far apart, and in their order: what it gathers from one is not what comes before the next.
            for row in rows[at::_COPIES]:
                remembered = frame.rows(max(0, row - memory + 1), row + 1)
                try:
                    again = unknowing.predict(remembered)
                except (ValueError, Refused) as reason:
                    return [f"predict, with {len(remembered):,} rows: {reason}"]
                if again[-1].tobytes() != weights[row].tobytes():
                    return [f"a decision needs more than the {memory} rows that memory_bars says"]
    return []


def made_market(rows: int, coins: tuple[str, ...] = COINS) -> Frame:
    """A seeded random walk with waves, and a hole in it."""
    generator = np.random.default_rng(7)
    walk = generator.normal(0, 0.01, (rows, len(coins))).cumsum(axis=0)
    waves = 0.05 * np.sin(np.arange(rows)[:, None] / (5.0 + np.arange(len(coins))))
    last = np.round(100 * np.exp(walk - walk.mean(axis=0) + waves), 8)
    last[rows // 8, 0] = np.nan
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, coins, last, last, last)
