"""The trader against the kernel, its fast twin, and against itself when it dies at any command."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, simulate
from omc.backtest.market import Market
from omc.market.money import from_grid
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.risk.verdict import DenialReason, Denied
from omc.trading.blotter import Decision, TraderMemory
from omc.trading.dialogue import (
    Command,
    Decide,
    Halt,
    IntentDenied,
    OrderEnded,
    QuotesArrived,
    Remember,
    Submit,
    WeightsDecided,
)
from omc.trading.exits import Exits
from omc.trading.fill import Fill, Side
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.settlement import settle
from omc.trading.trader import Trader

START = datetime(2025, 1, 1, tzinfo=UTC)
DEPLOYMENT, USER = UUID(int=1), UUID(int=2)
COINS = ("BTC", "XYZ", "ETH")
TERMS = Terms()
CASH = Decimal("10000.00")
NAN = float("nan")
NONE = Exits()


@dataclass
class Books:
    """What outlives a trader: its memory, its orders, its account, and a venue that fills all at the quote."""

    memory: TraderMemory = field(default_factory=TraderMemory)
    account: Account = field(default_factory=lambda: Account.opened_with(CASH))
    orders: dict[str, Order] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    def carry_out(self, intent: OrderIntent) -> Order:
        known = self.orders.get(intent.client_order_id)
        if known is not None:
            assert known.intent == intent
            return known
        settled = settle(intent.side, intent.quantity, intent.quote_price_aud, TERMS.fee_bps_of(intent.kind))
        fill = Fill(
            intent.client_order_id,
            intent.coin,
            intent.side,
            intent.quantity,
            settled.total_aud,
            settled.fee_aud,
            intent.quoted_at,
        )
        order = Order(intent).become(OrderStatus.SUBMITTED).become(OrderStatus.FILLED).filled_by((fill,))
        self.account = self.account.apply(fill, intent.quote_price_aud)
        self.orders[intent.client_order_id] = order
        return order


def mandate(exits: Exits = NONE, band: float = 0.0) -> Mandate:
    return Mandate(DEPLOYMENT, USER, COINS, band, exits, TERMS)


def rebuilt(of: Mandate, books: Books, marks: dict[str, float]) -> Trader:
    rebalance = books.memory.rebalance
    ended = [
        books.orders[name]
        for coin in COINS
        for turn in Turn
        if rebalance and (name := client_order_id(DEPLOYMENT, rebalance.quoted_at, coin, turn)) in books.orders
    ]
    return Trader(of, books.memory, books.account, ended=ended, marks=marks)


def play(of: Mandate, bid: np.ndarray, ask: np.ndarray, weights: np.ndarray, deaths: frozenset[int]) -> Books:
    """Trade every row; the process dies before (even) or after (odd) the effect of the commands that `deaths` names."""
    books, number, row = Books(), 0, 0
    it = rebuilt(of, books, {})
    while row < len(bid):
        time = START + row * timedelta(minutes=5)
        todo: list[Command] = it.handle(QuotesArrived(time, bid[row], ask[row]))
        died = False
        while todo and not died:
            command = todo.pop(0)
            number += 1
            died = 2 * number in deaths
            if not died:
                outcome = carry_out(command, books, weights[row])
                died = 2 * number + 1 in deaths
                todo += it.handle(outcome) if outcome and not died else []
        # A trader that died after its last command asks for the next row; any other, for the same again.
        row += not died or books.memory.done_until == time
        if died:
            it = rebuilt(of, books, last_quoted(bid[:row]))
    return books


def carry_out(command: Command, books: Books, weights: np.ndarray) -> OrderEnded | WeightsDecided | None:
    match command:
        case Remember(memory, decision):
            books.memory = memory
            books.decisions += [decision] if decision else []
        case Submit(intent):
            return OrderEnded(books.carry_out(intent))
        case Decide(time):
            return WeightsDecided(time, weights)
        case Halt(reason):
            raise AssertionError(reason)
    return None


def last_quoted(bid: np.ndarray) -> dict[str, float]:
    return {
        coin: float(prices[~np.isnan(prices)][-1])
        for coin, prices in zip(COINS, bid.T, strict=True)
        if not np.isnan(prices).all()
    }


def fills(books: Books) -> list[tuple[datetime, str, Side, Decimal, Decimal, Decimal]]:
    return [
        (fill.executed_at, fill.coin, fill.side, fill.quantity, order.intent.quote_price_aud, fill.total_aud)
        for order in books.orders.values()
        for fill in order.fills
    ]


@st.composite
def markets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bid, ask and weights of a few rows, on the grid, with gaps."""
    rows, coins = draw(st.integers(2, 12)), len(COINS)
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    start = np.array([90_000.0, 0.004, 3.0])
    bid = start * np.exp(np.cumsum(rng.normal(0, 0.05, (rows, coins)), axis=0))
    bid = np.rint(bid * 1e8) / 1e8
    ask = np.rint(bid * (1 + rng.uniform(0, 0.02, (rows, coins))) * 1e8) / 1e8
    gaps = rng.random((rows, coins)) < draw(st.sampled_from([0.0, 0.2]))
    bid, ask = np.where(gaps, np.nan, bid), np.where(gaps, np.nan, ask)
    weights = rng.random((rows, coins)) * (rng.random((rows, coins)) < 0.7)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0) * draw(st.sampled_from([1.0, 1.3]))
    return bid, ask, weights


