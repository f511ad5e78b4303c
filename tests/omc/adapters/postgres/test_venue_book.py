"""What a venue showed besides our own orders is remembered once, whoever asks for it and however often."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.adapters.postgres.venue_book import PostgresVenueBook
from omc.clock import ManualClock
from omc.errors import Conflict, NotFound
from omc.market.terms import OrderKind
from omc.trading.deployment import MemoryDeploymentStore
from omc.trading.fill import Fill, Side
from omc.trading.floor import Reconciliation
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.steps import AdoptFill, AdoptMovement, AdoptOrder
from omc.trading.reconciliation.venue_book import HeldOrder, MemoryVenueBook, VenueBook
from tests.omc.adapters.postgres.house import NOON, House

SOLD = ListedFill(
    Fill("theirs-1", "BTC", Side.SELL, Decimal("0.5"), Decimal("40000.00"), Decimal("40.04"), NOON),
    OrderKind.MARKET,
    "theirs",
)
RESTING = ListedOrder("resting", "ETH", Side.BUY, Decimal(3), Decimal(2500))
DEPOSIT = AdoptMovement("AUD", Decimal("1000.00"))
FOUND = (AdoptFill(SOLD), AdoptOrder(RESTING), DEPOSIT)


@pytest.fixture
def book(house: House) -> VenueBook:
    if house.database is not None:
        return PostgresVenueBook(house.database)
    assert isinstance(house.deployments, MemoryDeploymentStore)
    return MemoryVenueBook(house.clock or ManualClock(NOON), house.deployments.journal)


async def opened(book: VenueBook, house: House, before: Sequence[str] = ()) -> tuple[str, UUID]:
    user_id = await house.user()
    account = f"coinspot:{user_id}"
    await book.open(account, user_id, {"AUD": Decimal("5000.00"), "BTC": Decimal("1.5")}, frozenset(before), NOON)
    return account, user_id


async def kinds(house: House, user_id: UUID) -> list[str]:
    entries, _ = await house.blotter.journal(user_id, None, (), 0, 50)
    return [entry.kind for entry in reversed(entries)]


async def test_an_account_is_opened_once(book: VenueBook, house: House) -> None:
    account, user_id = await opened(book, house, ["old-1", "old"])
    await book.open(account, user_id, {"AUD": Decimal(1)}, frozenset({"other"}), NOON - timedelta(days=1))
    known = await book.known(account)
    assert known is not None
    assert known.opening == {"AUD": Decimal("5000.00"), "BTC": Decimal("1.5")}
    assert (known.user_id, known.outside, known.movements) == (user_id, {}, 0)
    assert known.looked_until is known.compared is None
    assert known.opened_from == NOON
    assert await book.external(account, NOON, ()) == {"old-1", "old"}
    assert await book.known("nobody's") is None
    assert await book.external("nobody's", NOON, ["old"]) == frozenset()


async def test_what_others_did_counts_once_and_is_journaled(book: VenueBook, house: House) -> None:
    account, user_id = await opened(book, house)
    assert await book.adopt(account, FOUND, movements=0) == 3
    assert await book.adopt(account, FOUND, movements=0) == 0
    known = await book.known(account)
    assert known is not None
    assert known.outside == {"AUD": Decimal("41000.00"), "BTC": Decimal("-0.5")}
    assert known.movements == 1
    assert await book.external(account, NOON, ["resting", "unknown"]) == {"theirs-1", "resting"}
    # Of what is long over only what is asked for is told: there is more and more of it.
    later = NOON + timedelta(seconds=1)
    assert await book.external(account, later, ()) == frozenset()
    assert await book.external(account, later, ["theirs-1"]) == {"theirs-1"}
    assert await kinds(house, user_id) == ["external"] * 3
    assert await book.adopt(account, [DEPOSIT], movements=1) == 1
    again = await book.known(account)
    assert again is not None
    assert again.outside["AUD"] == Decimal("42000.00")


async def test_what_cancels_out_is_gone(book: VenueBook, house: House) -> None:
    account, _ = await opened(book, house)
    await book.adopt(account, [DEPOSIT], movements=0)
    await book.adopt(account, [AdoptMovement("AUD", Decimal("-1000.00"))], movements=1)
    known = await book.known(account)
    assert known is not None
    assert {coin: held for coin, held in known.outside.items() if held} == {}


async def test_two_accounts_may_show_the_same_ids(book: VenueBook, house: House) -> None:
    one, _ = await opened(book, house)
    other, _ = await opened(book, house)
    assert await book.adopt(one, FOUND[:1], movements=0) == 1
    assert await book.external(other, NOON, ["theirs-1"]) == frozenset()
    assert await book.adopt(other, FOUND[:1], movements=0) == 1


async def test_an_account_that_was_never_looked_at_has_nothing_to_adopt(book: VenueBook) -> None:
    with pytest.raises(NotFound):
        await book.adopt("nobody's", FOUND, movements=0)


async def held(book: VenueBook, house: House) -> HeldOrder:
    deployment = await house.deployed()
    order = await house.sent(deployment)
    rows, _ = await house.blotter.orders(deployment.user_id, deployment.id, 0, 1)
    waiting = HeldOrder(
        order_id=rows[0].id,
        client_order_id=order.intent.client_order_id,
        user_id=deployment.user_id,
        deployment_id=deployment.id,
        account=deployment.account,
        held_at=NOON,
        candidates=(Match("theirs", (SOLD.fill,)), Match("resting", (), RESTING), Match(None, (SOLD.fill,))),
    )
    await book.hold(waiting)
    return waiting


async def test_an_order_waits_for_a_person_with_all_that_it_could_be(book: VenueBook, house: House) -> None:
    waiting = await held(book, house)
    (found,) = await book.held(user_id=waiting.user_id)
    assert replace(found, held_at=NOON) == waiting
    assert waiting.ids == {"theirs", "theirs-1", "resting"}
    assert [each.order_id for each in await book.held(account=waiting.account)] == [waiting.order_id]
    assert await book.held(user_id=uuid4()) == []
    await book.hold(replace(waiting, candidates=waiting.candidates[:1]))
    assert (await book.held_order(waiting.order_id, waiting.user_id)).candidates == waiting.candidates[:1]
    for order_id, user_id in ((uuid4(), waiting.user_id), (waiting.order_id, uuid4())):
        with pytest.raises(NotFound):
            await book.held_order(order_id, user_id)


async def test_a_decision_is_taken_once_and_journaled(book: VenueBook, house: House) -> None:
    waiting = await held(book, house)
    decision = {"fill_ids": ["theirs-1"], "venue_order_id": None, "by": "somebody"}
    await book.resolve(waiting.client_order_id, decision)
    await book.resolve(waiting.client_order_id, decision)
    assert await book.held(user_id=waiting.user_id) == []
    assert (await book.held_order(waiting.order_id, waiting.user_id)).resolution == decision
    with pytest.raises(Conflict, match="decided already: fills theirs-1"):
        await book.resolve(waiting.client_order_id, {**decision, "fill_ids": []})
    await book.hold(waiting)
    await book.hold(replace(waiting, candidates=waiting.candidates[:1]))
    assert await book.held(user_id=waiting.user_id) == []
    assert (await book.held_order(waiting.order_id, waiting.user_id)).candidates == waiting.candidates
    assert (await kinds(house, waiting.user_id)).count("resolved") == 1


async def test_an_order_that_was_decided_waits_again_for_what_nobody_decided_about(
    book: VenueBook, house: House
) -> None:
    waiting = await held(book, house)
    decision = {"fill_ids": ["theirs-1"], "venue_order_id": None, "by": "somebody"}
    await book.resolve(waiting.client_order_id, decision)
    more = (Match("more", (replace(SOLD.fill, fill_id="more-1"),)),)
    await book.hold(replace(waiting, candidates=more))
    (again,) = await book.held(user_id=waiting.user_id)
    assert (again.candidates, again.resolution) == (more, None)
    await book.resolve(waiting.client_order_id, {**decision, "fill_ids": []})
    assert await book.held(user_id=waiting.user_id) == []


async def test_a_comparison_is_remembered_and_told_when_it_says_something_else(book: VenueBook, house: House) -> None:
    account, user_id = await opened(book, house)
    equal = Reconciliation(
        deployment_id=uuid4(),
        compared_at=datetime(2025, 3, 1, 12, tzinfo=UTC),
        ours={"AUD": Decimal("999.10"), "BTC": Decimal("0.00000001")},
        venue={"AUD": Decimal("999.10"), "BTC": Decimal("0.00000001")},
        differences=(),
        account=account,
        external={"AUD": Decimal(1)},
        told=("fill theirs-1 is somebody else's",),
    )
    await book.compare(account, equal, NOON)
    known = await book.known(account)
    assert known is not None
    assert (known.compared, known.looked_until) == (equal, NOON)
    short = replace(
        equal, differences=("BTC: too little",), waiting=("an order",), closed="BTC: too little", unread="it"
    )
    await book.compare(account, short, None)
    await book.compare(account, replace(short, compared_at=NOON + timedelta(hours=1)), None)
    known = await book.known(account)
    assert known is not None
    assert known.compared == replace(short, compared_at=NOON + timedelta(hours=1))
    assert known.looked_until == NOON
    await book.compare(account, equal, NOON + timedelta(hours=2))
    assert await kinds(house, user_id) == ["reconciliation"] * 2


async def test_the_first_answer_of_an_operation_is_kept(book: VenueBook) -> None:
    mine = uuid4()
    assert await book.answered(mine) is None
    said = Reconciliation(uuid4(), NOON, {"AUD": Decimal("1.00")}, {"AUD": Decimal("1.00")}, (), "an account")
    await book.answer(mine, said)
    await book.answer(mine, replace(said, account="another"))
    assert await book.answered(mine) == said
    assert await book.answered(uuid4()) is None
