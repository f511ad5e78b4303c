"""An order whose answer was lost, and of which the venue shows no trace: it is sent again only when it surely was never
carried out, and never will be."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from actors.risk import RiskActor
from omc.errors import OutcomeUnknown, Unavailable
from omc.market.terms import OrderKind
from omc.risk.kill_switch import HaltLevel
from omc.trading.deployment import Mode
from omc.trading.order import Order, OrderStatus
from omc.trading.venue import Absent
from tests.actors.book import Book


class Silent(Book):
    """Its venue loses the next answer, and hides from its lists what a test says."""

    lost: str = ""
    """How the next order fails: "before" it is carried out, "after", "late", or "unsent"."""
    hides = 0
    """How many looks see nothing."""
    slow = 0.0
    held_back: Decimal | None = Decimal(0)
    placed = 0
    looks = 0

    async def open(self, of: Any) -> Any:
        account, book = await self.exchange.open(of), self

        class Eyes:
            slow_s = property(lambda _: book.slow)

            def __getattr__(self, name: str) -> Any:
                return getattr(account, name)

            async def place(self, approved: Any) -> Any:
                book.placed += 1
                how, book.lost = book.lost, ""
                if how == "unsent":
                    raise Unavailable("cannot be reached")
                if how == "late":
                    asyncio.get_running_loop().call_later(0.05, account.take, approved)
                if not how or how == "after":
                    answer = await account.place(approved)
                    if not how:
                        return answer
                raise OutcomeUnknown("no answer")

            async def find(self, *args: Any) -> Any:
                book.looks += 1
                if book.hides:
                    book.hides -= 1
                    return Absent()
                return await account.find(*args)

            async def unlisted(self, coin: str) -> Decimal | None:
                return book.held_back

        return Eyes()

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), venues=self)

    async def sent(self, intent: Any) -> Order:
        async with asyncio.timeout(30):
            order = await self.submit(intent, self.lease)
        assert isinstance(order, Order)
        return order


@pytest.fixture
async def book() -> AsyncIterator[Silent]:
    book = Silent()
    await book.begin()
    yield book
    await book.close()


async def test_what_never_arrived_is_sent_again(book: Silent) -> None:
    book.lost = "before"
    order = await book.sent(book.intent())
    assert (order.status, book.placed, book.bought()) == (OrderStatus.FILLED, 2, Decimal(10))


@pytest.mark.parametrize(("coin", "kind"), [("ETH", OrderKind.MARKET), ("XYZ", OrderKind.INSTANT)])
async def test_what_is_listed_late_is_not_sent_again_for_the_account_shows_it(
    book: Silent, coin: str, kind: OrderKind
) -> None:
    book.lost, book.hides = "after", 20
    order = await book.sent(replace(book.intent(), coin=coin, kind=kind))
    assert (order.status, book.placed, book.bought()) == (OrderStatus.FILLED, 1, Decimal(10))


async def test_what_is_never_listed_and_the_account_shows_waits_for_a_person(book: Silent) -> None:
    book.lost, book.hides = "after", 100_000
    order = await book.sent(book.intent())
    assert (order.status, book.placed) == (OrderStatus.UNRESOLVED, 1)
    assert "the venue lists no trace of it, and it may have it all the same: AUD: our books say 10000.00" in str(
        order.message
    )
    other = await book.sent(replace(book.intent(), coin="BTC", client_order_id="other"))
    assert other.status is OrderStatus.FILLED


async def test_what_is_carried_out_late_is_found_and_not_sent_again(book: Silent) -> None:
    book.lost, book.slow = "late", 0.2
    order = await book.sent(book.intent())
    assert (order.status, book.placed, book.bought()) == (OrderStatus.FILLED, 1, Decimal(10))


async def test_an_old_quote_ends_it_only_when_it_is_known_that_it_never_arrived(book: Silent) -> None:
    book.lost, book.hides = "after", 20
    sending = book.sending(book.intent())
    await book.until(lambda: book.looks > 2)
    book.show(bars=1)
    assert (await sending).status is OrderStatus.FILLED
    assert (book.placed, book.bought()) == (1, Decimal(10))


async def test_what_never_arrived_and_has_an_old_quote_is_rejected(book: Silent) -> None:
    book.lost, book.slow = "before", 0.05
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.looks > 0)
    book.show(bars=1)
    order = await sending
    assert (order.status, order.message) == (
        OrderStatus.REJECTED,
        "it never reached the venue, and its quote is too old to send it again",
    )
    assert (book.placed, book.bought()) == (1, Decimal(0))


@pytest.mark.parametrize(("level", "times"), [(HaltLevel.ALL, 1), (HaltLevel.ADDING, 2)])
async def test_what_a_stop_may_have_taken_off_the_book_is_not_sent_again(
    book: Silent, level: HaltLevel, times: int
) -> None:
    """Whoever carried the stop out has died, and it is reset."""
    book.kill_switch.journal = book.deployments.journal
    book.lost, book.slow = "before", 0.05
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.looks > 0)
    await book.kill_switch.trip(intent.user_id, "enough", level=level)
    await book.kill_switch.reset(intent.user_id)
    order = await sending
    assert book.placed == times
    stopped = "it never reached the venue, and a stop since may have taken it off the book"
    expected = (OrderStatus.REJECTED, stopped) if times == 1 else (OrderStatus.FILLED, None)
    assert (order.status, order.message) == expected


@pytest.mark.parametrize("held_back", [Decimal(30), None])
async def test_what_may_rest_on_the_book_unlisted_is_not_sent_again(book: Silent, held_back: Decimal | None) -> None:
    book.lost, book.held_back = "before", held_back
    order = await book.sent(book.intent())
    assert (order.status, book.placed) == (OrderStatus.UNRESOLVED, 1)
    assert "AUD" in str(order.message)


async def test_what_less_is_held_back_than_it_costs_leaves_it_no_room(book: Silent) -> None:
    book.lost, book.held_back = "before", Decimal("29.99")
    assert (await book.sent(book.intent())).status is OrderStatus.FILLED
    assert book.placed == 2


async def test_where_nothing_left_here_nothing_is_waited_for(book: Silent) -> None:
    book.lost, book.slow = "unsent", 100_000.0
    order = await book.sent(book.intent())
    assert (order.status, book.placed) == (OrderStatus.FILLED, 2)


@pytest.fixture
async def shared() -> AsyncIterator[Silent]:
    book = Silent(mode=Mode.LIVE)
    await book.begin()
    yield book
    await book.close()


async def test_on_an_account_whose_owner_moved_cash_nothing_is_sent_again_before_it_is_known_whose_it_is(
    shared: Silent,
) -> None:
    assert (await shared.sent(shared.intent())).status is OrderStatus.FILLED
    shared.lost = "before"
    shared.wallet.cash_aud += Decimal("5.00")
    second = replace(shared.intent(), client_order_id="second", quoted_at=shared.now + timedelta(seconds=1))
    sending = shared.sending(second)
    await shared.until(lambda: shared.looks > 5 or sending.done())
    assert (shared.is_at(second, OrderStatus.UNKNOWN, OrderStatus.UNRESOLVED), shared.placed) == (True, 2)
    shared.wallet.cash_aud -= Decimal("5.00")
    order = await sending
    assert order.status in (OrderStatus.FILLED, OrderStatus.UNRESOLVED)
    assert shared.bought() == Decimal(20 if order.status is OrderStatus.FILLED else 10)


async def test_a_question_that_the_venue_does_not_answer_keeps_nobody_else_waiting(book: Silent) -> None:
    hangs, never = await book.exchange.open(book.ours), asyncio.Event()

    class Hanging:
        def __getattr__(self, name: str) -> Any:
            return getattr(hangs, name)

        async def balances(self) -> Any:
            await never.wait()

    async def opened(_: Any) -> Any:
        return Hanging()

    book.open = opened  # type: ignore[method-assign]
    ports = replace(book.risk_ports(), call_s=0.01, venues=book)
    desk = RiskActor(ports, retire=lambda: None)
    async with asyncio.timeout(30):
        while not desk.ping().endswith("running"):  # noqa: ASYNC110 - a desk tells nobody
            await asyncio.sleep(0.001)
        with pytest.raises(Unavailable, match=r"the venue shows nothing within 0\.01 s"):
            await desk.balances(book.ours)
    await desk.stop()