exits = st.builds(
    Exits,
    stop_loss=st.sampled_from([NAN, 0.03, 0.1]),
    trailing=st.sampled_from([NAN, 0.04, 0.2]),
    trailing_tight=st.sampled_from([NAN, 0.01, 0.05]),
    trailing_offset=st.sampled_from([0.0, 0.02]),
    take_profit=st.sampled_from([(), ((0, 0.06),), ((0, 0.2), (2, 0.0), (4, -0.01))]),
    time_stop_bars=st.sampled_from([0, 0, 1, 3]),
    reentry=st.booleans(),
)
terms = st.tuples(st.one_of(st.just(NONE), exits), st.sampled_from([0.0, 0.05]))


@settings(deadline=None, max_examples=60)
@given(markets(), terms)
def test_a_trader_makes_the_trades_of_the_kernel(
    market: tuple[np.ndarray, np.ndarray, np.ndarray], of: tuple[Exits, float]
) -> None:
    bid, ask, weights = market
    exits, band = of
    books = play(mandate(exits, band), bid, ask, weights, frozenset())
    twin = simulate(
        Market(bid, ask, bid),
        weights,
        Costs.of(TERMS, COINS, band),
        cash_aud=float(CASH),
        exits=exits,
    )
    expected = [
        (
            START + int(trade["row"]) * timedelta(minutes=5),
            COINS[trade["coin"]],
            Side.BUY if trade["side"] == BUY else Side.SELL,
            from_grid(float(trade["quantity"])),
            from_grid(float(trade["price_aud"])),
            from_grid(float(trade["total_aud"])).quantize(Decimal("0.01")),
        )
        for trade in twin.trades
    ]
    assert fills(books) == expected
    assert float(books.account.cash_aud) == twin.cash[-1]


@settings(deadline=None, max_examples=80)
@given(markets(), terms, st.frozensets(st.integers(2, 120), max_size=12))
def test_a_trader_that_dies_at_any_command_makes_the_same_trades(
    market: tuple[np.ndarray, np.ndarray, np.ndarray], of: tuple[Exits, float], deaths: frozenset[int]
) -> None:
    bid, ask, weights = market
    undisturbed = play(mandate(*of), bid, ask, weights, frozenset())
    died = play(mandate(*of), bid, ask, weights, deaths)
    assert fills(died) == fills(undisturbed)
    assert died.memory == undisturbed.memory
    assert died.account == undisturbed.account
    assert told(died) == told(undisturbed)


def told(books: Books) -> list[Decision]:
    """Without repetitions: whoever died before it heard that a decision was stored tells it again."""
    return list({decision.decided_at: decision for decision in books.decisions}.values())


def quotes(minute: int, *prices: float) -> QuotesArrived:
    bid = np.array(prices)
    return QuotesArrived(START + timedelta(minutes=minute), bid, bid)


def trader(memory: TraderMemory | None = None) -> Trader:
    return Trader(mandate(), memory or TraderMemory(), Account.opened_with(CASH))


def decided(trader: Trader, minute: int, *weights: float) -> list[Command]:
    return trader.handle(WeightsDecided(START + timedelta(minutes=minute), np.array(weights)))


