from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.errors import InvalidInput, Unavailable, VenueRefused
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import OrderKind, Terms
from omc.trading.fill import Side
from omc.trading.paper.order import Direction, Protection, Unit
from omc.trading.paper.venue import PaperVenue, Span
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)
TERMS = Terms(market_coins=frozenset({"BTC", "ETH"}))


def board(bar=0, **quotes):
    return QuoteBoard(
        START + timedelta(minutes=5 * bar),
        {coin: Quote(coin, Decimal(bid), Decimal(ask), Decimal(bid)) for coin, (bid, ask) in quotes.items()},
    )


@pytest.fixture
def venue():
    venue = PaperVenue(TERMS, coins=["BTC", "ETH", "PEPE", "GONE"])
    venue.show(board(BTC=("99", "101"), ETH=("9", "11"), PEPE=("0.5", "0.6")))
    venue.open_account("me", Decimal("1000.00"))
    return venue


def buy(venue, quantity="1", rate="101", coin="BTC"):
    return venue.place("me", Side.BUY, coin, quantity=Decimal(quantity), price_aud=Decimal(rate))


def sell(venue, quantity="1", rate="99", coin="BTC"):
    return venue.place("me", Side.SELL, coin, quantity=Decimal(quantity), price_aud=Decimal(rate))


def test_a_limit_at_the_ask_fills_at_once_and_pays_the_market_fee(venue):
    order = buy(venue)
    (execution,) = venue.executions
    assert execution.settlement == settle(Side.BUY, Decimal(1), Decimal(101), 10)
    assert execution.order_id == order.order_id
    assert execution.executed_at == START
    wallet = venue.wallet("me")
    assert (wallet.cash_aud, wallet.balance("BTC")) == (Decimal("898.90"), Decimal(1))
    assert not wallet.orders


def test_a_limit_above_the_ask_gets_the_better_quote(venue):
    buy(venue, rate="150")
    assert venue.executions[0].price_aud == 101


def test_a_limit_below_the_ask_rests_holds_its_cash_with_the_fee_and_fills_at_its_limit(venue):
    buy(venue, quantity="2", rate="100")
    wallet = venue.wallet("me")
    assert wallet.cash_aud == 1000
    assert wallet.available("AUD") == Decimal("799.80")
    venue.show(board(1, BTC=("99.5", "100.5")))
    assert not venue.executions
    venue.show(board(2, BTC=("97", "98")))
    (execution,) = venue.executions
    assert (execution.price_aud, execution.executed_at) == (100, START + timedelta(minutes=10))
    assert wallet.cash_aud == wallet.available("AUD") == Decimal("799.80")


def test_a_resting_sale_holds_its_coins(venue):
    buy(venue)
    sell(venue, quantity="0.6", rate="120")
    assert venue.wallet("me").available("BTC") == Decimal("0.4")
    with pytest.raises(VenueRefused, match="Insufficient BTC"):
        sell(venue, quantity="0.5")
    venue.show(board(1, BTC=("121", "123")))
    assert venue.executions[-1].price_aud == 120
    assert venue.wallet("me").balance("BTC") == Decimal("0.4")


def test_a_coin_that_is_not_quoted_now_fills_nothing(venue):
    buy(venue, rate="100")
    venue.show(board(1, ETH=("9", "11")))
    assert len(venue.resting()) == 1
    with pytest.raises(VenueRefused, match="No price"):
        buy(venue)


def test_an_edited_order_moves_its_hold_and_may_fill(venue):
    order = buy(venue, quantity="2", rate="90")
    moved = venue.edit("me", Side.BUY, order.order_id, price_aud=Decimal(90), new_price_aud=Decimal(100))
    assert venue.wallet("me").available("AUD") == Decimal("799.80")
    with pytest.raises(VenueRefused, match="not this order's rate"):
        venue.edit("me", Side.BUY, order.order_id, price_aud=Decimal(90), new_price_aud=Decimal(101))
    with pytest.raises(VenueRefused, match="Insufficient AUD"):
        venue.edit("me", Side.BUY, order.order_id, price_aud=Decimal(100), new_price_aud=Decimal(600))
    venue.edit("me", Side.BUY, order.order_id, price_aud=moved.price_aud, new_price_aud=Decimal(102))
    assert venue.executions[0].price_aud == 101
    assert not venue.resting()


