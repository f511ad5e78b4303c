"""One order over HTTP: how it stands, its end before its time, its limit moved."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from omc.errors import OutcomeUnknown, Unavailable
from omc.trading.execution import Execution
from omc.trading.order import OrderStatus
from serve_apps.floor.app import PREFIX, build
from tests.actors.book import Book
from tests.actors.orders.test_working import Losing


class Desk:
    """The risk desk of a book, as the app holds it."""

    def __init__(self, book):
        self.book = book

    async def cancel(self, name, why):
        return await self.book.cancel(name, why)

    async def replace(self, name, price_aud):
        return await self.book.move(name, price_aud)


@pytest.fixture
async def book(caller):
    book = Book(depth_aud="6", user_id=caller.user_id, execution=Execution(good_for_s=900.0))
    await book.begin()
    yield book
    await book.close()


@pytest.fixture
def floor(ports, book):
    """The app over that book."""
    return build(replace(ports, blotter=book.blotter, deployments=book.deployments, risk=Desk(book)))


@pytest.fixture
def owner(floor, calling, caller):
    return calling(floor, PREFIX, caller.user_id)


@pytest.fixture
async def resting(book):
    """An order on the book, two coins of it filled, and whoever waits for its end."""
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    return book.blotter._rows[intent.client_order_id].id, sending


async def test_an_order_shows_what_rests_of_it_and_how_far_it_slipped(owner, resting):
    order_id, sending = resting
    shown = (await owner.get(f"/orders/{order_id}")).json()["data"]
    assert (shown["status"], shown["filled_quantity"], shown["good_for_s"]) == ("partial", "2.00000000", 900.0)
    assert (shown["limit_aud"], shown["slice_of"], shown["slices"]) == ("3.00000000", None, None)
    assert shown["slippage_bps"] == pytest.approx(0.0, abs=20)
    assert not sending.done()


async def test_an_order_is_ended_once_however_often_that_is_asked(owner, resting):
    order_id, sending = resting
    first = await owner.post(f"/orders/{order_id}/cancel")
    assert first.status_code == 200, first.text
    assert first.json()["data"]["status"] == "cancelled"
    assert first.json()["data"]["filled_quantity"] == "2.00000000"
    assert first.json()["data"]["message"] == "cancelled by its owner"
    again = await owner.post(f"/orders/{order_id}/cancel")
    assert again.json()["data"] == first.json()["data"]
    assert (await sending).filled_quantity == 2


async def test_what_the_venue_has_not_ended_yet_is_accepted(owner, resting, book, monkeypatch):
    order_id, sending = resting
    monkeypatch.setattr("serve_apps.floor.orders._PATIENCE_S", 0.01)
    entered, leave = asyncio.Event(), asyncio.Event()
    desk_cancel = book.cancel

    async def slow(name, why):
        entered.set()
        await leave.wait()
        return await desk_cancel(name, why)

    book.cancel = slow
    answer = await owner.post(f"/orders/{order_id}/cancel")
    assert entered.is_set()
    assert answer.status_code == 202
    assert answer.json()["data"]["status"] == "partial"
    leave.set()
    assert (await sending).status == "cancelled"


async def test_a_limit_is_moved_and_an_impossible_move_is_a_conflict(owner, book, refused):
    intent = book.intent(price=Decimal("2.95"))
    sending = book.sending(intent)
    await book.until(lambda: book.caught_up(intent))
    order_id = book.blotter._rows[intent.client_order_id].id
    moved = await owner.post(f"/orders/{order_id}/replace", {"price_aud": "2.96"})
    assert moved.json()["data"]["limit_aud"] == "2.96000000"
    refused(await owner.post(f"/orders/{order_id}/replace", {"price_aud": "5000"}), 409, "CONFLICT")
    refused(await owner.post(f"/orders/{order_id}/replace", {"price_aud": 2.5}), 422, "VALIDATION_ERROR")
    await owner.post(f"/orders/{order_id}/cancel")
    await sending
    refused(await owner.post(f"/orders/{order_id}/replace", {"price_aud": "2.97"}), 409, "CONFLICT")


async def test_a_move_of_which_nobody_knows_yet_is_accepted(caller, ports, calling):
    book = Losing(user_id=caller.user_id)
    await book.begin()
    await book.open(book.ours)

    class Asked:
        async def replace(self, name, price_aud):
            return await book.risk().replace(name, price_aud)

    wired = replace(ports, blotter=book.blotter, deployments=book.deployments, risk=Asked())
    owner = calling(build(wired), PREFIX, caller.user_id)
    try:
        intent = book.intent(price=Decimal("2.95"))
        sending = book.sending(intent)
        await book.until(lambda: book.caught_up(intent))
        order_id = book.blotter._rows[intent.client_order_id].id
        book.flaky.lost["replace"] = [("after", OutcomeUnknown("no answer"))]
        book.flaky.lost["find"] = [("before", Unavailable("busy"))] * 1_000_000
        answer = await owner.post(f"/orders/{order_id}/replace", {"price_aud": "2.96"})
        assert (answer.status_code, answer.json()["data"]["status"]) == (202, "replacing")
        book.flaky.lost.clear()
        await book.until(lambda: book.is_at(intent, OrderStatus.ACCEPTED))
        answer = await owner.post(f"/orders/{order_id}/replace", {"price_aud": "2.96"})
        assert (answer.status_code, answer.json()["data"]["limit_aud"]) == (200, "2.96000000")
        await book.cancel(intent.client_order_id)
        await sending
    finally:
        await book.close()


async def test_an_order_in_slices_is_no_order_to_move(owner, book, refused):
    book.ours = replace(book.ours, execution=Execution(slice_above_aud=Decimal(20), slices=4, over_s=1200.0))
    book.deployments.kept[book.ours.id] = book.ours
    intent = book.intent()
    sending = book.sending(intent)
    await book.until(lambda: any(row.order.intent.slice_of for row in book.blotter._rows.values()))
    order_id = book.blotter._rows[intent.client_order_id].id
    refused(await owner.post(f"/orders/{order_id}/replace", {"price_aud": "2.96"}), 409, "CONFLICT")
    await owner.post(f"/orders/{order_id}/cancel")
    await sending


async def test_somebody_elses_order_is_not_there(floor, calling, resting, refused):
    stranger, (order_id, _) = calling(floor, PREFIX), resting
    for identity in (order_id, uuid4()):
        refused(await stranger.get(f"/orders/{identity}"), 404, "NOT_FOUND")
        refused(await stranger.get(f"/orders/{identity}/slices"), 404, "NOT_FOUND")
        refused(await stranger.post(f"/orders/{identity}/cancel"), 404, "NOT_FOUND")
        refused(await stranger.post(f"/orders/{identity}/replace", {"price_aud": "1.00"}), 404, "NOT_FOUND")


async def test_slices_are_listed_with_the_order_that_they_carry_out(owner, book):
    sliced = Execution(slice_above_aud=Decimal(20), slices=4, over_s=0.0)
    book.deployments.kept[book.ours.id] = replace(book.ours, execution=sliced)
    book.exchange.paper._depth_aud = None
    intent = book.intent()
    await book.submit(intent, book.lease)
    order_id = book.blotter._rows[intent.client_order_id].id
    shown = (await owner.get(f"/orders/{order_id}")).json()["data"]
    assert (shown["status"], shown["slices"], shown["filled_quantity"]) == ("filled", 4, "10.00000000")
    parts = (await owner.get(f"/orders/{order_id}/slices", per_page=3)).json()
    assert (parts["total"], len(parts["items"])) == (4, 3)
    assert {part["slice_of"] for part in parts["items"]} == {intent.client_order_id}
    listed = (await owner.get("/orders")).json()
    assert listed["total"] == 5


async def test_a_deployment_says_how_its_orders_are_worked(caller, deploying, refused):
    plain = await deploying()
    assert plain["execution"] == {
        "slice_above_aud": None,
        "slices": 5,
        "over_s": 60.0,
        "style": "twap",
        "good_for_s": 0.0,
        "tolerance_bps": None,
        "routing": "fee",
    }
    wanted = {"slice_above_aud": "500", "slices": 4, "style": "vwap", "good_for_s": 30, "tolerance_bps": 12.5}
    made = await deploying(deployment_name="worked", execution=wanted)
    expected = {**plain["execution"], **wanted, "slice_above_aud": "500.00000000"}
    assert made["execution"] == expected
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["execution"] == expected


@pytest.mark.parametrize(
    "execution",
    [
        {"slices": 1},
        {"slice_above_aud": "0"},
        {"good_for_s": 86401},
        {"style": "iceberg"},
        {"tolerance_bps": -1},
        {"x": 1},
    ],
    ids=str,
)
async def test_a_way_to_work_orders_that_cannot_be_is_refused(caller, algorithm, refused, execution):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "worked",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "100",
        "execution": execution,
    }
    refused(await caller.post("/deploy", body), 422, "VALIDATION_ERROR")
