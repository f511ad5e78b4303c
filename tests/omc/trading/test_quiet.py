"""What is passed over is what a trader would have done nothing about, and no bar more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from omc.feature.frame import FloatArray, read_only
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.trading.blotter import TraderMemory
from omc.trading.exits import Exits
from omc.trading.mandate import Mandate
from omc.trading.quiet import Stretch
from omc.trading.trader import Trader

START = datetime(2025, 1, 1, tzinfo=UTC)
BAR = timedelta(minutes=5)
NOBODY = UUID(int=0)


def stretch(*bids: float, weight: float = 1.0, **weights: float) -> Stretch:
    times = np.datetime64("2025-01-01", "us") + np.arange(len(bids)) * np.timedelta64(300, "s")
    bid = read_only(np.array(bids).reshape(-1, 1))
    wanted = np.full(bid.shape, weight)
    for row, each in weights.items():
        wanted[int(row[1:])] = each
    return Stretch(times, bid, bid, bid, bid, bid, read_only(wanted))


def holder(exits: Exits = Exits(), target: float = 1.0) -> Trader:  # noqa: B008 - it is frozen
    """Ten coins that were bought at 100, and no cash."""
    mandate = Mandate(NOBODY, NOBODY, ("BTC",), 0.0, exits, Terms())
    held = Position("BTC", Decimal(10), Decimal(1_000), opening_price_aud=Decimal(100))
    memory = TraderMemory(START - BAR, START - BAR, (target,), (False,), ages=(0,), trails=(None,))
    return Trader(mandate, memory, Account(Decimal(1_000), Decimal(0), {"BTC": held}), marks={"BTC": 100.0})


def passed(trader: Trader, bars: Stretch, first: int = 0) -> tuple[int, FloatArray]:
    curves = np.full((2, len(bars.times)), np.nan)
    return trader.pass_quietly(bars, first, curves), curves


def test_it_passes_to_the_end_when_nothing_is_to_be_done() -> None:
    trader = holder()
    until, curves = passed(trader, stretch(100, 101, np.nan, 90))
    assert until == 4
    assert curves[0].tolist() == [1_000, 1_010, 1_010, 900]
    assert curves[1].tolist() == [0] * 4
    assert trader.memory.done_until == START + 3 * BAR
    assert trader.memory.ages == (4,)


@pytest.mark.parametrize(
    ("exits", "bids", "until"),
    [
        (Exits(stop_loss=0.1), (100, 95, 90, 90), 2),
        (Exits(trailing=0.1), (100, 120, 109, 108), 3),
        (Exits(take_profit=((0, 0.1),)), (100, 110, 110.01, 120), 2),
        (Exits(time_stop_bars=3), (100, 100, 100, 100), 2),
    ],
    ids=["stop", "trailing", "profit", "time"],
)
def test_it_stands_before_the_bar_in_which_something_leaves(exits: Exits, bids: tuple[float, ...], until: int) -> None:
    trader = holder(exits)
    assert passed(trader, stretch(*bids))[0] == until
    assert trader.memory.done_until == START + (until - 1) * BAR


def test_it_stands_before_the_bar_that_carries_out_a_change_of_mind() -> None:
    assert passed(holder(), stretch(100, 100, 100, 100, t1=0.0))[0] == 2


def test_it_stands_before_a_bar_whose_weights_cannot_be_traded() -> None:
    for weight in (np.nan, 1.5, -0.5):
        assert passed(holder(), stretch(100, 100, 100, t2=weight))[0] == 2


def test_where_it_stands_already_nothing_has_changed() -> None:
    trader = holder(target=0.0)
    before = trader.memory
    assert passed(trader, stretch(100, 100))[0] == 0
    assert trader.memory == before


def test_a_trailing_stop_has_moved_with_the_bars_that_were_passed() -> None:
    trader = holder(Exits(trailing=0.1))
    passed(trader, stretch(100, 120, 115))
    assert trader.memory.trails == (108.0,)