def test_the_first_bar_only_decides() -> None:
    it = trader()
    assert it.handle(quotes(0, 1, 1, 1)) == [Decide(START)]
    (remember,) = decided(it, 0, 0.5, 0, 0)
    assert isinstance(remember, Remember)
    assert remember.memory == TraderMemory(
        START,
        START,
        (0.5, 0, 0),
        (False,) * 3,
        ages=(None,) * 3,
        trails=(None,) * 3,
        openings=(None,) * 3,
        leaving=(None,) * 3,
    )
    assert remember.decision is not None
    assert remember.decision.targets == {"BTC": 0.5, "XYZ": 0, "ETH": 0}


def test_a_rebalance_is_remembered_before_its_first_order() -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    decided(it, 0, 0.5, 0.25, 0)
    remember, submit = it.handle(quotes(5, 1, 1, 1))
    assert isinstance(remember, Remember)
    assert remember.memory.rebalance is not None
    assert remember.memory.rebalance.equity_aud == 10_000.0
    assert isinstance(submit, Submit)
    assert submit.intent.client_order_id == f"{DEPLOYMENT}:20250101T000500Z:BTC:buy"
    assert submit.intent.decided_at == START


def test_a_bar_without_orders_and_the_same_wishes_is_remembered_without_a_decision() -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    decided(it, 0, 0, 0, 0)
    assert it.handle(quotes(5, 1, 1, 1)) == [Decide(START + timedelta(minutes=5))]
    (remember,) = decided(it, 5, 0, 0, 0)
    assert isinstance(remember, Remember)
    assert remember.decision is None


def test_quotes_that_it_is_done_with_are_passed_over() -> None:
    it = trader(TraderMemory(done_until=START))
    assert it.handle(quotes(0, 1, 1, 1)) == []


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ((0.7, 0.7, 0.0), "add up to more than 1"),
        ((-0.1, 0.0, 0.0), "outside 0 to 1"),
        ((NAN, 0.0, 0.0), "not a finite number"),
        ((0.5, 0.5), "expected one for each of 3"),
    ],
    ids=["too much", "short", "nan", "too few"],
)
def test_unusable_weights_halt_it_with_nothing_half_done(weights: tuple[float, ...], why: str) -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    told, halt = decided(it, 0, *weights)
    assert isinstance(halt, Halt)
    assert halt.reason.startswith("unusable_weights: at 2025-01-01T00:00:00+00:00: ")
    assert why in halt.reason
    assert isinstance(told, Remember)
    assert told.decision is not None
    assert (told.memory, set(told.decision.why.values())) == (TraderMemory(), {halt.reason})
    assert set(told.decision.targets.values()) == {None}
    assert it.memory == TraderMemory()


@pytest.mark.parametrize(
    ("reason", "goes_on"),
    [(reason, reason not in (DenialReason.KILL_SWITCH, DenialReason.NOT_ACTIVE)) for reason in DenialReason],
)
def test_a_denial_passes_over_the_order_or_halts_the_trader(reason: DenialReason, goes_on: bool) -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    decided(it, 0, 0.5, 0.25, 0)
    _, submit = it.handle(quotes(5, 1, 1, 1))
    assert isinstance(submit, Submit)
    (after,) = it.handle(IntentDenied(Denied(submit.intent, reason, "because")))
    if goes_on:
        assert isinstance(after, Submit)
        assert after.intent.coin == "XYZ"
    else:
        assert after == Halt(f"{reason}: because")


@dataclass
class Played:
    """A trader that is played by hand: one coin, and a venue that fills all at the price asked for."""

    exits: Exits
    books: Books = field(default_factory=Books)

    def __post_init__(self) -> None:
        self.trader = Trader(mandate(self.exits), TraderMemory(), self.books.account)
        self.said = ""

    def bar(self, minute: int, price: float, weight: float, **prices: float) -> TraderMemory:
        bar = quotes(minute, price, NAN, NAN)
        more = {name: np.array([value, NAN, NAN]) for name, value in prices.items()}
        bar = QuotesArrived(bar.time, bar.bid, bar.ask, **more)
        todo = self.trader.handle(bar)
        while todo:
            match todo.pop(0):
                case Submit(intent):
                    todo += self.trader.handle(OrderEnded(self.books.carry_out(intent)))
                case Decide():
                    todo += decided(self.trader, minute, weight, 0, 0)
                case Remember(_, decision):
                    self.said = decision.why["BTC"] if decision else ""
        return self.trader.memory

    def sold(self) -> list[tuple[str, Decimal]]:
        """How each sale's name ends, and its price."""
        orders = [order.intent for order in self.books.orders.values() if order.intent.side is Side.SELL]
        return [(intent.client_order_id.partition(":BTC:")[2], intent.quote_price_aud) for intent in orders]


