from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.quote import Quote
from omc.market.terms import OrderKind, Terms
from omc.trading.fill import Side
from omc.trading.routing import Level, route

TERMS = Terms(market_coins=frozenset({"BTC"}))
QUOTE = Quote("BTC", Decimal(99), Decimal(101), Decimal(100))


def levels(*parts: tuple[str, str]) -> list[Level]:
    return [Level(Decimal(price), Decimal(quantity)) for price, quantity in parts]


@pytest.mark.parametrize("side", list(Side))
def test_by_fee_alone_the_book_is_cheaper(side: Side) -> None:
    price = Decimal("102.01") if side is Side.BUY else Decimal("98.01")
    way = route(side, Decimal(1), QUOTE, TERMS, instant_price_aud=price)
    assert way.kind is OrderKind.MARKET
    assert way.market_bps is not None
    assert way.instant_bps is not None
    # Half the spread is a hundredth of the middle, and the fees are 10 and 100.
    assert float(way.market_bps) == pytest.approx(110, abs=0.2)
    assert float(way.instant_bps) == pytest.approx(200, abs=2)
    assert way.reason == f"market: {way.market_bps:.1f} bps on the book against {way.instant_bps:.1f} bps instantly"


def test_a_coin_without_a_market_is_traded_instantly() -> None:
    way = route(Side.BUY, Decimal(1), Quote("XYZ", Decimal(99), Decimal(101), Decimal(100)), TERMS)
    assert (way.kind, way.market_bps) == (OrderKind.INSTANT, None)
    assert way.reason == "instant: no way on the book against not known instantly"


def test_a_price_that_the_venue_does_not_tell_is_not_made_up() -> None:
    way = route(Side.BUY, Decimal(1), QUOTE, TERMS)
    assert (way.kind, way.instant_bps) == (OrderKind.MARKET, None)
    assert way.reason == f"market: {way.market_bps:.1f} bps on the book against not known instantly"
    thin = levels(("101", "1"), ("150", "9"))
    assert route(Side.BUY, Decimal(10), QUOTE, TERMS, book=thin).kind is OrderKind.MARKET


def test_a_thin_book_costs_what_walking_down_it_costs() -> None:
    thin = levels(("101", "1"), ("105", "9"))
    bought, sold = Decimal("102.01"), Decimal("98.01")
    ten = Decimal(10)
    assert route(Side.BUY, Decimal(1), QUOTE, TERMS, book=thin, instant_price_aud=bought).kind is OrderKind.MARKET
    assert route(Side.BUY, ten, QUOTE, TERMS, book=thin, instant_price_aud=bought).kind is OrderKind.INSTANT
    thin = levels(("99", "1"), ("95", "9"))
    assert route(Side.SELL, ten, QUOTE, TERMS, book=thin, instant_price_aud=sold).kind is OrderKind.INSTANT
    # The house's own spread is wider than the book's.
    assert route(Side.SELL, ten, QUOTE, TERMS, book=thin, instant_price_aud=Decimal(94)).kind is OrderKind.MARKET


def test_a_book_that_cannot_fill_it_is_no_way() -> None:
    way = route(Side.BUY, Decimal(2), QUOTE, TERMS, book=levels(("101", "1")))
    assert (way.kind, way.market_bps) == (OrderKind.INSTANT, None)


def test_the_venues_own_price_counts_where_it_is_known() -> None:
    cheap = route(Side.BUY, Decimal(1), QUOTE, TERMS, instant_price_aud=Decimal("99.9"))
    assert cheap.kind is OrderKind.INSTANT


prices = st.integers(1, 10**6).map(lambda cents: Decimal(cents) / 100)


@given(prices, prices, prices, st.sampled_from(Side), st.integers(1, 1000))
def test_the_cheaper_way_is_chosen(one: Decimal, other: Decimal, own: Decimal, side: Side, quantity: int) -> None:
    quote = Quote("BTC", min(one, other), max(one, other), one)
    way = route(side, Decimal(quantity), quote, TERMS, instant_price_aud=own)
    assert way.instant_bps is not None
    if way.market_bps is None:
        assert quantity * quote.bid_aud < 2
        return
    fee = TERMS.fee_bps_of(OrderKind.MARKET)
    on_the_book = quote.ask_aud * (10_000 + fee) if side is Side.BUY else quote.bid_aud * (10_000 - fee)
    dearer = on_the_book - own * 10_000
    assert (way.kind is OrderKind.MARKET) == ((dearer if side is Side.BUY else -dearer) <= 0)
