"""Reconciliation on the floor, without Ray: whatever an account shows that we did not know is mended, adopted, or held
for a person, and nothing is sent for an account whose books cannot be believed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from omc.errors import Conflict, InvalidInput, NotFound, StaleLease, Unavailable
from omc.risk.verdict import Approved, DenialReason, Denied
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.floor import Choice
from omc.trading.lease import Lease
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.venue_book import HeldOrder
from omc.trading.venue import Placed
from tests.actors.mortal import START, USER, Died, FusedVenues
from tests.actors.reconciling.accounts import (
    ONE,
    OWNER_CASH,
    PAPER,
    TIMEOUT,
    TWO,
    Floor,
    in_doubt,
    until,
)


async def test_what_the_owner_held_before_us_is_theirs_and_never_ours(floor: Floor) -> None:
    floor.by_hand(ONE.account, Side.BUY, "BTC", "0.1")
    desk = await floor.up()
    compared = await desk.reconcile(ONE.id)
    assert compared.differences == ()
    assert compared.ours == {"AUD": Decimal("20000.00")}
    assert compared.external["BTC"] == Decimal("0.1")
    bought = await floor.sends(desk, floor.intent(ONE, coin="BTC", quantity="0.01"))
    assert isinstance(bought, Order)
    compared = await desk.reconcile(TWO.id)
    assert (compared.differences, compared.external["BTC"]) == ((), Decimal("0.1"))
    assert compared.ours["BTC"] == Decimal("0.01")
    assert await floor.kinds("external") == []


async def test_what_the_owner_does_besides_is_adopted_and_told_once(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE))
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    floor.exchange.paper.place(ONE.account, Side.BUY, "ETH", quantity=Decimal(5), price_aud=Decimal(1))
    floor.exchange.paper.wallet(ONE.account).cash_aud += 500
    compared = await desk.reconcile(ONE.id)
    assert (compared.differences, compared.closed) == ((), None)
    assert compared.external["XYZ"] == 1000
    assert sorted(text.split()[0] for text in compared.told) == ["500.00", "fill", "open"]
    assert await floor.kinds("external") == ["external"] * 3
    assert (await (await floor.up()).reconcile(TWO.id)).told == ()
    assert await floor.kinds("external") == ["external"] * 3
    assert len(floor.exchange.paper.wallet(ONE.account).orders) == 1
    assert await floor.blotter.unsettled() == []


async def test_an_owner_who_sells_our_coins_closes_the_account_until_they_accept_it(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(ONE, quantity="100"))
    await floor.sends(desk, floor.intent(TWO, quantity="50"))
    floor.by_hand(ONE.account, Side.SELL, "ETH", "120")
    compared = await desk.reconcile(ONE.id)
    assert compared.closed == "ETH: our books claim 150, the venue holds 30"
    denied = await floor.sends(desk, floor.intent(TWO, row=1, coin="BTC", quantity="0.01"))
    assert isinstance(denied, Denied)
    assert (denied.reason, denied.message) == (DenialReason.ACCOUNT_CLOSED, compared.closed)
    on_paper = await floor.sends(desk, floor.intent(PAPER))
    assert isinstance(on_paper, Order)

    compared = await desk.accept(ONE.id, "its owner")
    assert (compared.differences, compared.closed, compared.ours["ETH"]) == ((), None, Decimal(30))
    assert await floor.kinds("synthetic") == ["synthetic"] * 2
    floor.leases_of[TWO.id] = Lease(trader_name(TWO), await floor.leases.current(trader_name(TWO)))
    bought = await floor.sends(desk, floor.intent(TWO, row=2, coin="BTC", quantity="0.01"))
    assert isinstance(bought, Order)
    assert (await (await floor.up()).reconcile(ONE.id)).differences == ()


async def test_a_paper_account_is_ours_alone_and_all_that_was_done_there_is_accepted_as_ours(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(PAPER))
    wallet = floor.exchange.paper.wallet(PAPER.account)
    wallet.coins["ETH"] += 7
    wallet.cash_aud -= Decimal("30.00")
    compared = await desk.reconcile(PAPER.id)
    assert compared.differences == (
        f"AUD: our books say {wallet.cash_aud + 30:f}, the venue says {wallet.cash_aud:f}",
        "ETH: our books say 100, the venue says 107",
    )
    compared = await desk.accept(PAPER.id, "its owner")
    assert (compared.differences, compared.closed, compared.external) == ((), None, {})
    account = await floor.blotter.account(PAPER.id)
    assert (account.cash_aud, account.position("ETH").quantity) == (wallet.cash_aud, Decimal(107))
    assert await desk.accept(PAPER.id, "its owner") == replace(await desk.reconcile(PAPER.id), told=())
    assert await floor.kinds("synthetic") == ["synthetic"]


async def test_a_fill_that_we_missed_is_counted_for_its_order_and_its_trader_looks_anew(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(PAPER.id)
    intent = floor.intent(PAPER)

    class Named:
        """The venue's answer, without the fill."""

        def __getattr__(self, name: str) -> Any:
            return getattr(floor.accounts[PAPER.account], name)

        async def place(self, approved: Any) -> Any:
            placed = await floor.accounts[PAPER.account].account.place(approved)
            return replace(placed, fills=())

    desk = await floor.up(venues=_Only(Named()))
    order = await floor.sends(desk, intent)
    assert isinstance(order, Order)
    assert (order.status, order.fills) == (OrderStatus.CANCELLED, ())
    compared = await desk.reconcile(PAPER.id)
    assert (compared.differences, compared.ours["ETH"]) == ((), Decimal(100))
    assert compared.told == (f"order {intent.client_order_id} had 1 fill that we had missed",)
    settled = await floor.blotter.order(intent.client_order_id)
    assert settled is not None
    assert (settled.status, settled.filled_quantity) == (OrderStatus.CANCELLED, Decimal(100))
    with pytest.raises(StaleLease):
        await floor.sends(desk, floor.intent(PAPER, row=1))