def test_a_stopped_coin_is_sold_at_once_and_stays_out_until_the_algorithm_wants_none() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    assert played.bar(5, 100, 0.5).targets == (0.5, 0, 0)
    stopped = played.bar(10, 89, 0.5)
    assert played.sold() == [("sell:exit-at-open", Decimal(89))]
    assert played.said == "out by stop_loss at 89.00000000, opened at 100.00000000; the algorithm wants 0.5000"
    assert stopped.targets == (0, 0, 0)
    assert stopped.stopped == (True, False, False)
    assert played.bar(15, 89, 0.5).stopped == (True, False, False)
    assert played.bar(20, 89, 0.0).stopped == (False,) * 3
    assert played.bar(25, 89, 0.5).targets == (0.5, 0, 0)


@pytest.mark.parametrize("reentry", [False, True])
def test_an_exit_that_failed_is_told_so_and_tried_again_at_the_next_bar(reentry: bool) -> None:
    played = Played(Exits(stop_loss=0.1, reentry=reentry))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    _, submit = played.trader.handle(quotes(10, 80, NAN, NAN))
    assert isinstance(submit, Submit)
    failed = Order(submit.intent).become(OrderStatus.SUBMITTED).become(OrderStatus.REJECTED)
    assert played.trader.handle(OrderEnded(failed)) == [Decide(START + timedelta(minutes=10))]
    (remember,) = decided(played.trader, 10, 0.5, 0, 0)
    assert isinstance(remember, Remember)
    assert remember.decision is not None
    assert remember.decision.why["BTC"].startswith("not out yet by stop_loss at 80.00000000")
    played.bar(15, 79, 0.5)
    assert played.sold() == [("sell:exit-at-open" if reentry else "sell", Decimal(79))]


def test_a_coin_that_may_be_bought_again_is_bought_a_bar_after_its_exit() -> None:
    played = Played(Exits(stop_loss=0.1, reentry=True))
    for minute, price in ((0, 100), (5, 100), (10, 89)):
        played.bar(minute, price, 0.5)
    assert not played.trader.account.position("BTC").quantity
    assert played.bar(15, 90, 0.5).ages == (0, None, None)
    assert played.trader.account.position("BTC").opening_price_aud == 90


def test_a_signal_goes_before_a_stop_and_a_partial_sale_does_not_hinder_it() -> None:
    played = Played(Exits(stop_loss=0.1))
    for minute, price, weight in ((0, 100, 0.5), (5, 100, 0.0), (10, 80, 0.5), (15, 100, 0.1), (20, 80, 0.1)):
        played.bar(minute, price, weight)
    assert played.sold() == [("sell", Decimal(80)), ("sell", Decimal(80)), ("sell:exit-at-open", Decimal(80))]


def test_a_trailing_stop_follows_the_price_and_a_memory_of_it() -> None:
    played = Played(Exits(trailing=0.1))
    played.bar(0, 100, 1)
    assert played.bar(5, 100, 1).trails == (90.0, None, None)
    assert played.bar(10, 120, 1).trails == (108.0, None, None)
    memory = played.bar(15, 110, 1)
    assert (memory.trails, memory.ages) == ((108.0, None, None), (2, None, None))
    assert played.bar(20, 107, 1).ages == (None,) * 3
    assert played.sold() == [("sell:exit-at-open", Decimal(107))]


def test_inside_a_candle_a_stop_fills_at_its_level() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5, high=100, low=100, close=100)
    played.bar(5, 100, 0.5, high=101, low=95, close=99)
    played.bar(10, 98, 0.5, high=98, low=80, close=85)
    assert played.sold() == [("sell:exit", Decimal(90))]


def test_a_profit_is_taken_at_its_level_and_time_runs_out_at_an_open() -> None:
    played = Played(Exits(take_profit=((0, 0.1),), time_stop_bars=2, reentry=True))
    played.bar(0, 100, 1, high=100, low=100, close=100)
    played.bar(5, 100, 1, high=112, low=99, close=99)
    played.bar(10, 100, 1, high=100, low=100, close=100)
    for minute in (15, 20):
        played.bar(minute, 101, 1, high=101, low=101, close=101)
    assert played.sold() == [("sell:exit", Decimal(110)), ("sell:exit-at-open", Decimal(101))]


