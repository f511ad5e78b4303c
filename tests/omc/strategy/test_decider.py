"""Bar by bar, a trader decides what a backtest decides on the same bars, to the bit, whoever holds the window."""

import inspect
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.errors import CodeFailed, InvalidInput, SandboxDied
from omc.feature.frame import Frame
from omc.strategy import registry
from omc.strategy.decider import MOST_MEMORY_BARS, Decider, kept_bars
from omc.strategy.maker import Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from omc.trading.exits import Exits

MAKER = Maker(partial(MemorySandbox, load=load))
SHORT = {
    "fast_bars": 3,
    "slow_bars": 9,
    "signal_bars": 3,
    "entry_bars": 8,
    "exit_bars": 5,
    "hold_bars": 7,
    "window_bars": 10,
    "rebalance_bars": 6,
    "lookback_bars": 32,
    "horizon_bars": 4,
    "train_bars": 60,
    "refit_bars": 50,
    "cycle_bars": 20,
    "purchases": 5,
}
# These look back many times as far as their parameters say.
SHORTER = {"macd": {"fast_bars": 1, "slow_bars": 3, "signal_bars": 2}, "rsi": {"window_bars": 3}}
TYPES = [each.algorithm_type for each in registry.templates()]
BARS = 520
# On its first use numpy imports what it computes a mean with, which code behind the first wall cannot.
np.zeros(1).mean()


def market(rows: int = BARS, coins: int = 2, seed: int = 4, missing: float = 0.02) -> Frame:
    """Some quotes are missing, and some bars, as a floor sees them."""
    generator = np.random.default_rng(seed)
    last = np.round(100 * np.exp(generator.normal(0, 0.01, (rows, coins)).cumsum(axis=0)), 8)
    last[generator.random((rows, coins)) < missing] = np.nan
    kept = ~np.isnan(last).all(axis=1) & (generator.random(rows) > 0.02)
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    bid, ask = np.round(last * 0.999, 8), np.round(last * 1.001, 8)
    return Frame(times[kept], tuple("ABCD"[:coins]), bid[kept], ask[kept], last[kept])


def made(algorithm_type: str, *, as_code: bool):
    short = SHORT | SHORTER.get(algorithm_type, {})
    parameters = {name: short[name] for name in registry.make(algorithm_type, {}).get_params() if name in short}
    if not as_code:
        return registry.make(algorithm_type, parameters)
    source = inspect.getsource(sys.modules[type(registry.make(algorithm_type, {})).__module__])
    return MAKER.of(source)("custom", parameters)


def walked(decider: Decider, frame: Frame, row: int):
    """What a trader that meets this row for the first time decides, as it does."""
    if decider.follows(frame.time(row)):
        decider.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
    else:
        decider.recall(frame.rows(max(0, row + 1 - max(decider.memory_bars, 2)), row + 1))
    return decider.decide()


@pytest.mark.parametrize("as_code", [False, True], ids=["as it ships", "as somebody's code"])
@pytest.mark.parametrize("algorithm_type", TYPES)
def test_every_built_in_algorithm_decides_bar_by_bar_what_it_decides_at_once(algorithm_type, as_code):
    frame = market(260 if "train_bars" in registry.make(algorithm_type, {}).get_params() else BARS)
    at_once = made(algorithm_type, as_code=False).predict(frame)
    decider = Decider(made(algorithm_type, as_code=as_code), 2)
    differ = [row for row in range(len(frame)) if walked(decider, frame, row).tobytes() != at_once[row].tobytes()]
    assert differ == []
    assert at_once.any()


@settings(max_examples=60)
@given(
    st.sampled_from(["moving_average_crossover", "mean_reversion", "pairs"]),
    st.integers(0, 10**6),
    st.lists(st.sampled_from(["meet", "meet", "miss", "again", "sit down", "twice"]), min_size=20, max_size=80),
)
def test_whatever_a_trader_lives_through_its_next_decision_is_the_backtests(algorithm_type, seed, life):
    frame = market(90, seed=seed)
    at_once = made(algorithm_type, as_code=False).predict(frame)
    deciders = [Decider(made(algorithm_type, as_code=as_code), 2) for as_code in (False, True)]
    for row, deed in zip(range(len(frame)), life, strict=False):
        for decider in deciders:
            match deed:
                case "miss" if decider.follows(frame.time(row)):
                    # Journaled as finished: it is remembered, and nothing is decided on it.
                    decider.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
                    continue
                case "sit down":
                    decider.recall(frame.rows(0, row + 1))
                    decided = decider.decide()
                case _:
                    decided = walked(decider, frame, row)
            assert decided.tobytes() == at_once[row].tobytes()
            if deed == "twice":
                assert decider.decide().tobytes() == decided.tobytes()
            if deed == "again":
                assert not decider.follows(frame.time(row))
                assert walked(decider, frame, row).tobytes() == decided.tobytes()


