"""What holds for every honest algorithm and for the engines, whatever the prices; and how features warm up."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from omc.backtest.cost import Costs
from omc.backtest.kernel import Simulation, simulate
from omc.backtest.lookahead import Data, of_algorithm
from omc.backtest.market import Market
from omc.backtest.replay import WIDE, replay
from omc.backtest.stage import Stage
from omc.backtest.warm_up import WarmUp, warm_up
from omc.feature.frame import Frame
from omc.feature.indicator import rolling_mean
from omc.market.terms import Terms
from omc.strategy.builtin import Builtin
from omc.strategy.mean_reversion import MeanReversion
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.trading.mandate import Mandate
from omc.trading.trader import Trader

Outcome = tuple[str, str | None]
ROWS, CUT, BAND = 1_500, 900, 0.02
TERMS = Terms()


def walk(rows: int = ROWS, seed: int = 11) -> Frame:
    generator = np.random.default_rng(seed)
    last = np.round(100 * np.exp(generator.normal(0, 0.01, (rows, 2)).cumsum(axis=0)), 8)
    times = np.datetime64("2026-01-05", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, ("BTC", "ETH"), np.round(last * 0.999, 8), np.round(last * 1.001, 8), last)


def algorithms() -> list[Builtin]:
    return [MovingAverageCrossover(5, 40), MeanReversion(window_bars=30, hold_bars=20, stop_loss=0.03)]


def traded(frame: Frame, algorithm: Builtin, cash_aud: float = 1e6) -> Simulation:
    return _simulated(frame, algorithm.predict(frame), algorithm, cash_aud)


def _simulated(frame: Frame, weights: np.ndarray, algorithm: Builtin, cash_aud: float = 1e6) -> Simulation:
    costs = Costs.of(TERMS, frame.coins, BAND)
    return simulate(Market.quoted(frame), weights, costs, cash_aud=cash_aud, exits=algorithm.exits)


def _same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return len(ours) > 0 and ours.tolist() == theirs.tolist()


def _truncated(frame: Frame, algorithm: Builtin) -> bool:
    whole, part = traded(frame, algorithm), traded(frame.rows(0, CUT), algorithm)
    return _same(whole.trades[whole.trades["row"] < CUT], part.trades) and not of_algorithm(algorithm, frame, cuts=6)


def _noise(frame: Frame, algorithm: Builtin) -> bool:
    other = frame.rows(0, CUT).followed_by(Frame(frame.times, *_columns(walk(seed=12), 3.0)))
    ours, theirs = (traded(each, algorithm).trades for each in (frame, other))
    return _same(ours[ours["row"] < CUT], theirs[theirs["row"] < CUT])


def _columns(frame: Frame, factor: float) -> tuple[Any, ...]:
    return frame.coins, *(np.round(each * factor, 8) for each in (frame.bid, frame.ask, frame.last))


def _shifted(frame: Frame, algorithm: Builtin) -> bool:
    later = Frame(frame.times + np.timedelta64(12_345, "s"), frame.coins, frame.bid, frame.ask, frame.last)
    return _same(traded(frame, algorithm).trades, traded(later, algorithm).trades)


def _scaled(frame: Frame, algorithm: Builtin) -> bool:
    """So much cash that a cent, and so much of a coin that its eighth decimal, is next to nothing."""
    ours, theirs = (
        traded(each, algorithm, cash_aud=1e9) for each in (frame, Frame(frame.times, *_columns(frame, 4.0)))
    )
    alike = [_same(ours.trades[name], theirs.trades[name]) for name in ("row", "coin", "side")]
    return all(alike) and np.allclose(ours.equity, theirs.equity, rtol=1e-8, atol=0.0)


def _with_another(frame: Frame, algorithm: Builtin) -> bool:
    coin = np.round(walk(seed=13).last[:, :1], 8)
    wider = Frame(
        frame.times, (*frame.coins, "XRP"), *(np.hstack([each, coin]) for each in (frame.bid, frame.ask, frame.last))
    )
    weights = algorithm.predict(frame)
    never = np.zeros((len(frame), 1))
    ours = _simulated(frame, weights, algorithm)
    theirs = _simulated(wider, np.hstack([weights, never]), algorithm)
    return _same(ours.trades, theirs.trades) and ours.equity.tobytes() == theirs.equity.tobytes()


def _resumed(frame: Frame, algorithm: Builtin) -> bool:
    """The floor's trader, forgotten in the middle and made anew from what it left in its books and its memory."""
    mandate = Mandate(UUID(int=1), UUID(int=1), frame.coins, BAND, algorithm.exits, TERMS)
    market, weights, cash = Market.quoted(frame), algorithm.predict(frame), Decimal(1_000_000)
    whole = replay(mandate, frame.times, market, weights, cash_aud=cash)
    stage = Stage(mandate, frame.times, market, weights, cash, WIDE)
    for row in range(len(frame)):
        if row == CUT:
            stage.trader = Trader(mandate, stage.trader.memory, stage.trader.account)
        stage.play(row)
    fills = tuple(fill for order in stage.orders for fill in order.fills)
    kept = ("coin", "side", "quantity", "total_aud", "executed_at")
    ours, theirs = ([[getattr(fill, name) for name in kept] for fill in each] for each in (whole.fills, fills))
    return bool(ours) and ours == theirs


