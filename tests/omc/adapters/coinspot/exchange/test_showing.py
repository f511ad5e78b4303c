from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.coinspot.exchange.showing import Showing
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import Terms
from omc.trading.fill import Side
from omc.trading.paper.order import Unit
from omc.trading.paper.venue import PaperVenue

START = datetime(2025, 1, 1, tzinfo=UTC)
LAG_S = 0.2
ORDERS = st.lists(
    st.tuples(st.sampled_from(["market", "instant", "swap"]), st.integers(1, 9), st.sampled_from([0.0, 0.05, 0.3])),
    max_size=12,
)


def exchange():
    quotes = {coin: Quote(coin, Decimal(9), Decimal(10), Decimal(9)) for coin in ("BTC", "PEPE")}
    venue = PaperVenue(Terms(market_coins=frozenset({"BTC"})), ("BTC", "PEPE"))
    venue.show(QuoteBoard(START, quotes))
    venue.open_account("a", Decimal(10_000))
    return venue


def trade(venue, how, amount):
    if how == "market":
        venue.place("a", Side.BUY, "BTC", quantity=Decimal(amount), price_aud=Decimal(10))
    elif how == "instant" or venue.wallet("a").available("BTC") < amount:
        venue.trade_now("a", Side.BUY, "PEPE", amount=Decimal(amount), unit=Unit.COIN)
    else:
        venue.swap_now("a", "BTC", "PEPE", amount=Decimal(amount))


def facts(wallet):
    coins = {coin: held for coin, held in wallet.coins.items() if held}
    return wallet.cash_aud, coins, [each.execution_id for each in wallet.executions]


@given(ORDERS)
def test_a_list_that_lags_shows_the_account_as_it_was_at_some_moment_within_the_lag(orders):
    venue, showing, now = exchange(), Showing(), 0.0
    wallet = venue.wallet("a")
    history = [(now, deepcopy(wallet))]
    for how, amount, pause in orders:
        now += pause
        trade(venue, how, amount)
        showing.note(venue.executions, now, LAG_S)
        history.append((now, deepcopy(wallet)))
        seen = facts(showing.shown(wallet, showing.hidden(wallet)))
        # What was done longer ago than the lag is there, and nothing else.
        shown = [history[0][1], *(each for at, each in history[1:] if now - at >= LAG_S)]
        assert seen == facts(shown[-1])
    assert facts(wallet) == facts(history[-1][1])


def test_what_was_done_before_the_faults_began_is_never_hidden():
    venue, showing = exchange(), Showing()
    trade(venue, "market", 1)
    showing.begin(venue.executions)
    showing.note(venue.executions, 0.0, LAG_S)
    assert showing.hidden(venue.wallet("a")) == frozenset()


def test_nothing_is_copied_while_all_is_well():
    venue = exchange()
    assert Showing().shown(venue.wallet("a")) is venue.wallet("a")


def test_a_wrong_clock_moves_times_and_nothing_else():
    venue, showing = exchange(), Showing()
    for amount in (1, 2):
        trade(venue, "market", amount)
    first, second = venue.executions
    showing.skew([first.order_id], timedelta(seconds=30))
    seen = showing.shown(venue.wallet("a"))
    assert [each.order_id for each in seen.executions] == [second.order_id, first.order_id]
    assert [each.executed_at for each in seen.executions] == [START, START + timedelta(seconds=30)]
    assert facts(seen)[:2] == facts(venue.wallet("a"))[:2]
    assert venue.executions[0].executed_at == START