def test_cancelling_gives_the_hold_back_and_knows_its_side(venue):
    order = buy(venue, rate="50")
    with pytest.raises(VenueRefused, match="not found"):
        venue.cancel("me", Side.SELL, order.order_id)
    venue.cancel("me", Side.BUY, order.order_id)
    assert venue.wallet("me").available("AUD") == 1000
    with pytest.raises(VenueRefused, match="not found"):
        venue.cancel("me", Side.BUY, order.order_id)


def test_cancelling_all_is_by_side_and_coin(venue):
    buy(venue, rate="50"), buy(venue, rate="51"), buy(venue, rate="5", coin="ETH")
    assert venue.cancel_all("me", Side.SELL) == 0
    assert venue.cancel_all("me", Side.BUY, "BTC") == 2
    assert venue.cancel_all("me", Side.BUY) == 1


def test_one_customer_cannot_touch_anothers_order(venue):
    order = buy(venue, rate="50")
    venue.open_account("you", Decimal(0))
    with pytest.raises(VenueRefused, match="not found"):
        venue.cancel("you", Side.BUY, order.order_id)


def test_an_instant_buy_for_aud_spends_them_all_and_one_in_a_hundred_and_one_is_the_fee(venue):
    execution = venue.trade_now("me", Side.BUY, "PEPE", amount=Decimal(200), unit=Unit.AUD)
    assert execution.settlement.total_aud == 200
    assert execution.settlement.fee_ex_gst_aud == Decimal("1.80018002")
    assert execution.settlement.gst_aud == Decimal("0.18001800")
    assert venue.wallet("me").cash_aud == 800
    assert execution.kind is OrderKind.INSTANT


def test_an_instant_sale_pays_one_percent_of_the_gross(venue):
    venue.trade_now("me", Side.BUY, "PEPE", amount=Decimal(500), unit=Unit.COIN)
    before = venue.wallet("me").cash_aud
    execution = venue.trade_now("me", Side.SELL, "PEPE", amount=Decimal(500), unit=Unit.COIN)
    assert venue.wallet("me").cash_aud - before == Decimal("247.50")
    assert execution.settlement.fee_aud == Decimal("2.5")


def test_an_instant_sale_for_aud_is_that_much_at_the_bid(venue):
    venue.trade_now("me", Side.BUY, "PEPE", amount=Decimal(500), unit=Unit.COIN)
    assert venue.trade_now("me", Side.SELL, "PEPE", amount=Decimal(100), unit=Unit.AUD).quantity == 200


def test_a_swap_pays_one_fee_and_moves_no_cash(venue):
    venue.trade_now("me", Side.BUY, "PEPE", amount=Decimal(500), unit=Unit.COIN)
    cash = venue.wallet("me").cash_aud
    execution = venue.swap_now("me", "PEPE", "ETH", amount=Decimal(220))
    wallet = venue.wallet("me")
    assert execution.settlement.total_aud == Decimal("108.90")
    assert execution.swapped.quantity == Decimal("9.9")
    assert (wallet.cash_aud, wallet.balance("PEPE"), wallet.balance("ETH")) == (cash, 280, Decimal("9.9"))


@pytest.mark.parametrize(
    ("direction", "shown", "threshold", "refused"),
    [
        (Direction.UP, "0.606", "0", False),
        (Direction.UP, "0.600", "0", True),
        (Direction.UP, "0.600", "1", False),
        (Direction.UP, "0.700", "0", False),
        (Direction.DOWN, "0.700", "5", True),
        (Direction.BOTH, "0.700", "5", True),
        (Direction.BOTH, "0.600", "1", False),
    ],
)
def test_an_instant_order_is_protected_from_the_move_it_names(venue, direction, shown, threshold, refused):
    def order():
        protection = Protection(Decimal(shown), Decimal(threshold), direction)
        venue.trade_now("me", Side.BUY, "PEPE", amount=Decimal(10), unit=Unit.COIN, protection=protection)

    if refused:
        with pytest.raises(VenueRefused, match="threshold"):
            order()
    order() if not refused else None
    assert len(venue.executions) == (not refused)