LAWS: dict[str, Callable[[Frame, Builtin], bool]] = {
    "truncate": _truncated,
    "noise": _noise,
    "timestamps": _shifted,
    "scale": _scaled,
    "instrument": _with_another,
    "split": _resumed,
}


def broken(law: str) -> str | None:
    """For which algorithm a law, known by a word in it, does not hold."""
    holds = next((each for word, each in LAWS.items() if word in law), None)
    if holds is None:
        return "no test written for this law"
    failed = [each.algorithm_type for each in algorithms() if not holds(walk(), each)]
    return f"does not hold for {', '.join(failed)}" if failed else None


def relative_strength(data: Data, window: int) -> np.ndarray:
    """Wilder's, which remembers every row: recursive on purpose."""
    change = pd.Series(data.frame.last[:, 0]).diff()
    up, down = (
        part.ewm(alpha=1 / window, adjust=False, min_periods=window).mean()
        for part in (change.clip(lower=0), -change.clip(upper=0))
    )
    return (100 - 100 / (1 + up / down)).to_numpy()


def recursive(content: Any) -> list[Outcome]:
    """How each kind of feature warms up, and those of the published table by name."""
    if content is None:
        return []
    data = Data(walk(4_000))
    lengths = (20, 40, 80, 100, 150, 300, 999)

    def measured(feature: Callable[[Data], np.ndarray]) -> WarmUp:
        return warm_up(feature, data, lengths)

    def mean_of(window: int) -> WarmUp:
        return measured(lambda given: rolling_mean(given.frame.last[:, 0], window))

    average = measured(lambda given: pd.Series(given.frame.last[:, 0]).ewm(span=20, adjust=False).mean().to_numpy())
    counter = measured(lambda given: np.arange(len(given), dtype=float))
    outcomes: list[Outcome] = [
        ("recursive: an exponential mean comes near", _comes_near(average)),
        (
            "recursive: a counter of rows never does",
            None if counter.near_from is None and (counter.differences > 0).all() else f"near from {counter.near_from}",
        ),
    ]
    for window in (20, 50, 130):
        found = mean_of(window).exact_from
        outcomes.append(
            (f"recursive: a mean of {window}", None if found == window else f"exact from {found}, not {window}")
        )
    for name in content.get("published_table", {}):
        kind, _, window = name.partition("_")
        if kind != "rsi" or not window.isdigit():
            outcomes.append((f"recursive: {name}", "no feature written for it"))
        else:
            found = measured(lambda given, window=window: relative_strength(given, int(window)))
            outcomes.append((f"recursive: {name}", _comes_near(found)))
    return outcomes


def _comes_near(found: WarmUp) -> str | None:
    if found.near_from is None or found.near_from <= found.lengths[0]:
        return f"near from {found.near_from}"
    return None if found.exact_from is None or found.exact_from > found.near_from else "exact as soon as it is near"
