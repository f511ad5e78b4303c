"""Bad input on the floor: named outcomes, told by the deployment, its decisions and its orders; nothing else stops."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from omc.errors import Halted, KeyRefused
from omc.market.quote import QuoteBoard
from omc.market.terms import OrderKind
from omc.risk.limits import Limits
from omc.risk.verdict import DenialReason, Denied
from omc.trading.deployment import DeploymentStatus, Mode, trader_name
from omc.trading.execution import Execution, Routing
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from omc.trading.refusal import Refusal, named
from tests.actors.book import Book
from tests.actors.mortal import COINS, House, Written, deployment, market

S = OrderStatus


@pytest.fixture
async def book() -> AsyncIterator[Book]:
    book = Book()
    await book.begin()
    yield book
    await book.close()


async def told(book: Book) -> str:
    return (await book.deployments.get(book.ours.id)).last_error or ""


class Refusing(Book):
    """Its venue does not take the key any more."""

    async def open(self, of: Any) -> Any:
        account = await self.exchange.open(of)

        class Locked:
            def __getattr__(self, name: str) -> Any:
                return getattr(account, name)

            async def place(self, _: Any) -> Any:
                raise KeyRefused("my/buy: invalid key")

        return Locked()

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), venues=self)


async def test_a_key_that_the_venue_does_not_take_stops_the_trader_with_that_name() -> None:
    book = Refusing()
    await book.begin()
    try:
        with pytest.raises(Halted, match="credentials_refused"):
            await book.submit(book.intent(), book.lease)
        order = await book.order(book.intent())
        assert (order.status, order.message) == (S.REJECTED, "my/buy: invalid key")
        assert await told(book) == "ETH: credentials_refused: my/buy: invalid key"
    finally:
        await book.close()


async def test_cash_that_is_not_at_the_venue_is_a_named_no(book: Book) -> None:
    await book.submit(replace(book.intent("1"), client_order_id="first"), book.lease)
    before = (await book.blotter.account(book.ours.id)).cash_aud
    book.wallet.cash_aud = Decimal(1)
    order = await book.submit(book.intent(), book.lease)
    assert isinstance(order, Order)
    assert (order.status, named(order.message or "")) == (S.REJECTED, Refusal.FUNDS)
    assert await told(book) == "ETH: not_enough_funds: Insufficient AUD funds"
    assert (await book.blotter.account(book.ours.id)).cash_aud == before


async def test_cash_that_is_not_in_our_books_is_our_own_no(book: Book) -> None:
    denied = await book.submit(book.intent("100000"), book.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.NOT_ENOUGH_CASH
    assert book.orders_taken() == 0


async def test_a_coin_that_was_delisted_while_it_was_held_stops_no_other(book: Book) -> None:
    assert (await book.submit(book.intent(), book.lease)).status is S.FILLED
    paper = book.exchange.paper
    paper.coins -= {"ETH"}
    paper._board = QuoteBoard(book.now, {coin: quote for coin, quote in paper.board.quotes.items() if coin != "ETH"})
    sale = await book.submit(book.intent(side=Side.SELL), book.lease)
    assert isinstance(sale, Order)
    assert (sale.status, named(sale.message or "")) == (S.REJECTED, Refusal.NOT_LISTED)
    assert await told(book) == "ETH: coin_not_listed: Coin not found"
    bought = await book.submit(replace(book.intent(), coin="BTC", client_order_id="another"), book.lease)
    assert isinstance(bought, Order)
    assert bought.status is S.FILLED
    assert (await book.blotter.account(book.ours.id)).position("ETH").quantity == 10


async def test_an_order_below_the_minimum_is_a_named_no(book: Book) -> None:
    order = await book.submit(book.intent("0.1"), book.lease)
    assert isinstance(order, Order)
    assert (order.status, named(order.message or "")) == (S.REJECTED, Refusal.TOO_SMALL)


async def test_two_deployments_of_one_account_each_sell_only_what_is_theirs() -> None:
    book = Book(mode=Mode.LIVE)
    book.exchange.paper.open_account(book.ours.account, 2 * book.ours.cash_aud)
    await book.begin()
    second = deployment(2, mode=Mode.LIVE)
    await book.deployments.create(second)
    lease = await book.leases.take(trader_name(second), "test")

    def theirs(quantity: str, side: Side) -> Any:
        return replace(book.intent(quantity, side), deployment_id=second.id, client_order_id=f"theirs {side}")

    try:
        async with asyncio.timeout(30):
            ours, other = await asyncio.gather(
                book.submit(book.intent("10"), book.lease), book.submit(theirs("5", Side.BUY), lease)
            )
            assert [getattr(each, "status", each) for each in (ours, other)] == [S.FILLED, S.FILLED]
            greedy = await book.submit(theirs("15", Side.SELL), lease)
            assert isinstance(greedy, Denied)
            assert greedy.reason is DenialReason.NOT_HELD
            sold = await asyncio.gather(
                book.submit(book.intent("10", Side.SELL), book.lease),
                book.submit(replace(theirs("5", Side.SELL), client_order_id="theirs again"), lease),
            )
            assert [getattr(each, "status", each) for each in sold] == [S.FILLED, S.FILLED]
        assert book.wallet.balance("ETH") == 0
        assert len(book.executions()) == 4
    finally:
        await book.close()


@pytest.mark.parametrize("bars", [1_000_000, -1000], ids=["forward", "back"])
async def test_a_venues_clock_that_jumps_ends_what_rests_and_loses_nothing(bars: int) -> None:
    """Forward, its time is over by the venue's clock; back, it is by ours."""
    book = Book(depth_aud="6", execution=Execution(good_for_s=900.0 if bars > 0 else 0.2))
    await book.begin()
    try:
        async with asyncio.timeout(30):
            intent = book.intent()
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent) or book.is_at(intent, S.EXPIRED))
            book.bar += bars
            paper = book.exchange.paper
            paper._board = QuoteBoard(book.now, paper.board.quotes)
            order = await sending
    finally:
        await book.close()
    assert isinstance(order, Order)
    assert (order.status, order.filled_quantity) == (S.EXPIRED, Decimal(2))
    await book.books_agree()


