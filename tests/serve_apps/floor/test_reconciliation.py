"""The last comparison is shown with its age; what only a person can tell is told once, by its owner."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.market.terms import OrderKind
from omc.trading.deployment import Mode, trader_name
from omc.trading.fill import Fill, Side
from omc.trading.floor import Reconciliation
from omc.trading.order import OrderIntent, OrderStatus
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.venue_book import HeldOrder
from serve_apps.floor import reconciliation


@pytest.fixture
async def remembered(ports, deploying, clock):
    """A deployment whose account was compared a minute ago, and what was found."""
    made = await deploying()
    deployment = await ports.deployments.get(UUID(made["id"]))
    await ports.venue_book.open(deployment.account, deployment.user_id, {}, frozenset())
    found = Reconciliation(
        deployment.id,
        clock.now(),
        {"AUD": Decimal("9999.50")},
        {"AUD": Decimal("9000.00"), "DOGE": Decimal(3)},
        ("AUD: our books say 9999.50, the venue says 9000.00",),
        account=deployment.account,
        external={"DOGE": Decimal(3)},
        told=("fill f is not ours",),
        closed="AUD: our books claim 9999.50, the venue holds 9000.00",
    )
    await ports.venue_book.compare(deployment.account, found, None)
    clock.advance(timedelta(minutes=1))
    return made


@pytest.fixture
async def held(ports, deploying, clock) -> HeldOrder:
    """An order that could be either of two fills."""
    deployment = await ports.deployments.get(UUID((await deploying())["id"]))
    lease = await ports.blotter.leases.take(trader_name(deployment), "test")
    intent = OrderIntent(
        f"{deployment.id}:held", deployment.id, deployment.user_id, "DOGE", Side.BUY, Decimal(100), OrderKind.MARKET,
        Decimal("0.25"), clock.now(), clock.now(), "a test's",
    )  # fmt: skip
    order = await ports.blotter.submitting(await ports.blotter.begin(intent), lease, ports.risk.risk)
    await ports.blotter.settle(order.become(OrderStatus.UNKNOWN))
    await ports.blotter.settle(order.become(OrderStatus.UNKNOWN).become(OrderStatus.UNRESOLVED, message="two"))
    rows, _ = await ports.blotter.orders(deployment.user_id, deployment.id, 0, 1)
    fills = [
        Fill(name, "DOGE", Side.BUY, Decimal(100), Decimal("25.03"), Decimal("0.025"), clock.now())
        for name in ("one", "other")
    ]
    candidates = tuple(Match(f"venue-{fill.fill_id}", (fill,)) for fill in fills)
    name, account = intent.client_order_id, deployment.account
    waiting = HeldOrder(rows[0].id, name, deployment.user_id, deployment.id, account, clock.now(), candidates)
    await ports.venue_book.hold(waiting)
    return waiting


async def test_the_last_comparison_is_shown_with_its_age(caller, remembered):
    (row,) = (await caller.get("/reconciliation")).json()["items"]
    assert row["age_s"] == 60.0
    assert row["venue"] == {"AUD": "9000.00000000", "DOGE": "3.00000000"}
    assert row["external"] == {"DOGE": "3.00000000"}
    assert row["differences"] == ["AUD: our books say 9999.50, the venue says 9000.00"]
    assert row["closed"].startswith("AUD: our books claim")
    assert (row["account"], row["told"], row["error"]) == (remembered["id"], ["fill f is not ours"], None)


async def test_it_is_compared_anew_when_that_is_asked_for(caller, remembered, ports):
    (row,) = (await caller.get("/reconciliation", now="true")).json()["items"]
    assert (row["age_s"], row["ours"]["AUD"]) == (0.0, "10000.00000000")
    ports.risk.reachable = False
    (row,) = (await caller.get("/reconciliation", deployment_id=remembered["id"], now="true")).json()["items"]
    assert (row["error"], row["differences"]) == ("risk:0 is away", [])
    (row,) = (await caller.get("/reconciliation")).json()["items"]
    assert (row["error"], row["age_s"]) == (None, 60.0)


async def test_the_status_of_a_deployment_says_that_its_account_is_closed(caller, remembered):
    status = (await caller.get(f"/algorithms/{remembered['id']}/status")).json()["data"]
    assert status["account_closed"] == "AUD: our books claim 9999.50, the venue holds 9000.00"


async def test_an_order_that_waits_is_listed_with_all_that_it_could_be(caller, other, held):
    rows = (await caller.get("/reconciliation")).json()["items"]
    (waiting,) = [each for row in rows for each in row["held"]]
    assert (waiting["order_id"], waiting["coin"], waiting["side"]) == (str(held.order_id), "DOGE", "buy")
    assert [each["fills"][0]["fill_id"] for each in waiting["candidates"]] == ["one", "other"]
    assert waiting["candidates"][0]["fills"][0]["total_aud"] == "25.03000000"
    assert (await other.get("/reconciliation")).json()["items"] == []


async def test_its_owner_says_what_it_became(caller, ports, held):
    path = f"/reconciliation/{held.order_id}/resolve"
    answer = await caller.post(path, {"fill_ids": ["one"]}, headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["status"] == "filled"
    assert answer.json()["data"]["filled_quantity"] == "100.00000000"
    rows = (await caller.get("/reconciliation")).json()["items"]
    assert [each for row in rows for each in row["held"]] == []
    kept = await ports.venue_book.held_order(held.order_id, caller.user_id)
    assert kept.resolution == {"fill_ids": ["one"], "venue_order_id": None, "by": str(caller.user_id)}


async def test_none_of_them_is_an_answer_too(caller, held):
    answer = await caller.post(f"/reconciliation/{held.order_id}/resolve", {"none": True})
    assert answer.json()["data"]["status"] == "rejected"


async def test_a_key_is_for_one_request(caller, held, refused):
    path, key = f"/reconciliation/{held.order_id}/resolve", {"Idempotency-Key": "k1"}
    refused(await caller.post(path, {"fill_ids": ["unknown"]}, headers=key), 422, "VALIDATION_ERROR")
    refused(await caller.post(path, {"fill_ids": ["one"]}, headers=key), 409, "CONFLICT")
    assert (await caller.post(path, {"fill_ids": ["one"]})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"none": False},
        {"fill_ids": []},
        {"fill_ids": ["one"], "none": True},
        {"fill_ids": ["one"], "venue_order_id": "venue-one"},
        {"fill_ids": [""]},
        {"fill_ids": "one"},
        {"none": "true"},
        {"other": 1},
    ],
)
async def test_what_says_nothing_or_two_things_is_refused(caller, held, refused, body):
    refused(await caller.post(f"/reconciliation/{held.order_id}/resolve", body), 422, "VALIDATION_ERROR")


async def test_somebody_elses_order_is_not_there(other, held, refused, caller):
    refused(await other.post(f"/reconciliation/{held.order_id}/resolve", {"none": True}), 404, "NOT_FOUND")
    refused(await caller.post(f"/reconciliation/{uuid4()}/resolve", {"none": True}), 404, "NOT_FOUND")


async def test_the_venues_balances_are_accepted_by_their_owner(caller, other, ports, remembered, refused):
    body = {"deployment_id": remembered["id"]}
    refused(await other.post("/reconciliation/accept", body), 404, "NOT_FOUND")
    answer = await caller.post("/reconciliation/accept", body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["closed"] is None
    operation = ports.requests.kept[caller.user_id, "k"].claim.operation
    assert ports.risk.accepted == [(UUID(remembered["id"]), str(caller.user_id), operation)]
    ports.risk.reachable = False
    refused(await caller.post("/reconciliation/accept", body), 503, "UNAVAILABLE")


async def test_a_venue_that_takes_its_time_is_waited_for_by_nobody(caller, ports, remembered, monkeypatch):
    monkeypatch.setattr(reconciliation, "_PERSON_S", 0.01)
    ports.risk.accepting.clear()
    answer = await caller.post("/reconciliation/accept", {"deployment_id": remembered["id"]})
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["closed"].startswith("AUD: our books claim")
    ports.risk.accepting.set()


async def test_an_account_that_several_trade_is_compared_once(caller, ports, remembered):
    first = await ports.deployments.get(UUID(remembered["id"]))
    for number in range(3):
        live = replace(first, id=uuid4(), name=f"live {number}", mode=Mode.LIVE)
        await ports.deployments.create(live)
    rows = (await caller.get("/reconciliation", now="true")).json()["items"]
    assert len({row["deployment_id"] for row in rows}) == len({row["deployment_name"] for row in rows}) == 4
    assert len(ports.risk.reconciled) == 2


async def test_what_could_not_be_compared_since_is_said(caller, ports, remembered, clock):
    deployment = await ports.deployments.get(UUID(remembered["id"]))
    known = await ports.venue_book.known(deployment.account)
    said = replace(known.compared, unread="no answer", closed="no answer")
    await ports.venue_book.compare(deployment.account, said, None)
    (row,) = (await caller.get("/reconciliation")).json()["items"]
    assert (row["error"], row["closed"], row["ours"]) == ("no answer", "no answer", {"AUD": "9999.50000000"})
