"""A breakout buys above the channel and sells below the shorter one."""

from omc.strategy.channel_breakout import ChannelBreakout

NAN = float("nan")


def test_it_buys_above_the_highest_and_sells_below_the_lowest_of_the_bars_before(tape):
    prices = tape([5, 7, 6, 7, 8, 7, 7, 6, 6, 9])
    breakout = ChannelBreakout(entry_bars=3, exit_bars=2, hold_bars=50)
    assert breakout.predict(prices)[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 0, 0, 1]


def test_it_sells_after_its_hold_and_where_there_is_no_price(tape):
    breakout = ChannelBreakout(entry_bars=1, exit_bars=5, hold_bars=2)
    assert breakout.predict(tape([5, 6, 6, 6, 6, 7, 8, 8, 8, 9, NAN, 9]))[:, 0].tolist() == [
        0,
        0,
        0,
        0,
        0,
        1,
        1,
        1,
        0,
        1,
        0,
        0,
    ]