def test_after_bars_were_missed_a_stop_still_holds() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    memory = replace(played.trader.memory, targets=None)
    played.trader = Trader(mandate(played.exits), memory, played.trader.account)
    played.bar(60, 89, 0.5)
    assert played.sold() == [("sell:exit-at-open", Decimal(89))]


def sold_in_part(played: Played, minute: int, price: float, left: str, weight: float = 0.5) -> TraderMemory:
    """A bar in which the venue sells all but `left` of what an exit sends."""
    _, submit = played.trader.handle(quotes(minute, price, NAN, NAN))
    assert isinstance(submit, Submit)
    intent = replace(submit.intent, quantity=submit.intent.quantity - Decimal(left))
    done = played.books.carry_out(intent)
    order = replace(done, intent=submit.intent, status=OrderStatus.CANCELLED)
    assert played.trader.handle(OrderEnded(order)) == [Decide(START + timedelta(minutes=minute))]
    decided(played.trader, minute, weight, 0, 0)
    return played.trader.memory


def test_the_rest_of_what_an_exit_sold_in_part_leaves_for_its_reason_after_a_restart_too() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    memory = sold_in_part(played, 10, 80, "20")
    assert memory.leaving == ("stop_loss at 80.00000000, opened at 100.00000000", None, None)
    played.trader = Trader(mandate(played.exits), memory, played.books.account)
    assert played.bar(15, 95, 0.5).leaving == (None,) * 3
    *_, rest = played.books.orders.values()
    assert rest.intent.reason == "stop_loss at 80.00000000, opened at 100.00000000; the rest of it"


def test_what_may_be_bought_again_no_longer_leaves() -> None:
    played = Played(Exits(stop_loss=0.1, reentry=True))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    assert sold_in_part(played, 10, 80, "20").leaving == (None,) * 3


@pytest.mark.parametrize("dies", [False, True])
def test_what_is_bought_on_top_of_dust_is_a_position_of_its_own(dies: bool) -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    memory = sold_in_part(played, 10, 80, "0.005", weight=0.0)
    assert (memory.ages, memory.openings) == ((1, None, None), (100.0, None, None))
    played.bar(15, 80, 0.5)
    remember, submit = played.trader.handle(quotes(20, 82, NAN, NAN))
    assert isinstance(remember, Remember)
    assert isinstance(submit, Submit)
    ended = played.books.carry_out(submit.intent)
    if dies:
        played.trader = Trader(mandate(played.exits), remember.memory, played.books.account, ended=[ended])
        played.trader.handle(quotes(20, 82, NAN, NAN))
    else:
        played.trader.handle(OrderEnded(ended))
    decided(played.trader, 20, 0.5, 0, 0)
    assert (played.trader.memory.ages, played.trader.memory.openings) == ((0, None, None), (82.0, None, None))
    assert len(played.sold()) == 1
    played.bar(25, 75, 0.5)
    assert len(played.sold()) == 1
    played.bar(30, 73, 0.5)
    assert len(played.sold()) == 2


def test_what_was_bought_before_ages_were_remembered_has_been_held_for_a_bar() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    memory = replace(played.trader.memory, ages=None, trails=None)
    played.trader = Trader(mandate(played.exits), memory, played.trader.account)
    assert played.bar(10, 99, 0.5).ages == (1, None, None)


def test_an_exit_that_the_house_denies_is_tried_again_as_a_sale() -> None:
    played = Played(Exits(stop_loss=0.1))
    played.bar(0, 100, 0.5)
    played.bar(5, 100, 0.5)
    it = played.trader
    _, submit = it.handle(quotes(10, 89, NAN, NAN))
    assert isinstance(submit, Submit)
    assert it.handle(IntentDenied(Denied(submit.intent, DenialReason.NOT_HELD, "a test's"))) == [
        Decide(START + timedelta(minutes=10))
    ]
    decided(it, 10, 0.5, 0, 0)
    assert it.memory.targets == (0, 0, 0)
    _, again = it.handle(quotes(15, 95, NAN, NAN))
    assert isinstance(again, Submit)
    assert again.intent.client_order_id.endswith(":BTC:sell")


def test_an_order_that_has_not_ended_is_refused() -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    decided(it, 0, 0.5, 0, 0)
    _, submit = it.handle(quotes(5, 1, 1, 1))
    assert isinstance(submit, Submit)
    with pytest.raises(ValueError, match="has not ended"):
        it.handle(OrderEnded(Order(submit.intent).become(OrderStatus.SUBMITTED)))