def code(body: str, memory_bars: object = 3) -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"class It:\n    memory_bars = {memory_bars}\n    def predict(self, frame):\n{lines}\n"


def test_code_is_handed_its_memory_once_and_then_each_bar():
    frame, handed = market(30, missing=0.0), []

    class Watched(MemorySandbox):
        def begin(self, parameters, tail, model=None):
            handed.append(len(tail))
            return super().begin(parameters, tail, model)

        def decide(self, time, bid, ask, last):
            handed.append(time)
            return super().decide(time, bid, ask, last)

    decider = Decider(Maker(partial(Watched, load=load)).of(code("return frame.last * 0.0"))("custom", {}), 2)
    decider.recall(frame.rows(0, 8))
    decider.decide()
    for row in range(8, 11):
        decider.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
        decider.decide()
    assert handed == [3, *(frame.time(row) for row in range(8, 11))]


def test_after_a_fault_code_begins_again():
    frame, asked = market(30, missing=0.0), []

    class Dies(MemorySandbox):
        def decide(self, time, bid, ask, last):
            asked.append(time)
            raise SandboxDied("killed")

    decider = Decider(Maker(partial(Dies, load=load)).of(code("return frame.last * 0.0 + 0.25"))("custom", {}), 2)
    decider.recall(frame.rows(0, 8))
    decider.decide()
    decider.append(frame.time(8), frame.bid[8], frame.ask[8], frame.last[8])
    with pytest.raises(SandboxDied):
        decider.decide()
    assert decider.decide().tolist() == [0.25, 0.25]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no mean')", "ValueError: no mean"),
        ("return frame.last * float('nan')", "not a finite number"),
        ("return frame.last * 0.0 - 1.0", "outside 0 to 1"),
        ("return frame.last * 0.0 + 0.9", "add up to more than 1"),
        ("return 0.5", "weights (are|have)"),
        ("return frame.last[:, :1]", "weights have"),
        ("return 'everything'", "weights (are|have)|ValueError"),
        ("return frame.last if len(frame) > 3 else None", "weights (are|have)"),
    ],
)
def test_code_that_answers_nothing_usable_says_so_at_once(body, said):
    decider = Decider(MAKER.of(code(body))("custom", {}), 2)
    decider.recall(market(30))
    with pytest.raises(CodeFailed, match=said):
        decider.decide()


def test_what_code_prints_is_heard_once():
    frame = market(30, missing=0.0)
    decider = Decider(MAKER.of(code("print('bar', len(frame))\nreturn frame.last * 0.0"))("custom", {}), 2)
    decider.recall(frame.rows(0, 2))
    decider.decide()
    decider.append(frame.time(2), frame.bid[2], frame.ask[2], frame.last[2])
    decider.decide()
    assert decider.take_printed() == "bar 2\nbar 3\n"
    assert decider.take_printed() == ""


class Breaks(MovingAverageCrossover):
    closed = 0

    def predict(self, frame: Frame):
        raise ZeroDivisionError("a mean of nothing")

    def close(self) -> None:
        self.closed += 1


def test_a_built_in_that_raises_has_failed_too():
    decider = Decider(Breaks(3, 9), 2)
    decider.recall(market(30))
    with pytest.raises(CodeFailed, match="ZeroDivisionError: a mean of nothing"):
        decider.decide()
    assert decider.take_printed() == ""


class Remembers(Breaks):
    memory_bars = MOST_MEMORY_BARS + 1
    exits = Exits()


def test_what_remembers_more_than_is_kept_is_refused_and_closed():
    wrong = Remembers(3, 9)
    with pytest.raises(InvalidInput, match="looks back 1,000,001 bars: at most 1,000,000"):
        Decider(wrong, 2)
    assert wrong.closed == 1


@pytest.mark.parametrize(
    ("coins", "most"), [(1, 1_000_000), (3, 1_000_000), (4, 750_000), (100, 30_000)], ids=lambda many: f"{many:,}"
)
def test_the_more_coins_the_less_is_kept_of_each(coins, most):
    fits, wrong = Remembers(3, 9), Remembers(3, 9)
    fits.memory_bars, wrong.memory_bars = most, most + 1
    assert kept_bars(fits, coins) == Decider(fits, coins).memory_bars == most
    with pytest.raises(InvalidInput, match=f"looks back {most + 1:,} bars: at most {most:,} are kept .* {coins} coin"):
        Decider(wrong, coins)
    assert (fits.closed, wrong.closed) == (0, 1)


def test_nothing_can_be_decided_before_there_is_a_bar():
    with pytest.raises(ValueError, match="nothing was recalled"):
        Decider(Breaks(3, 9), 2).decide()
