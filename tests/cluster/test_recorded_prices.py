"""Coverage and gaps of a tape."""

import numpy as np

from cluster.recorded_prices import presence
from omc.feature.frame import Frame

START = np.datetime64("2025-01-01T00:00", "us")


def frame(minutes, quoted):
    times = START + np.array(minutes) * np.timedelta64(60_000_000, "us")
    prices = np.where(np.array(quoted, bool), 1.0, np.nan)
    return Frame(times, tuple("ABC")[: prices.shape[1]], prices, prices, prices)


def test_gaps_are_runs_of_missing_bars_between_the_first_and_the_last():
    found = list(presence(frame([0, 5, 20, 25, 60], [[1, 0], [1, 1], [1, 0], [1, 0], [1, 0]])))
    assert [(each.coin, each.bars, each.gaps, each.row["longest_gap"]) for each in found] == [
        ("A", 5, 2, 1800),
        ("B", 1, 0, 0),
    ]
    assert (found[0].first, found[0].last) == ("2025-01-01T00:00:00Z", "2025-01-01T01:00:00Z")


def test_a_coin_that_is_never_quoted_is_not_listed():
    assert [each.coin for each in presence(frame([0, 5], [[1, 0], [1, 0]]))] == ["A"]
