"""A frame as code sees it: the same prices, tables of them, and nothing that can be written to."""

import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.feature.indicator import Indicators
from omc.strategy.sandbox.seen_frame import SeenFrame


def test_it_holds_the_same_prices(prices):
    seen = SeenFrame.of(prices)
    assert seen.coins == prices.coins
    for name in ("times", "bid", "ask", "last"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(prices, name))
        assert not getattr(seen, name).flags.writeable
    assert len(seen.rows(10, 20)) == 10
    assert seen.select(["TWO"]).coins == ("TWO",)


def test_tables_are_of_all_coins_or_of_one(prices):
    seen = SeenFrame.of(prices)
    assert list(seen.data().columns) == ["ONE", "TWO"]
    assert seen.data("ONE")["ask"].iloc[0] == prices.ask[0, 0]
    assert str(seen.data(price="bid").index.tz) == "UTC"
    with pytest.raises(InvalidInput, match="no coin"):
        seen.data("THREE")
    with pytest.raises(InvalidInput, match="a price is one of"):
        seen.data(price="mid")


def test_indicators_are_shared_where_they_are_handed_in(prices):
    shared = Indicators(prices.last)
    assert SeenFrame.of(prices, shared).indicators is shared
    seen = SeenFrame.of(prices)
    assert seen.indicators is seen.indicators
