"""The trader against the kernel, its fast twin, and against itself when it dies at any command."""

from dataclasses import dataclass, field
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
from omc.trading.exits import Exits
from omc.trading.fill import Fill, Side
from omc.trading.order import Order, OrderIntent, OrderStatus, client_order_id
from omc.trading.settlement import settle
from omc.trading.trader import (
    Command,
    Decide,
    Halt,
    IntentDenied,
    Mandate,
    OrderEnded,
    QuotesArrived,
    Remember,
    Submit,
    Trader,
    WeightsDecided,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
DEPLOYMENT, USER = UUID(int=1), UUID(int=2)
COINS = ("BTC", "XYZ", "ETH")
TERMS = Terms()
CASH = Decimal("10000.00")
NAN = float("nan")


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


def mandate(stop_loss: float = NAN, band: float = 0.0) -> Mandate:
    return Mandate(DEPLOYMENT, USER, COINS, band, Exits(stop_loss=stop_loss), TERMS)


def rebuilt(of: Mandate, books: Books, marks: dict[str, float]) -> Trader:
    rebalance = books.memory.rebalance
    ended = [
        books.orders[name]
        for coin in COINS
        for side in Side
        if rebalance and (name := client_order_id(DEPLOYMENT, rebalance.quoted_at, coin, side)) in books.orders
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


terms = st.tuples(st.sampled_from([NAN, 0.03, 0.1]), st.sampled_from([0.0, 0.05]))


@settings(deadline=None, max_examples=60)
@given(markets(), terms)
def test_a_trader_makes_the_trades_of_the_kernel(
    market: tuple[np.ndarray, np.ndarray, np.ndarray], of: tuple[float, float]
) -> None:
    bid, ask, weights = market
    stop_loss, band = of
    books = play(mandate(stop_loss, band), bid, ask, weights, frozenset())
    twin = simulate(
        Market(bid, ask, bid),
        weights,
        Costs.of(TERMS, COINS, band),
        cash_aud=float(CASH),
        exits=Exits(stop_loss=stop_loss),
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
    market: tuple[np.ndarray, np.ndarray, np.ndarray], of: tuple[float, float], deaths: frozenset[int]
) -> None:
    bid, ask, weights = market
    undisturbed = play(mandate(*of), bid, ask, weights, frozenset())
    died = play(mandate(*of), bid, ask, weights, deaths)
    assert fills(died) == fills(undisturbed)
    assert died.memory == undisturbed.memory
    assert died.account == undisturbed.account


def quotes(minute: int, *prices: float) -> QuotesArrived:
    bid = np.array(prices)
    return QuotesArrived(START + timedelta(minutes=minute), bid, bid)


def trader(memory: TraderMemory | None = None, *, stop_loss: float = NAN) -> Trader:
    return Trader(mandate(stop_loss), memory or TraderMemory(), Account.opened_with(CASH))


def decided(trader: Trader, minute: int, *weights: float) -> list[Command]:
    return trader.handle(WeightsDecided(START + timedelta(minutes=minute), np.array(weights)))


def test_the_first_bar_only_decides() -> None:
    it = trader()
    assert it.handle(quotes(0, 1, 1, 1)) == [Decide(START)]
    (remember,) = decided(it, 0, 0.5, 0, 0)
    assert isinstance(remember, Remember)
    assert remember.memory == TraderMemory(START, START, (0.5, 0, 0), (False,) * 3)
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
    (halt,) = decided(it, 0, *weights)
    assert isinstance(halt, Halt)
    assert why in halt.reason
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


def test_a_stopped_coin_stays_out_until_the_algorithm_wants_none() -> None:
    books = Books()
    it = Trader(mandate(0.1), books.memory, books.account)

    def bar(minute: int, price: float, weight: float) -> TraderMemory:
        todo = it.handle(quotes(minute, price, NAN, NAN))
        while todo:
            match todo.pop(0):
                case Submit(intent):
                    todo += it.handle(OrderEnded(books.carry_out(intent)))
                case Decide():
                    todo += decided(it, minute, weight, 0, 0)
        return it.memory

    bar(0, 100, 0.5)
    assert bar(5, 100, 0.5).targets == (0.5, 0, 0)
    stopped = bar(10, 89, 0.5)
    assert stopped.targets == (0, 0, 0)
    assert stopped.stopped == (True, False, False)
    assert bar(15, 89, 0.5).stopped == (True, False, False)
    assert not it.account.position("BTC").quantity
    assert bar(20, 89, 0.0).stopped == (False,) * 3
    assert bar(25, 89, 0.5).targets == (0.5, 0, 0)


def test_an_order_that_has_not_ended_is_refused() -> None:
    it = trader()
    it.handle(quotes(0, 1, 1, 1))
    decided(it, 0, 0.5, 0, 0)
    _, submit = it.handle(quotes(5, 1, 1, 1))
    assert isinstance(submit, Submit)
    with pytest.raises(ValueError, match="has not ended"):
        it.handle(OrderEnded(Order(submit.intent).become(OrderStatus.SUBMITTED)))