def instant(venue, amount, unit=Unit.COIN, coin="PEPE", side=Side.BUY):
    return venue.trade_now("me", side, coin, amount=Decimal(amount), unit=unit)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (lambda v: buy(v, quantity="10"), "Insufficient AUD"),
        (lambda v: sell(v), "Insufficient BTC"),
        (lambda v: instant(v, 5000), "Insufficient AUD"),
        (lambda v: instant(v, 5, side=Side.SELL), "Insufficient PEPE"),
        (lambda v: v.swap_now("me", "BTC", "ETH", amount=Decimal(1)), "Insufficient BTC"),
        (lambda v: v.swap_now("me", "BTC", "BTC", amount=Decimal(1)), "itself"),
        (lambda v: buy(v, quantity="0.000000001"), "at most 8 decimals"),
        (lambda v: buy(v, rate="100.000000001"), "at most 8 decimals"),
        (lambda v: instant(v, "10.001", Unit.AUD), "at most 2 decimals"),
        (lambda v: buy(v, quantity="0"), "Invalid amount"),
        (lambda v: buy(v, quantity="-1"), "Invalid amount"),
        (lambda v: buy(v, quantity="NaN"), "Invalid amount"),
        (lambda v: buy(v, quantity="1e40"), "Invalid amount"),
        (lambda v: buy(v, rate="Infinity"), "Invalid rate"),
        (lambda v: buy(v, quantity="0.0001"), "minimum of 1.00"),
        (lambda v: instant(v, "0.99", Unit.AUD), "minimum"),
        (lambda v: buy(v, quantity="10000000", rate="100"), "maximum"),
        (lambda v: buy(v, coin="PEPE"), "Invalid market"),
        (lambda v: buy(v, coin="NOPE"), "Coin not found"),
        (lambda v: instant(v, 5, coin="NOPE"), "Coin not found"),
        (lambda v: instant(v, 5, coin="GONE"), "No price"),
        (lambda v: v.wallet("nobody"), "No such account"),
    ],
)
def test_a_refused_order_changes_nothing(venue, order, message):
    wallet = venue.wallet("me")
    with pytest.raises(VenueRefused, match=message):
        order(venue)
    assert (wallet.cash_aud, wallet.available("AUD"), wallet.orders, venue.executions) == (1000, 1000, {}, [])


def test_the_minimum_is_met_by_whole_cents(venue):
    buy(venue, quantity="0.00990099", rate="101")
    assert venue.executions[0].settlement.total_aud == Decimal("1.00")


def test_an_account_is_opened_once(venue):
    venue.open_account("me", Decimal("5000"))
    assert venue.wallet("me").cash_aud == 1000
    for cash in ("-1", "0.001", "NaN", "1e12"):
        with pytest.raises(InvalidInput):
            venue.open_account("new", Decimal(cash))


def test_a_venue_started_anew_gives_out_other_ids():
    ids = set()
    for run in ("000000", "abcdef"):
        venue = PaperVenue(TERMS, run=run)
        venue.show(board(BTC=("99", "101")))
        venue.open_account("me", Decimal("1000.00"))
        ids |= {buy(venue).order_id, buy(venue).order_id}
    assert len(ids) == 4
    assert all(len(order_id) == 24 and int(order_id, 16) for order_id in ids)


def test_a_venue_without_quotes_is_not_open_yet():
    with pytest.raises(Unavailable):
        PaperVenue(TERMS).quote("BTC")


def test_a_shallow_book_fills_in_parts_over_bars():
    venue = PaperVenue(TERMS, depth_aud=Decimal(100))
    venue.show(board(BTC=("99", "100")))
    venue.open_account("me", Decimal(1000))
    order = buy(venue, quantity="2.5", rate="100")
    assert venue.resting()[0].quantity == Decimal("1.5")
    assert venue.wallet("me").available("AUD") == Decimal("749.75")
    venue.show(board(1, BTC=("99", "100")))
    venue.show(board(2, BTC=("90", "91")))
    assert [each.quantity for each in venue.executions] == [1, 1, Decimal("0.5")]
    assert {each.order_id for each in venue.executions} == {order.order_id}
    assert len({each.execution_id for each in venue.executions}) == 3
    assert not venue.resting()


PRICES = st.tuples(st.integers(1, 500), st.integers(0, 50)).map(lambda p: (str(p[0]), str(p[0] + p[1])))
QUANTITIES = st.decimals("0.00000001", "50", places=8)
SIDES = st.sampled_from(Side)
COINS = st.sampled_from(["BTC", "ETH", "PEPE"])
ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), SIDES, COINS, QUANTITIES, st.decimals("0.5", "600", places=8)),
        st.tuples(st.just("instant"), SIDES, COINS, QUANTITIES),
        st.tuples(st.just("spend"), SIDES, COINS, st.decimals("0.01", "2000", places=2)),
        st.tuples(st.just("swap"), COINS, COINS, QUANTITIES),
        st.tuples(st.just("show"), PRICES, PRICES, PRICES),
        st.tuples(st.just("cancel"), SIDES),
        st.tuples(st.just("edit"), SIDES, st.decimals("0.5", "600", places=8)),
    ),
    max_size=40,
)