async def test_an_order_that_is_routed_by_cost_says_why_it_went_its_way() -> None:
    book = Book(execution=Execution(routing=Routing.COST))
    await book.begin()
    try:
        order = await book.submit(book.intent(), book.lease)
        instant = await book.submit(replace(book.intent(), coin="XYZ", client_order_id="x"), book.lease)
    finally:
        await book.close()
    assert isinstance(order, Order)
    assert isinstance(instant, Order)
    assert (order.intent.kind, instant.intent.kind) == (OrderKind.MARKET, OrderKind.INSTANT)
    assert "market: " in order.intent.reason
    assert "bps on the book against" in order.intent.reason


async def test_an_order_that_the_book_cannot_fill_goes_the_other_way() -> None:
    book = Book(depth_aud="6", execution=Execution(routing=Routing.COST))
    await book.begin()
    try:
        order = await book.submit(book.intent(), book.lease)
    finally:
        await book.close()
    assert isinstance(order, Order)
    assert (order.intent.kind, order.status, order.filled_quantity) == (OrderKind.INSTANT, S.FILLED, Decimal(10))
    assert "instant: " in order.intent.reason
    await book.books_agree()


async def test_a_trader_tells_in_its_decisions_what_was_refused_and_trades_the_other_coins() -> None:
    tape, weights = market(6, seed=3, gaps=0.0)
    weights[:] = np.array([0.3, 0.0, 0.3])
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = House(tape, lambda *_: Written(written))
    # ETH leaves the venue's list, not its board: nobody knows until an order is refused.
    house.exchange.paper.terms = replace(
        house.exchange.paper.terms, market_coins=house.exchange.paper.terms.market_coins - {"ETH"}
    )
    tight = deployment(limits=Limits(Decimal(1_000_000), Decimal(1_000_000), Decimal(1_000_000)))
    try:
        await house.play(tight)
        entries, _ = await house.blotter.journal(tight.user_id, tight.id, ("decision",), 0, 50)
        stored = await house.deployments.get(tight.id)
    finally:
        await house.close()
    whys = [entry.data["why"] for entry in entries]
    assert any("coin_not_listed: Invalid market" in why["ETH"] for why in whys)
    assert not any("not filled whole" in why["BTC"] for why in whys)
    assert {order.coin for order, _ in ((fill, price) for fill, price in house.fills(tight))} == {"BTC"}
    assert stored.status is DeploymentStatus.ACTIVE
    assert set(COINS) == set(whys[0])
