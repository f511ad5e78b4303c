"""Faults switched on and off through the control API, and what the exchange shows and keeps meanwhile."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.plan import FaultPlan, Spans

ALWAYS = {"seed": 1, "rate": 1}


async def on(wire, **plan):
    answer = await wire.control("POST", "faults", {**ALWAYS, **plan})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def off(wire):
    return (await wire.control("POST", "faults", {})).json()


async def test_off_there_is_nothing_to_tell(wire):
    told = (await wire.control("GET", "faults")).json()
    assert (told["on"], told["seed"], told["total"], told["counts"], told["faults"]) == (False, None, 0, {}, [])
    assert set(told["harmless"]) == set(FaultKind) - {"partial-fill", "clock-skew"}


async def test_every_fault_is_told_with_its_request_and_the_bar(wire):
    await wire.step()
    told = await on(wire, kinds=["html"], most=2)
    assert (told["on"], told["seed"], told["rate"], told["kinds"], told["most"]) == (True, 1, 1, ["html"], 2)
    assert "html" in (await wire.get("/pubapi/v2/latest")).headers["content-type"]
    assert "html" in (await wire.post("/api/v2/ro/my/balances")).headers["content-type"]
    assert (await wire.get("/pubapi/v2/latest")).json()["status"] == "ok"
    told = await off(wire)
    assert (told["on"], told["total"], told["counts"]) == (False, 2, {"html": 2})
    assert told["faults"] == [
        {"kind": "html", "method": "GET", "path": "/pubapi/v2/latest", "account": "", "position": 1},
        {"kind": "html", "method": "POST", "path": "/api/v2/ro/my/balances", "account": "demo", "position": 1},
    ]
    assert (await on(wire))["total"] == 0


@pytest.mark.parametrize(
    "plan",
    [
        {"rate": 0.5},
        {"seed": "1"},
        {"seed": True},
        {"seed": -1},
        {"seed": 1, "rate": "much"},
        {"seed": 1, "rate": 2},
        {"seed": 1, "account_rate": True},
        {"seed": 1, "kinds": "html"},
        {"seed": 1, "kinds": ["gremlins"]},
        {"seed": 1, "kinds": [1]},
        {"seed": 1, "most": 0.5},
        {"seed": 1, "most": -1},
        {"seed": 1, "lots": True},
    ],
)
async def test_a_plan_that_is_none_is_refused_and_changes_nothing(wire, plan):
    answer = await wire.control("POST", "faults", plan)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert (await wire.control("GET", "faults")).json()["on"] is False


async def test_nobody_switches_them_without_the_token(wire):
    for method in ("GET", "POST"):
        assert (await wire.control(method, "faults", {}, token="wrong")).status_code == 401


async def test_the_control_itself_never_fails_and_a_wrong_key_is_nobodys_account(wire):
    await on(wire)
    for _ in range(20):
        assert (await wire.control("GET", "clock")).status_code == 200
        assert (await wire.post("/api/v2/status", key="unknown")).json()["message"] == "invalid key"
    assert (await off(wire))["total"] == 0


async def test_what_is_not_carried_out_spends_no_nonce_and_what_is_does(wire):
    nonces = []
    for kind in ("nonce-refused", "rate-limited", "error-before", "html", "maintenance", "error-after"):
        await on(wire, kinds=[kind], most=1)
        await wire.post("/api/v2/status")
        nonces.append(wire.app.ring.keys["demo-key"].last_nonce)
        await off(wire)
    assert nonces == [0, 0, 0, 0, 0, 6]


async def test_a_429_says_when_to_come_back(wire):
    await on(wire, kinds=["rate-limited"])
    pauses = {(await wire.get("/pubapi/v2/latest")).headers["retry-after"] for _ in range(10)}
    assert pauses == {"0", "1"}


async def test_without_a_connection_to_close_a_caller_is_told_that_it_broke(wire):
    await on(wire, kinds=["dropped"], most=1)
    with pytest.raises((ConnectionAbortedError, httpx.HTTPError)):
        await wire.get("/pubapi/v2/latest")


async def test_balances_and_fills_that_lag_are_the_account_before_its_newest_orders(wire):
    venue = wire.app.venue
    await on(wire, kinds=["lagging-balances", "lagging-fills"])
    for coin, path in (("BTC", "my/buy"), ("ETH", "my/buy")):
        rate = 100 if coin == "BTC" else 10
        assert (await wire.post(f"/api/v2/{path}", cointype=coin, amount=2, rate=rate)).json()["status"] == "ok"
    rows = (await wire.post("/api/v2/ro/my/orders/completed")).json()
    assert rows["buyorders"] == []
    balances = (await wire.post("/api/v2/ro/my/balances")).json()["balances"]
    assert balances == [{"AUD": {"balance": 10000, "audbalance": 10000, "rate": 1}}]
    assert venue.wallet("demo").coins == {"BTC": 2, "ETH": 2}
    told = await off(wire)
    assert told["counts"] == {"lagging-balances": 1, "lagging-fills": 1}
    rows = (await wire.post("/api/v2/ro/my/orders/completed")).json()
    assert len(rows["buyorders"]) == 2


async def test_lists_that_lag_know_in_the_end(wire):
    wire.app.control.faults.begin(FaultPlan(1, 1.0, frozenset({FaultKind.LAGGING_FILLS})), [])
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=2, rate=100)
    seen = 0
    while not seen:
        seen = len((await wire.post("/api/v2/ro/my/orders/completed")).json()["buyorders"])
    assert seen == 1


async def test_a_wrong_clock_stamps_an_order_for_good_and_the_same_each_time(wire):
    await on(wire, kinds=["clock-skew"], most=2)
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=1, rate=100)
    resting = (await wire.post("/api/v2/my/buy", cointype="BTC", amount=1, rate=50)).json()["id"]
    await off(wire)
    await wire.post("/api/v2/my/buy", cointype="ETH", amount=1, rate=10)
    rows = [(await wire.post("/api/v2/ro/my/orders/completed")).json()["buyorders"] for _ in range(2)]
    assert rows[0] == rows[1]
    times = {row["coin"]: row["solddate"] for row in rows[0]}
    assert times["ETH"] == "2025-01-01T00:00:00.000Z" != times["BTC"]
    assert [row["solddate"] for row in rows[0]] == sorted(times.values(), reverse=True)
    (open_order,) = (await wire.post("/api/v2/ro/my/orders/market/open")).json()["buyorders"]
    assert open_order["id"] == resting
    assert open_order["created"] != "2025-01-01T00:00:00.000Z"
    assert all(each.executed_at == wire.app.venue.time for each in wire.app.venue.executions)


async def test_a_thin_book_fills_a_part_and_the_rest_waits(wire):
    await on(wire, kinds=["partial-fill"], most=1)
    order_id = (await wire.post("/api/v2/my/buy", cointype="BTC", amount=50, rate=100)).json()["id"]
    assert (await off(wire))["counts"] == {"partial-fill": 1}
    (execution,) = wire.app.venue.executions
    (rest,) = wire.app.venue.resting()
    assert rest.order_id == order_id
    assert execution.quantity + rest.quantity == 50
    assert execution.quantity * 100 >= Decimal(2)
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=1, rate=100)
    assert [each.quantity for each in wire.app.venue.executions[1:]] == [1]


async def test_a_stale_board_is_one_that_somebody_saw(wire):
    await on(wire, kinds=["stale-prices"])
    boards = []
    for _ in range(5):
        boards.append((await wire.get("/pubapi/v2/latest")).json()["prices"]["btc"]["bid"])
        await wire.step()
    told = await off(wire)
    assert boards[0] == "99"
    assert all(int(bid) < 99 + bar for bar, bid in enumerate(boards) if bar)
    assert told["counts"] == {"stale-prices": 4}


def strike(wire, kind, **spans):
    """The next request that it fits gets it, and none after that."""
    plan = FaultPlan(1, 1.0, frozenset({kind}), most=1, spans=Spans(**spans))
    wire.app.control.faults.begin(plan, wire.app.venue.executions)


async def cut_off(wire, path, **fields):
    with pytest.raises((ConnectionAbortedError, httpx.HTTPError)):
        await wire.post(path, **fields)


async def test_what_is_carried_out_late_has_spent_its_nonce_and_comes_after_later_requests(wire):
    strike(wire, FaultKind.CARRIED_OUT_LATE, late_s=0.05)
    await cut_off(wire, "/api/v2/my/buy", cointype="BTC", amount=2, rate=100)
    assert wire.app.ring.keys["demo-key"].last_nonce == 1
    assert (await wire.post("/api/v2/ro/my/orders/completed")).json()["buyorders"] == []
    assert wire.app.venue.executions == []
    async with asyncio.timeout(10):
        while not (await wire.post("/api/v2/ro/my/orders/completed")).json()["buyorders"]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert wire.app.venue.wallet("demo").coins == {"BTC": 2}
    assert (await off(wire))["counts"] == {"carried-out-late": 1}


async def test_what_would_be_refused_is_refused_late_too_and_nobody_hears_it(wire):
    strike(wire, FaultKind.CARRIED_OUT_LATE, late_s=0.0)
    await cut_off(wire, "/api/v2/my/buy", cointype="BTC", amount=200, rate=100)
    await off(wire)
    assert (await wire.post("/api/v2/my/buy", cointype="BTC", amount=1, rate=100)).json()["status"] == "ok"
    assert wire.app.venue.wallet("demo").coins == {"BTC": 1}


async def test_a_wrong_key_has_nothing_carried_out_late(wire):
    strike(wire, FaultKind.CARRIED_OUT_LATE, late_s=0.0)
    await cut_off(wire, "/api/v2/my/buy", secret="wrong", cointype="BTC", amount=1, rate=100)
    await off(wire)
    assert (wire.app.venue.executions, wire.app.ring.keys["demo-key"].last_nonce) == ([], 0)


async def test_a_request_that_is_delivered_twice_is_carried_out_once_and_answered_with_a_refusal(wire):
    strike(wire, FaultKind.REPEATED_REQUEST)
    answer = await wire.post("/api/v2/my/buy", cointype="BTC", amount=2, rate=100)
    assert (answer.status_code, answer.json()["message"]) == (401, "invalid nonce")
    assert [each.quantity for each in wire.app.venue.executions] == [2]


async def test_an_order_that_is_listed_late_is_in_the_balances_at_once(wire):
    strike(wire, FaultKind.LISTED_LATE, unlisted_s=1_000.0)
    await cut_off(wire, "/api/v2/my/buy", cointype="BTC", amount=2, rate=100)
    for path in ("my/orders/completed", "my/orders/market/completed", "my/orders/market/open"):
        assert (await wire.post(f"/api/v2/ro/{path}")).json()["buyorders"] == []
    balances = (await wire.post("/api/v2/ro/my/balances")).json()["balances"]
    assert [(coin, held["balance"]) for each in balances for coin, held in each.items()] == [
        ("AUD", 9799.8),
        ("BTC", 2),
    ]
    await wire.post("/api/v2/my/buy", cointype="ETH", amount=1, rate=10)
    (row,) = (await wire.post("/api/v2/ro/my/orders/completed")).json()["buyorders"]
    assert row["coin"] == "ETH"


async def test_an_order_on_the_book_that_is_listed_late_holds_its_cash_back_at_once(wire):
    strike(wire, FaultKind.LISTED_LATE, unlisted_s=0.3)
    await cut_off(wire, "/api/v2/my/buy", cointype="BTC", amount=2, rate=50)
    assert (await wire.post("/api/v2/ro/my/orders/market/open")).json()["buyorders"] == []
    held = (await wire.post("/api/v2/ro/my/balance/AUD?available=yes")).json()["balance"]["AUD"]
    assert held["balance"] == 10_000
    assert held["available"] < 9_901
    async with asyncio.timeout(10):
        while not (rows := (await wire.post("/api/v2/ro/my/orders/market/open")).json()["buyorders"]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert rows[0]["amount"] == 2


async def test_a_list_of_open_orders_that_lags_lacks_the_newest_only(wire):
    strike(wire, FaultKind.LAGGING_ORDERS, lag_s=1_000.0)
    wire.app.control.faults.plan.most = 0
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=2, rate=50)
    assert (await wire.post("/api/v2/ro/my/orders/market/open")).json()["buyorders"] == []
    assert (await off(wire))["counts"] == {"lagging-orders": 1}
    assert len((await wire.post("/api/v2/ro/my/orders/market/open")).json()["buyorders"]) == 1


async def test_an_old_board_is_further_back_than_any_stale_one(wire):
    venue = wire.app.venue
    await on(wire, kinds=["old-prices"])
    seen = []
    for minute in range(50):
        quote = venue.board.quotes["BTC"]
        moved = replace(quote, bid_aud=quote.bid_aud + 1, ask_aud=quote.ask_aud + 1, last_aud=quote.last_aud + 1)
        venue.show(replace(venue.board, time=venue.time + timedelta(minutes=1), quotes={"BTC": moved}))
        seen.append((minute, int((await wire.get("/pubapi/v2/latest")).json()["prices"]["btc"]["bid"]) - 100))
    assert all(bid == minute for minute, bid in seen if minute <= 32)
    assert all(bid < minute - 32 for minute, bid in seen if minute > 32)
