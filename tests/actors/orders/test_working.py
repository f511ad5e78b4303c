"""Orders that rest on a book: worked to their end, whoever dies and whatever answer is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from omc.errors import Conflict, OutcomeUnknown, Unavailable
from omc.risk.verdict import DenialReason, Denied
from omc.trading.deployment import DeploymentStatus, Mode, trader_name
from omc.trading.execution import Execution
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from tests.actors.book import Book
from tests.actors.mortal import Fuse, deployment

RESTING = Execution(good_for_s=900.0)
S = OrderStatus


@pytest.fixture
async def book() -> AsyncIterator[Book]:
    book = Book(depth_aud="6", execution=RESTING)
    await book.begin()
    yield book
    await book.close()


async def expiring(book: Book) -> Order:
    """Two coins a bar are to be had; after three bars its time is over."""
    intent = book.intent()
    sending = book.sending(intent)
    for _ in range(3):
        await book.until(lambda: book.caught_up(intent))
        book.show(bars=1)
    await sending
    return await book.order(intent)


async def cancelled(book: Book) -> Order:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    ended = await book.cancel(intent.client_order_id)
    assert await sending == ended == await book.order(intent)
    return ended


async def moved(book: Book) -> Order:
    """It rests below the market, and trades once it is moved there."""
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    assert book.bought() == 0
    await book.move(intent.client_order_id, "3.00")
    await book.until(lambda: book.caught_up(intent) and book.bought() == 2)
    await book.cancel(intent.client_order_id)
    await sending
    return await book.order(intent)


async def filled(book: Book) -> Order:
    intent = book.intent("4")
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    book.show(bars=1)
    await sending
    return await book.order(intent)


Scenario = Callable[[Book], Awaitable[Order]]
SCENARIOS: dict[str, tuple[Scenario, OrderStatus, str]] = {
    "expiring": (expiring, S.EXPIRED, "8"),
    "cancelled": (cancelled, S.CANCELLED, "2"),
    "moved": (moved, S.CANCELLED, "2"),
    "filled": (filled, S.FILLED, "4"),
}


async def played(scenario: Scenario, fuse: Fuse | None = None) -> tuple[Book, Order]:
    book = Book(depth_aud="6", fuse=fuse, execution=RESTING)
    await book.begin()
    try:
        async with asyncio.timeout(30):
            return book, await scenario(book)
    finally:
        await book.close()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_an_order_that_rests_is_worked_to_its_end(name: str) -> None:
    scenario, status, quantity = SCENARIOS[name]
    book, order = await played(scenario)
    assert (order.status, order.filled_quantity) == (status, Decimal(quantity))
    assert book.orders_taken() == 1
    await book.books_agree()


@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_death_at_every_single_call_changes_nothing_of_it(name: str, sign: int) -> None:
    scenario, status, quantity = SCENARIOS[name]
    undisturbed, _ = await played(scenario)
    calls = undisturbed.risk_fuse.calls
    assert calls > 15
    for number in range(1, calls + 1):
        book, order = await played(scenario, Fuse([sign * number]))
        assert (order.status, order.filled_quantity) == (status, Decimal(quantity)), f"died at call {number}"
        assert book.orders_taken() == 1, f"died at call {number}"
        await book.books_agree()


async def test_what_is_to_be_done_is_written_ahead(book: Book) -> None:
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    await book.move(intent.client_order_id, "2.96")
    assert (await book.order(intent)).price_aud == Decimal("2.96")
    await book.cancel(intent.client_order_id)
    await sending
    entries, _ = await book.blotter.journal(intent.user_id, intent.deployment_id, (), 0, 50)
    kinds = [entry.kind for entry in reversed(entries) if entry.kind not in ("deployment", "position", "pnl")]
    assert kinds == ["intent", "submitted", "accepted", "replacing", "accepted", "cancelling", "cancelled"]


async def test_ending_an_order_twice_ends_it_once(book: Book) -> None:
    first = await cancelled(book)
    assert await book.cancel(first.intent.client_order_id) == first


async def test_while_one_order_rests_its_account_trades_on() -> None:
    ours = {"mode": Mode.LIVE, "execution": RESTING}
    book = Book(depth_aud="6", **ours)
    book.exchange.paper.open_account(book.ours.account, 2 * book.ours.cash_aud)
    await book.begin()
    second = deployment(2, mode=Mode.LIVE)
    await book.deployments.create(second)
    lease = await book.leases.take(trader_name(second), "test")
    try:
        async with asyncio.timeout(30):
            intent = book.intent(price=Decimal("2.95"))
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent))
            theirs = replace(book.intent("1"), deployment_id=second.id, client_order_id="theirs")
            answer = await book.submit(theirs, lease)
            assert isinstance(answer, Order)
            assert answer.status is S.FILLED
            assert not sending.done()
            # What one deployment bought is nothing that another may sell.
            sale = replace(book.intent("1", Side.SELL), client_order_id="not ours")
            denied = await book.submit(sale, book.lease)
            assert isinstance(denied, Denied)
            assert denied.reason is DenialReason.NOT_HELD
            await book.cancel(intent.client_order_id)
            assert (await sending).filled_quantity == 0
    finally:
        await book.close()


async def test_what_rests_of_a_deployment_that_is_paused_is_taken_off_the_book(book: Book) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    await book.deployments.set_status(book.ours.id, DeploymentStatus.PAUSED, "by hand")
    order = await sending
    assert (order.status, order.message, order.filled_quantity) == (S.CANCELLED, "the deployment is paused", Decimal(2))
    await book.books_agree()


async def test_what_rests_when_a_desk_dies_keeps_nobody_from_its_coin() -> None:
    book = Book(depth_aud="6", mode=Mode.LIVE, execution=RESTING)
    book.exchange.paper.open_account(book.ours.account, 2 * book.ours.cash_aud)
    await book.begin()
    second = deployment(2, mode=Mode.LIVE)
    await book.deployments.create(second)
    lease = await book.leases.take(trader_name(second), "test")
    try:
        async with asyncio.timeout(30):
            intent = book.intent(price=Decimal("2.95"))
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent))
            book.bury()
            theirs = replace(book.intent("1"), deployment_id=second.id, client_order_id="theirs")
            answer = await book.submit(theirs, lease)
            assert isinstance(answer, Order)
            assert answer.status is S.FILLED
            assert book.is_at(intent, S.ACCEPTED)
            ended = await book.cancel(intent.client_order_id)
            assert ended.status is S.CANCELLED
            await sending
    finally:
        await book.close()


class Flaky:
    """An account that loses the next answers of a call, after it acted or before it could."""

    def __init__(self, account: Any) -> None:
        self._account = account
        self.lost: dict[str, list[tuple[str, Exception]]] = {}
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._account, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def called(*args: Any) -> Any:
            self.asked.append(name)
            when, fault = self.lost[name].pop(0) if self.lost.get(name) else ("", None)
            if fault and when == "before":
                raise fault
            answer = await method(*args)
            if fault:
                raise fault
            return answer

        return called


class Losing(Book):
    def __init__(self, **changes: Any) -> None:
        super().__init__(depth_aud="6", execution=RESTING, **changes)
        self.flaky: Flaky | None = None

    async def open(self, of: Any) -> Any:
        self.flaky = self.flaky or Flaky(await self.exchange.open(of))
        return self.flaky

    def risk_ports(self) -> Any:
        return replace(super().risk_ports(), venues=self)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", [OutcomeUnknown("no answer"), Unavailable("busy")], ids=["unknown", "unavailable"])
@pytest.mark.parametrize("call", ["place", "find", "cancel", "replace"])
@pytest.mark.parametrize("name", ["expiring", "cancelled", "filled"])
async def test_no_lost_answer_is_guessed_at(name: str, call: str, fault: Exception, when: str) -> None:
    scenario, status, quantity = SCENARIOS[name]
    book = Losing()
    await book.begin()
    await book.open(book.ours)
    assert book.flaky is not None
    book.flaky.lost[call] = [(when, fault)] * 2
    try:
        async with asyncio.timeout(30):
            order = await scenario(book)
    finally:
        await book.close()
    assert (order.status, order.filled_quantity) == (status, Decimal(quantity))
    await book.books_agree()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_move_whose_answer_is_lost_is_where_the_book_shows_it(when: str) -> None:
    book = Losing()
    await book.begin()
    await book.open(book.ours)
    assert book.flaky is not None
    book.flaky.lost["replace"] = [(when, OutcomeUnknown("no answer"))]
    intent = book.intent(price=Decimal("2.95"))
    try:
        async with asyncio.timeout(30):
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent))
            if when == "before":
                with pytest.raises(Conflict, match="not moved"):
                    await book.move(intent.client_order_id, "2.96")
            else:
                await book.move(intent.client_order_id, "2.96")
            stands = {each.price_aud for each in book.wallet.orders.values()}
            assert stands == {(await book.order(intent)).price_aud} == {Decimal("2.95" if when == "before" else "2.96")}
            await book.cancel(intent.client_order_id)
            await sending
    finally:
        await book.close()
    await book.books_agree()


async def test_a_fill_that_overtakes_the_cancel_is_kept() -> None:
    book = Losing()
    await book.begin()
    await book.open(book.ours)
    assert book.flaky is not None
    intent = book.intent("4")
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    book.flaky.lost["cancel"] = [("before", Unavailable("busy"))] * 1_000_000
    ending = asyncio.create_task(book.cancel(intent.client_order_id))
    await book.until(lambda: book.is_at(intent, S.CANCELLING))
    book.show(bars=1)
    book.flaky.lost.clear()
    order = await ending
    assert (await sending) == order
    assert (order.status, order.filled_quantity) == (S.FILLED, Decimal(4))
    assert order.filled_quantity == book.bought()
    await book.books_agree()
    await book.close()


async def test_an_order_that_somebody_else_took_off_the_book_is_cancelled(book: Book) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    book.wallet.orders.clear()
    order = await sending
    assert (order.status, order.filled_quantity) == (S.CANCELLED, Decimal(2))
    assert "nobody here asked" in (order.message or "")


async def test_an_emergency_stop_ends_what_rests_and_sells_what_it_bought(book: Book) -> None:
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    await book.kill_switch.trip(intent.user_id, "enough")
    await book.deployments.pause_all(intent.user_id, "enough")
    report = await book.halt(intent.user_id, True)
    assert (await sending).status is S.CANCELLED
    assert report.problems == ()
    assert book.wallet.balance("ETH") == 0
    await book.books_agree()


async def test_only_what_rests_can_be_moved(book: Book) -> None:
    done = await cancelled(book)
    with pytest.raises(Conflict, match="does not rest"):
        await book.move(done.intent.client_order_id, "3.00")


async def test_a_move_that_our_risk_book_refuses_changes_nothing(book: Book) -> None:
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    with pytest.raises(Conflict, match="may not be moved"):
        await book.move(intent.client_order_id, "5000")
    assert book.is_at(intent, S.ACCEPTED)
    await book.cancel(intent.client_order_id)
    await sending


async def test_a_venue_that_moves_no_order_has_it_cancelled_and_placed_anew() -> None:
    book = Losing()
    await book.begin()
    await book.open(book.ours)
    assert book.flaky is not None
    flaky, account = book.flaky, book.flaky._account

    class Fixed(Flaky):
        @property
        def capabilities(self) -> Any:
            return replace(account.capabilities, replace=False)

    book.flaky = Fixed(account)
    intent = book.intent("4", price=Decimal("2.95"))
    try:
        async with asyncio.timeout(30):
            sending = book.sending(intent)
            await book.until(lambda: book.caught_up(intent))
            await book.move(intent.client_order_id, "3.00")
            await book.until(lambda: book.bought() == 2)
            book.show(bars=1)
            order = await sending
    finally:
        await book.close()
    assert (order.status, order.filled_quantity) == (S.FILLED, Decimal(4))
    assert (await book.order(intent)).status is S.CANCELLED
    assert "replace" not in flaky.asked
    assert book.orders_taken() == 2
    await book.books_agree()
