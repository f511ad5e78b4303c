"""What peeks only where it pays is found there."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from omc.backtest.cuts import choose
from omc.backtest.lookahead import Data, Streams, check
from omc.feature.frame import Frame

ROWS = 2_000


def walk(rows: int = ROWS, seed: int = 3) -> Frame:
    last = np.round(100 * np.exp(np.random.default_rng(seed).normal(0, 0.01, (rows, 2)).cumsum(axis=0)), 8)
    times = np.datetime64("2026-01-05", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, ("BTC", "ETH"), last, last, last)


def cuts_of(frame: Frame, *turns: list[int], count: int = 24) -> list[int]:
    return choose(frame, {}, [np.array(each, np.int64) for each in turns], count, np.random.default_rng(0))


def peeking_at(rows_of: Callable[[pd.Series], np.ndarray]) -> Callable[[Data], Streams]:
    """Honest but for the rows that `rows_of` names, which know the next price."""

    def decide(data: Data) -> Streams:
        last = pd.Series(data.frame.last[:, 0])
        told = (last > last.rolling(5).mean()).to_numpy(float)
        known = np.append(last.to_numpy()[1:] > last.to_numpy()[:-1], False)
        return {"weights": np.where(rows_of(last), known, told)}

    return decide


@pytest.mark.parametrize(
    "rows_of",
    [
        lambda last: (last.pct_change().abs() > 0.03).to_numpy(),
        lambda last: np.arange(len(last)) % 288 == 287,
    ],
    ids=["after large moves", "before a day begins"],
)
def test_who_peeks_only_there_is_found(rows_of: Callable[[pd.Series], np.ndarray]) -> None:
    assert check(peeking_at(rows_of), Data(walk()))


def test_who_knows_that_prices_are_about_to_stop_is_found() -> None:
    frame = walk()
    frame.last[700:720, 0] = np.nan
    frame.last[690:1_500, 1] = np.nan
    assert check(lambda data: {"weights": np.append(np.isnan(data.frame.last[1:, 0]), False)}, Data(frame))


def test_who_hardly_ever_decides_is_looked_at_after_each_decision() -> None:
    rows = [301, 1_002, 1_777]
    assert {row + 1 for row in rows} <= set(cuts_of(walk(), rows))


def test_who_begins_to_decide_is_looked_at_when_it_begins() -> None:
    """Fitted on all rows until the middle, with labels from the twelve rows after each."""

    def decide(data: Data) -> Streams:
        last = pd.Series(data.frame.last[:, 0])
        label = (last.shift(-12) / last - 1).to_numpy()[:1_000]
        return {"predictions": np.where(np.arange(len(last)) >= 1_000, last * np.nansum(label), np.nan)}

    assert check(decide, Data(walk()))


def test_one_row_among_many_is_found_when_every_row_is_tried() -> None:
    (peek, *_) = check(peeking_at(lambda last: np.arange(len(last)) == 201), Data(walk(400)), cuts=range(1, 400))
    assert (peek.row, peek.cut) == (201, 202)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 30])
def test_every_cut_leaves_a_past_and_a_future(rows: int) -> None:
    chosen = cuts_of(walk(rows), list(range(rows)), list(range(rows)))
    assert all(0 < cut < rows for cut in chosen)
    assert bool(chosen) == (rows > 1)


def test_there_are_a_few_times_as_many_as_were_asked_for_at_most() -> None:
    everything = list(range(ROWS))
    frame = walk()
    frame.last[::2] = np.nan
    assert len(cuts_of(frame, everything, everything)) <= 4 * 24 + 1
