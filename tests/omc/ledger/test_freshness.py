from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.ledger.freshness import FROZEN_AFTER, FROZEN_AFTER_FEW, MANY, REMEMBERED, Doubt, Freshness
from omc.market.quote import Quote, QuoteBoard

START = datetime(2025, 1, 1, tzinfo=UTC)
FEW, PLENTY = ("BTC", "ETH"), tuple(f"C{number}" for number in range(MANY))


def board(price, minutes=0.0, coins=FEW, faults=()):
    quotes = {coin: Quote(coin, Decimal(price), Decimal(price + 1), Decimal(price)) for coin in coins}
    return QuoteBoard(START + timedelta(minutes=minutes), quotes, faults)


def having_seen(*boards):
    fresh = Freshness()
    for each in boards:
        fresh.take(each)
    return fresh


def test_a_board_that_shows_something_new_is_not_doubted():
    fresh = having_seen(board(1, 0), board(2, 5))
    assert fresh.doubt(board(3, 10)) is fresh.doubt(board(3, 10), next_bar=True) is None


@pytest.mark.parametrize("next_bar", [False, True])
def test_a_board_that_goes_back_to_an_earlier_one_is_stale(next_bar):
    fresh = having_seen(board(1, 0), board(2, 5), board(3, 10))
    assert fresh.doubt(board(1, 15), next_bar=next_bar) is Doubt.STALE
    assert fresh.doubt(board(2, 15), next_bar=next_bar) is Doubt.STALE


def test_of_few_coins_it_is_believed_in_the_end_and_of_many_never():
    assert Freshness().believable(board(1), Doubt.STALE)
    assert not Freshness().believable(board(1, coins=PLENTY), Doubt.STALE)
    for doubt in (None, Doubt.STILL, Doubt.SPOILED):
        assert Freshness().believable(board(1, coins=PLENTY), doubt)
    assert not Freshness().believable(board(1), Doubt.BACKWARDS)
    assert not Freshness().believable(board(1), Doubt.AHEAD)


def test_an_hour_of_boards_is_remembered_and_no_more():
    fresh = Freshness()
    for number in range(1, 1001):
        fresh.take(board(number, number * 5 / 60, PLENTY))
    assert fresh.doubt(board(1000 - 33, 1001 * 5 / 60, PLENTY)) is Doubt.STALE
    assert fresh.doubt(board(1001 - REMEMBERED, 1001 * 5 / 60, PLENTY)) is Doubt.STALE
    assert fresh.doubt(board(1000 - REMEMBERED, 1001 * 5 / 60, PLENTY)) is None


def test_after_its_clock_was_set_back_a_source_begins_anew_and_old_boards_are_still_old():
    fresh = having_seen(board(1, 600, PLENTY), board(2, 605, PLENTY))
    assert fresh.doubt(board(3, 0, PLENTY)) is Doubt.BACKWARDS
    fresh.set_back(board(3, 0).time)
    fresh.take(board(3, 0, PLENTY))
    assert not fresh.frozen
    assert fresh.doubt(board(4, 1, PLENTY)) is None
    assert fresh.doubt(board(1, 1, PLENTY)) is Doubt.STALE


def test_the_same_board_again_is_doubted_only_where_a_bar_has_passed():
    fresh = having_seen(board(1, 0))
    assert fresh.doubt(board(1, 1)) is None
    assert fresh.doubt(board(1, 5), next_bar=True) is Doubt.STILL


def test_a_board_older_than_its_predecessor_is_backwards_whatever_it_shows():
    fresh = having_seen(board(1, 5))
    assert fresh.doubt(board(2, 4)) is Doubt.BACKWARDS
    assert fresh.doubt(board(2, 5)) is None


def test_quotes_that_have_just_become_unusable_are_doubted_once():
    fresh = having_seen(board(1, 0))
    spoiled = board(2, 1, coins=("BTC",), faults=("ETH: bid is 'NaN', not a number",))
    assert fresh.doubt(spoiled) is Doubt.SPOILED
    fresh.take(spoiled)
    assert fresh.doubt(board(3, 2, coins=("BTC",), faults=spoiled.faults)) is None
    assert fresh.doubt(board(3, 2, coins=())) is None


def test_over_bars_a_coin_that_comes_back_spoiled_is_doubted_too():
    fresh = having_seen(board(1, 0), board(2, 5, coins=("BTC",)))
    spoiled = board(3, 10, coins=("BTC",), faults=("ETH: the bid is above the ask",))
    assert fresh.doubt(spoiled) is None
    assert fresh.doubt(spoiled, next_bar=True) is Doubt.SPOILED
    assert fresh.doubt(board(3, 10, coins=("BTC",)), next_bar=True) is None


@pytest.mark.parametrize(("coins", "patience"), [(FEW, FROZEN_AFTER_FEW), (PLENTY, FROZEN_AFTER)])
def test_a_feed_in_which_nothing_changes_is_frozen_until_something_does(coins, patience):
    minutes = patience / timedelta(minutes=1)
    fresh = having_seen(board(1, 0, coins), board(1, minutes - 0.1, coins))
    assert (fresh.frozen, fresh.changed_at) == (False, START)
    fresh.take(board(1, minutes, coins))
    assert (fresh.frozen, fresh.changed_at) == (True, START)
    fresh.take(board(2, minutes + 0.1, coins))
    assert (fresh.frozen, fresh.changed_at) == (False, fresh.newest_at)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=30))
def test_what_is_handed_on_is_never_an_earlier_board_while_it_is_doubted(prices):
    fresh, taken = Freshness(), []
    for minute, price in enumerate(prices):
        each = board(price, minute, PLENTY)
        doubt = fresh.doubt(each)
        if fresh.believable(each, doubt):
            fresh.take(each)
            taken.append(price)
    changes = [price for at, price in enumerate(taken) if at == 0 or taken[at - 1] != price]
    assert len(changes) == len(set(changes))


def test_a_source_that_was_never_read_is_not_frozen():
    assert not Freshness().frozen
