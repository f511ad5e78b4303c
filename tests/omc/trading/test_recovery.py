"""A trader that comes back remembers what it would remember had it looked on."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.feature.frame import Frame
from omc.risk.verdict import DenialReason, Denied
from omc.trading.blotter import TraderMemory
from omc.trading.dialogue import Command, Decide, IntentDenied, OrderEnded, QuotesArrived, Remember, Submit
from omc.trading.dialogue import WeightsDecided as Decided
from omc.trading.exits import Exits
from omc.trading.order import Order, OrderStatus
from omc.trading.recovery import after_absence
from omc.trading.trader import Trader
from tests.omc.trading.test_trader import COINS, NAN, START, Books, exits, mandate, markets

BAR = timedelta(minutes=5)


def time(row: int) -> datetime:
    return START + row * BAR


def frame(bid: np.ndarray) -> Frame:
    times = np.datetime64("2025-01-01", "us") + np.arange(len(bid)) * np.timedelta64(300, "s")
    return Frame(times, COINS, bid, bid, bid)


@dataclass
class Life:
    """A trader that may send some orders and then none; what it had stored when it sent the last of them is kept."""

    exits: Exits
    bid: np.ndarray
    ask: np.ndarray
    weights: np.ndarray
    orders: int
    books: Books = field(default_factory=Books)
    stored: TraderMemory = field(default_factory=TraderMemory)
    """When its last order had ended."""
    died_in: int = 0

    def __post_init__(self) -> None:
        self.trader = Trader(mandate(self.exits), TraderMemory(), self.books.account)
        self.memory = TraderMemory()

    def play(self, rows: int) -> "Life":
        for row in range(rows):
            if np.isnan(self.bid[row]).all():
                continue
            todo: list[Command] = self.trader.handle(QuotesArrived(time(row), self.bid[row], self.ask[row]))
            while todo:
                todo += self.trader.handle(event) if (event := self.carry_out(todo.pop(0), row)) else []
        return self

    def carry_out(self, command: Command, row: int) -> OrderEnded | IntentDenied | Decided | None:
        match command:
            case Remember(memory):
                self.memory = memory
            case Decide(at):
                return Decided(at, self.weights[row])
            case Submit(intent) if self.orders > 0:
                self.orders -= 1
                ended = OrderEnded(self.books.carry_out(intent))
                self.stored, self.died_in = self.memory, row
                return ended
            case Submit(intent):
                return IntentDenied(Denied(intent, DenialReason.DAILY_LOSS, "it is dead"))
        return None

    def recovered(self, until: int) -> TraderMemory:
        account, ended = self.books.account, self.books.orders
        return after_absence(self.stored, mandate(self.exits), account, ended, frame(self.bid[:until]), time(until))


@settings(deadline=None, max_examples=200)
@given(markets(), exits, st.integers(1, 20))
def test_whoever_dies_after_any_order_comes_back_as_if_it_had_looked_on(
    market: tuple[np.ndarray, np.ndarray, np.ndarray], of: Exits, orders: int
) -> None:
    bid, ask, weights = market
    lived = Life(of, bid, ask, weights, orders).play(len(bid))
    if lived.memory.done_until is None or lived.stored.rebalance is None:
        return
    back, there = lived.recovered(len(bid)), lived.memory
    assert (back.ages, back.trails, back.openings) == (there.ages, there.trails, there.openings)
    assert (back.targets, back.rebalance) == (None, None)
    again = after_absence(back, mandate(of), lived.books.account, {}, frame(bid[: lived.died_in]), time(lived.died_in))
    assert again == back


def lost(exits: Exits, *bids: float, orders: int = 1) -> Life:
    """Half of everything in one coin, wanted from the first bar on; dead after so many orders."""
    bid = np.array([[price, NAN, NAN] for price in bids])
    return Life(exits, bid, bid, np.array([[0.5, 0.0, 0.0]] * len(bids)), orders).play(len(bids))


def test_what_was_bought_in_the_bar_of_its_death_is_as_old_as_the_bars_since() -> None:
    assert lost(Exits(trailing=0.1), 100, 100, 110, 120, 115).recovered(5).ages == (3, None, None)


def test_bids_that_nobody_looked_at_raise_a_trailing_stop() -> None:
    found = lost(Exits(trailing=0.1), 100, 100, 110, 120, NAN, 115).recovered(6)
    assert (found.ages, found.trails) == ((3, None, None), (108.0, None, None))


def test_the_bar_to_come_is_not_one_that_was_missed() -> None:
    it = lost(Exits(trailing=0.1), 100, 100, 110, 120)
    assert it.recovered(3).trails == (99.0, None, None)
    assert it.recovered(1) == it.stored


def test_what_an_exit_closed_in_the_bar_of_its_death_stays_out_unless_it_may_be_bought_again() -> None:
    for reentry in (False, True):
        it = lost(Exits(stop_loss=0.1, reentry=reentry), 100, 100, 89, 89, orders=2)
        assert it.recovered(4).stopped == (not reentry, False, False)


def test_the_rest_of_what_an_exit_sold_in_part_still_leaves_for_its_reason() -> None:
    it = lost(Exits(stop_loss=0.1), 100, 100, 89, 89, orders=2)
    it.books.account = replace(
        it.books.account, positions={"BTC": replace(it.books.account.position("BTC"), quantity=Decimal(1))}
    )
    name, order = next((name, order) for name, order in it.books.orders.items() if name.endswith("exit-at-open"))
    it.books.orders[name] = Order(order.intent, OrderStatus.CANCELLED)
    assert it.recovered(4).leaving == ("stop_loss at 89.00000000, opened at 100.00000000", None, None)


def test_one_that_never_finished_a_bar_has_missed_nothing() -> None:
    nothing = Books()
    found = after_absence(TraderMemory(), mandate(), nothing.account, {}, frame(np.full((3, 3), 1.0)), time(2))
    assert (found.ages, found.targets) == ((None,) * 3, None)