class _Only:
    def __init__(self, venue: Any) -> None:
        self._venue = venue

    async def open(self, _: Deployment) -> Any:
        return self._venue


async def test_an_order_that_could_be_two_things_waits_for_a_person_and_others_go_on(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    order, waiting = await in_doubt(floor, desk)
    assert len(waiting.candidates) == 2
    compared = await desk.reconcile(ONE.id)
    assert compared.waiting == (order.intent.client_order_id,)
    for of in (ONE, TWO):
        denied = await floor.sends(desk, floor.intent(of, row=1, coin="XYZ", quantity="10"))
        assert isinstance(denied, Denied)
        assert denied.reason is DenialReason.UNRESOLVED
    bought = await floor.sends(desk, floor.intent(ONE, row=2))
    assert isinstance(bought, Order)
    assert bought.status is OrderStatus.FILLED
    again = await floor.up()
    assert (await again.reconcile(ONE.id)).waiting == (order.intent.client_order_id,)
    with pytest.raises(Conflict, match="first it must be known"):
        await again.accept(ONE.id, "its owner")


@pytest.mark.parametrize("ours", [True, False], ids=["one of them", "none"])
async def test_a_person_says_what_it_became(floor: Floor, ours: bool) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    order, waiting = await in_doubt(floor, desk)
    name = order.intent.client_order_id
    chosen = (waiting.candidates[0].fills[0].fill_id,) if ours else ()
    with pytest.raises(InvalidInput, match="no fill that order"):
        await desk.resolve(name, Choice(("somebody's",)), "its owner")
    every = tuple(fill.fill_id for each in waiting.candidates for fill in each.fills)
    with pytest.raises(InvalidInput, match="come to 2000"):
        await desk.resolve(name, Choice(every), "its owner")
    settled = await desk.resolve(name, Choice(chosen), "its owner")
    assert settled.status is (OrderStatus.FILLED if ours else OrderStatus.REJECTED)
    assert await desk.resolve(name, Choice(chosen), "its owner") == settled
    with pytest.raises(Conflict, match="decided already"):
        await desk.resolve(name, Choice(() if ours else (every[0],)), "its owner")
    compared = await desk.reconcile(ONE.id)
    assert (compared.differences, compared.waiting, compared.closed) == ((), (), None)
    assert compared.external["XYZ"] == (1000 if ours else 2000)
    assert await floor.kinds("resolved") == ["resolved"]
    lease = await floor.leases.current(trader_name(ONE))
    floor.leases_of[ONE.id] = Lease(trader_name(ONE), lease)
    assert isinstance(await floor.sends(desk, floor.intent(ONE, row=3, coin="XYZ", quantity="10")), Order)


async def test_a_decision_whose_maker_died_is_carried_out_by_the_next(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    order, waiting = await in_doubt(floor, desk)
    fill_id = waiting.candidates[1].fills[0].fill_id
    said = {"fill_ids": [fill_id], "venue_order_id": None, "by": "its owner"}
    await floor.venue_book.resolve(order.intent.client_order_id, said)
    compared = await (await floor.up()).reconcile(ONE.id)
    assert (compared.differences, compared.waiting) == ((), ())
    settled = await floor.blotter.order(order.intent.client_order_id)
    assert settled is not None
    assert [fill.fill_id for fill in settled.fills] == [fill_id]


async def listed_nowhere(floor: Floor) -> Order:
    """An instant order on paper that the venue said it took, and shows no trace of."""
    order = await floor.blotter.begin(floor.intent(PAPER, coin="XYZ", quantity="1000"))
    risk = await floor.leases.take("risk:0", "dead")
    order = await floor.blotter.submitting(order, floor.leases_of[PAPER.id], risk)
    order = await floor.blotter.settle(order.become(OrderStatus.UNKNOWN))
    return await floor.blotter.settle(order.become(OrderStatus.UNRESOLVED, message="listed nowhere"))


async def test_an_order_that_is_listed_nowhere_is_over_when_nothing_is_missing(floor: Floor) -> None:
    order = await listed_nowhere(floor)
    desk = await floor.up(reconcile_quiet_s=0.01)
    # At first its silence means nothing yet.
    assert (await desk.reconcile(PAPER.id)).waiting == (order.intent.client_order_id,)

    async def over() -> bool:
        return (await desk.reconcile(PAPER.id)).waiting == ()

    await until(over)
    assert (await desk.reconcile(PAPER.id)).differences == ()
    settled = await floor.blotter.order(order.intent.client_order_id)
    assert settled is not None
    assert (settled.status, settled.fills) == (OrderStatus.CANCELLED, ())


async def test_a_person_decides_about_one_that_is_listed_nowhere_when_cash_is_missing(floor: Floor) -> None:
    order = await listed_nowhere(floor)
    wallet = floor.exchange.paper.wallet(PAPER.account)
    wallet.cash_aud -= Decimal("400.00")
    wallet.coins["XYZ"] = Decimal(1000)
    desk = await floor.up(reconcile_quiet_s=0.01)

    async def held() -> list[HeldOrder]:
        compared = await desk.reconcile(PAPER.id)
        assert (compared.waiting, compared.closed) == ((order.intent.client_order_id,), None)
        return await floor.venue_book.held(user_id=USER)

    await until(held)
    (waiting,) = await held()
    assert waiting.candidates == ()
    settled = await desk.resolve(order.intent.client_order_id, Choice(), "its owner")
    assert settled.status is OrderStatus.REJECTED
    assert (await desk.reconcile(PAPER.id)).closed is not None
    compared = await desk.accept(PAPER.id, "its owner")
    assert (compared.differences, compared.closed, compared.ours["XYZ"]) == ((), None, Decimal(1000))


async def test_the_books_are_compared_by_themselves_once_a_bar_has_been_traded(floor: Floor) -> None:
    desk = await floor.up(reconcile_quiet_s=0.01)
    order = await floor.sends(desk, floor.intent(PAPER))
    assert isinstance(order, Order)

    async def compared() -> bool:
        known = await floor.venue_book.known(PAPER.account)
        return known is not None and known.compared is not None and known.compared.ours.get("ETH") == 100

    await until(compared)


async def test_an_order_that_does_not_wait_cannot_be_decided(floor: Floor) -> None:
    desk = await floor.up()
    order = await floor.sends(desk, floor.intent(ONE))
    assert isinstance(order, Order)
    with pytest.raises(NotFound):
        await desk.resolve(order.intent.client_order_id, Choice(), "its owner")


@pytest.mark.parametrize("fault", [TIMEOUT, Unavailable("maintenance")], ids=["unknown", "unavailable"])
async def test_nothing_is_sent_before_the_books_were_compared_and_others_trade(floor: Floor, fault: Exception) -> None:
    floor.accounts[ONE.account].before["report"] = [fault] * 1_000_000
    desk = await floor.up()
    with pytest.raises(Unavailable, match=f"account {ONE.account} is closed: {fault}"):
        await desk.submit(floor.intent(ONE), floor.leases_of[ONE.id])
    assert isinstance(await floor.sends(desk, floor.intent(PAPER)), Order)
    assert floor.accounts[ONE.account].account.placed == []
    floor.accounts[ONE.account].before.clear()
    assert isinstance(await floor.sends(desk, floor.intent(ONE)), Order)


async def test_a_report_with_a_number_that_is_none_is_refused_whole(floor: Floor) -> None:
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    good = await floor.accounts[ONE.account].account.report(START)
    broken = VenueReport(good.since, {**good.balances, "ETH": Decimal("NaN")}, good.working, good.fills)
    floor.accounts[ONE.account].instead["report"] = [broken] * 1_000_000
    desk = await floor.up()
    with pytest.raises(Unavailable, match="cannot be used: the balance of ETH is NaN"):
        await desk.reconcile(ONE.id)
    assert await floor.venue_book.external(ONE.account, START - timedelta(days=1), ()) == frozenset()


async def test_accounts_are_read_though_nobody_quotes(floor: Floor) -> None:
    class Silent:
        async def newest(self) -> Any:
            raise Unavailable("the collector is away")

    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    compared = await (await floor.up(quotes=Silent())).reconcile(ONE.id)
    assert (compared.differences, compared.told, compared.external["XYZ"]) == ((), (), Decimal(1000))
    floor.exchange.paper.wallet(ONE.account).cash_aud += 500
    compared = await (await floor.up(quotes=Silent())).reconcile(ONE.id)
    assert (compared.differences, compared.told) == ((), ("500.00 AUD came by no order",))


async def test_a_clock_that_jumped_hides_no_fill(floor: Floor) -> None:
    """The quotes once bore tomorrow's time."""
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    known = await floor.venue_book.known(ONE.account)
    assert known is not None
    assert known.compared is not None
    await floor.venue_book.compare(ONE.account, known.compared, START + timedelta(days=1))
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    compared = await desk.reconcile(ONE.id)
    assert (compared.differences, compared.external["XYZ"]) == ((), Decimal(1000))
    assert any(text.endswith("(buy 1000 XYZ) is not ours") for text in compared.told)


async def test_accounts_are_compared_by_themselves_from_time_to_time(floor: Floor) -> None:
    desk = await floor.up(reconcile_every_s=0.01)
    await desk.reconcile(ONE.id)
    floor.exchange.paper.wallet(ONE.account).cash_aud += 500

    async def adopted() -> bool:
        known = await floor.venue_book.known(ONE.account)
        return known is not None and known.outside.get("AUD") == 500

    await until(adopted)
    known = await floor.venue_book.known(ONE.account)
    assert known is not None
    assert known.compared is not None
    assert known.compared.differences == ()


async def test_a_shortage_that_goes_away_opens_the_account_again(floor: Floor) -> None:
    desk = await floor.up(reconcile_every_s=0.01)
    await floor.sends(desk, floor.intent(PAPER))
    wallet = floor.exchange.paper.wallet(PAPER.account)
    wallet.coins["ETH"] -= 1
    assert (await desk.reconcile(PAPER.id)).closed is not None
    wallet.coins["ETH"] += 1

    tries = count(1)

    async def bought() -> bool:
        intent = floor.intent(PAPER, row=next(tries), coin="BTC", quantity="0.001")
        return isinstance(await floor.sends(desk, intent), Order)

    await until(bought)


async def test_a_stopped_deployments_cash_is_its_owners_again(floor: Floor) -> None:
    desk = await floor.up()
    await floor.sends(desk, floor.intent(TWO))
    await floor.deployments.set_status(TWO.id, DeploymentStatus.STOPPED, "for good")
    left = (await floor.blotter.account(TWO.id)).cash_aud
    compared = await desk.reconcile(ONE.id)
    assert compared.external["AUD"] == OWNER_CASH - ONE.cash_aud - TWO.cash_aud + left
    floor.exchange.paper.wallet(ONE.account).cash_aud -= compared.external["AUD"]
    compared = await desk.reconcile(ONE.id)
    assert (compared.differences, compared.closed) == ((), None)
    assert compared.ours["ETH"] == 100


async def test_an_emergency_stop_leaves_the_owners_own_orders_on_the_book(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    paper = floor.exchange.paper
    theirs = paper.place(ONE.account, Side.BUY, "ETH", quantity=Decimal(5), price_aud=Decimal(1)).order_id
    too_low = replace(floor.intent(ONE), quote_price_aud=Decimal("0.05"), good_for_s=3600.0)
    resting = asyncio.create_task(floor.sends(desk, too_low))

    async def rests() -> bool:
        return len(paper.wallet(ONE.account).orders) == 2

    await until(rests)
    report = await desk.halt(USER, liquidate=False)
    assert report.problems == ()
    order = await resting
    assert isinstance(order, Order)
    assert order.status is OrderStatus.CANCELLED
    assert list(paper.wallet(ONE.account).orders) == [theirs]


async def test_a_desk_that_was_replaced_changes_nothing(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    floor.exchange.paper.wallet(ONE.account).cash_aud += 500
    await floor.leases.take("risk:0", "its successor")
    with pytest.raises(Unavailable, match="replaced"):
        await desk.reconcile(ONE.id)
    assert await floor.kinds("external") == []


def left(house: Floor) -> Any:
    """All that must be the same, whoever died while it was found out: books, orders, and what the journal tells."""
    journal = [(entry.kind, entry.data.get("what")) for _, entry in house.deployments.journal.lines]
    told = sorted(map(str, (each for each in journal if each[0] in ("external", "synthetic", "resolved"))))
    orders = {name: (row.order.status, row.order.fills) for name, row in house.blotter._rows.items()}
    return house.blotter._accounts[ONE.id], orders, told


async def reconciled_though_it_dies(at: Sequence[int]) -> tuple[Floor, Any]:
    """An account of which a fill of ours was missed, and on which its owner bought, ordered and paid in."""
    floor = Floor()
    await floor.begin()
    intent = floor.intent(ONE)
    order = await floor.blotter.begin(intent)
    risk = await floor.leases.take("risk:0", "dead")
    order = await floor.blotter.submitting(order, floor.leases_of[ONE.id], risk)
    await floor.venue_book.open(ONE.account, USER, {"AUD": OWNER_CASH}, frozenset())
    placed = await floor.accounts[ONE.account].account.place(Approved(intent))
    assert isinstance(placed, Placed)
    await floor.blotter.settle(order.become(OrderStatus.CANCELLED).known_as(placed.venue_order_id))
    floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    floor.exchange.paper.place(ONE.account, Side.BUY, "ETH", quantity=Decimal(5), price_aud=Decimal(1))
    floor.exchange.paper.wallet(ONE.account).cash_aud += 500
    floor.risk_fuse.at = at
    while True:
        desk = floor.desk(venues=FusedVenues(floor, floor.risk_fuse))
        try:
            await desk._task
            compared = await desk.reconcile(ONE.id)
            break
        except (Died, Unavailable):
            for task in (desk._task, *desk._settling):
                task.cancel()
            await asyncio.sleep(0)
    for task in (desk._task, *desk._settling):
        task.cancel()
    await floor.close()
    return floor, compared


@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
async def test_a_death_at_every_single_call_of_a_reconciliation_changes_nothing_of_its_outcome(sign: int) -> None:
    undisturbed, compared = await reconciled_though_it_dies([])
    assert (compared.differences, compared.closed) == ((), None)
    wanted = left(undisturbed)
    assert [kind for kind in wanted[2] if "external" in kind] == [
        "('external', 'fill')",
        "('external', 'movement')",
        "('external', 'order')",
    ]
    calls = undisturbed.risk_fuse.calls
    assert calls > 30
    for number in range(1, calls + 1):
        house, compared = await reconciled_though_it_dies([sign * number])
        assert (compared.differences, compared.closed) == ((), None), f"died at call {number}"
        assert left(house) == wanted, f"died at call {number}"


async def test_an_order_in_doubt_is_held_though_nothing_trades_its_account_any_more(floor: Floor) -> None:
    """The desk that sent it died, and everything was paused before the next one looked."""
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    intent = floor.intent(ONE, coin="XYZ", quantity="1000")
    order = await floor.blotter.begin(intent)
    risk = Lease("risk:0", await floor.leases.current("risk:0"))
    await floor.blotter.submitting(order, floor.leases_of[ONE.id], risk)
    for _ in range(2):
        floor.by_hand(ONE.account, Side.BUY, "XYZ", "1000")
    await floor.deployments.pause_all(USER, "enough")
    await floor.up()

    async def held() -> list[HeldOrder]:
        return await floor.venue_book.held(user_id=USER)

    await until(held)
    (waiting,) = await held()
    assert (waiting.client_order_id, len(waiting.candidates)) == (intent.client_order_id, 2)
