"""Bars by the clock, gaps among them."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omc.feature.bars import Grid, candle_bars, quote_bars
from omc.feature.frame import Frame, as_datetime, as_datetime64
from omc.ledger.exchange import BAR

START = datetime(2025, 6, 1, 23, 50, tzinfo=UTC)
MINUTES = st.sampled_from([5, 15, 60, 240, 1440])


def frame(quotes: dict[int, float], unit: timedelta = BAR) -> Frame:
    """Last prices by how many units after the start they were quoted."""
    places = sorted(quotes)
    times = np.array([as_datetime64(START + place * unit) for place in places], "M8[us]")
    last = np.array([quotes[place] for place in places], np.float64).reshape(-1, 1)
    return Frame(times, ("BTC",), last - 0.5, last + 0.5, last)


def test_a_grid_holds_every_bar_that_a_moment_of_the_stretch_lies_in():
    grid = Grid.over(START + timedelta(minutes=2), START + timedelta(minutes=10), timedelta(minutes=5))
    assert (grid.first, grid.count) == (START, 3)
    assert Grid.over(START, START, timedelta(days=1)).first == datetime(2025, 6, 1, tzinfo=UTC)
    assert Grid.over(START, START - timedelta(minutes=1), BAR).count == 0


@given(st.integers(0, 50), st.integers(1, 20), MINUTES)
def test_the_parts_of_a_grid_are_its_bars_each_once(count, size, minutes):
    grid = Grid(datetime(2025, 6, 1, tzinfo=UTC), timedelta(minutes=minutes), count)
    parts = [time for part in grid.parts(size) for time in part.times.tolist()]
    assert parts == grid.times.tolist()
    assert grid.part(count + 5, size).count == 0


def test_the_newest_quote_of_five_minutes_is_shown_and_a_gap_has_none():
    table = quote_bars(frame({0: 1.0, 15: 2.0, 19: 3.0}, timedelta(minutes=1)), Grid(START, BAR, 4))
    assert table.gap.tolist() == [False, True, True, False]
    assert [as_datetime(time) - START for time in table.times] == [timedelta(minutes=at) for at in (0, 5, 10, 19)]
    np.testing.assert_array_equal(table.bid, [0.5, np.nan, np.nan, 2.5])


def test_a_candle_is_complete_when_there_was_a_quote_in_each_of_its_five_minutes():
    quarter = timedelta(minutes=15)
    table = candle_bars(frame({0: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 8: 5.0}), Grid.over(START, START + 9 * BAR, quarter))
    assert table.quotes.tolist() == [1, 3, 0, 1]
    assert table.gap.tolist() == [False, False, True, False]
    assert table.complete.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(table.open, [1.0, 2.0, np.nan, 5.0])


def test_several_quotes_in_five_minutes_count_once():
    five = {at: 1.0 + at for at in range(10, 15)}
    table = candle_bars(frame(five, timedelta(minutes=1)), Grid.over(START + 2 * BAR, START + 2 * BAR, 3 * BAR))
    assert (table.quotes.tolist(), table.complete.tolist()) == ([1], [False])


@given(st.dictionaries(st.integers(0, 300), st.floats(0.75, 1e6)), MINUTES, st.integers(0, 300), st.integers(0, 300))
def test_bars_are_what_brute_force_makes_of_the_quotes(quotes, minutes, since, until):
    interval = timedelta(minutes=minutes)
    grid = Grid.over(START + since * BAR, START + until * BAR, interval)
    within = {at: price for at, price in quotes.items() if grid.first <= START + at * BAR <= grid.last_moment}
    table = candle_bars(frame(within), grid)
    for bar, time in enumerate(grid.times):
        begin = as_datetime(time)
        inside = [quotes[at] for at in sorted(quotes) if begin <= START + at * BAR < begin + interval]
        prices = [float(side[bar]) for side in (table.open, table.high, table.low, table.close)]
        if inside:
            assert prices == [inside[0], max(inside), min(inside), inside[-1]]
        else:
            assert all(np.isnan(prices))
        assert table.quotes[bar] == len(inside)
        assert table.complete[bar] == (len(inside) == interval // BAR)