def carry_out(venue, order, bar):
    match order:
        case "place", side, coin, quantity, rate:
            venue.place("me", side, coin, quantity=quantity, price_aud=rate)
        case "instant", side, coin, quantity:
            venue.trade_now("me", side, coin, amount=quantity, unit=Unit.COIN)
        case "spend", side, coin, amount:
            venue.trade_now("me", side, coin, amount=amount, unit=Unit.AUD)
        case "swap", coin, other, quantity:
            venue.swap_now("me", coin, other, amount=quantity)
        case "show", btc, eth, pepe:
            venue.show(board(bar, BTC=btc, ETH=eth, PEPE=pepe))
        case "cancel", side:
            venue.cancel_all("me", side)
        case "edit", side, rate:
            for each in venue.resting():
                if each.side is side:
                    venue.edit("me", side, each.order_id, price_aud=each.price_aud, new_price_aud=rate)


@settings(max_examples=150, deadline=None)
@given(ORDERS, st.sampled_from([None, Decimal(50), Decimal("333.33")]))
def test_nothing_is_created_or_destroyed_and_nothing_is_negative(orders, depth):
    venue = PaperVenue(TERMS, depth_aud=depth)
    venue.show(board(BTC=("99", "101"), ETH=("9", "11"), PEPE=("2", "3")))
    wallet = venue.open_account("me", Decimal("5000.00"))
    for bar, order in enumerate(orders, 1):
        before = (wallet.cash_aud, dict(wallet.coins), len(wallet.executions))
        try:
            carry_out(venue, order, bar)
        except VenueRefused:
            assert order[0] == "edit" or before == (wallet.cash_aud, dict(wallet.coins), len(wallet.executions))
        moved = defaultdict(Decimal)
        for each in wallet.executions:
            moved["AUD"] += each.cash_moved_aud
            moved[each.coin] += each.quantity if each.side is Side.BUY else -each.quantity
            if each.swapped:
                moved[each.swapped.coin] += each.swapped.quantity
        assert wallet.cash_aud == 5000 + moved["AUD"]
        assert wallet.cash_aud == wallet.cash_aud.quantize(Decimal("0.01"))
        for coin in ("BTC", "ETH", "PEPE"):
            assert wallet.balance(coin) == moved[coin]
        for coin in ("AUD", "BTC", "ETH", "PEPE"):
            assert 0 <= wallet.available(coin) <= wallet.balance(coin)


# Candles


def candle(bar=1, bid="99", ask="101", low="90", high="110"):
    return board(bar, BTC=(bid, ask)), {"BTC": Span(Decimal(low), Decimal(high))}


@pytest.mark.parametrize(("rate", "fills"), [("90", True), ("110", True), ("89.99", False), ("110.01", False)])
def test_a_stop_or_a_target_trades_at_its_price_where_the_candle_traded_and_is_refused_elsewhere(venue, rate, fills):
    buy(venue)
    venue.show(*candle())
    before = venue.wallet("me").cash_aud
    assert venue.is_inside(Side.SELL, "BTC", Decimal(rate))
    if fills:
        made = venue.trade_inside("me", Side.SELL, "BTC", quantity=Decimal(1), price_aud=Decimal(rate))
        assert made.settlement == settle(Side.SELL, Decimal(1), Decimal(rate), 10)
        assert venue.wallet("me").cash_aud == before + made.settlement.total_aud
    else:
        with pytest.raises(VenueRefused, match="Nothing was traded"):
            venue.trade_inside("me", Side.SELL, "BTC", quantity=Decimal(1), price_aud=Decimal(rate))
        assert venue.wallet("me").cash_aud == before


def test_what_is_not_held_cannot_be_sold_inside_a_candle(venue):
    venue.show(*candle())
    with pytest.raises(VenueRefused, match="Insufficient"):
        venue.trade_inside("me", Side.SELL, "BTC", quantity=Decimal(1), price_aud=Decimal(95))


def test_an_order_at_the_open_or_on_quotes_alone_is_not_inside(venue):
    assert not venue.is_inside(Side.SELL, "BTC", Decimal(95))
    venue.show(*candle())
    assert not venue.is_inside(Side.SELL, "BTC", Decimal(99))
    assert not venue.is_inside(Side.BUY, "BTC", Decimal(101))


def test_a_resting_limit_fills_when_the_candle_comes_to_it(venue):
    buy(venue, rate="92")
    venue.show(*candle(1, low="93"))
    assert not venue.executions
    venue.show(*candle(2, low="91"))
    assert venue.executions[0].price_aud == 92
