"""Every path of the wire, as a client sees it. Only what is on the wire is looked at."""

import json
from decimal import Decimal

import pytest


def exact(response):
    return json.loads(response.content, parse_float=Decimal)


async def buy_coins(wire):
    """Two BTC on the market, a hundred PEPE at once, one BTC bid and one asked that rest."""
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=2, rate=100)
    await wire.post("/api/v2/my/buy/now", cointype="PEPE", amounttype="coin", amount=100)
    bid = exact(await wire.post("/api/v2/my/buy", cointype="BTC", amount="1.00000000", rate="50"))
    ask = exact(await wire.post("/api/v2/my/sell", cointype="BTC", amount=1, rate=150, markettype="AUD"))
    return bid["id"], ask["id"]


BTC = {"bid": "99", "ask": "100", "last": "99.5"}
NAN = {"bid": "NaN", "ask": "NaN", "last": "NaN"}


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/pubapi/v2/latest/btc", 200, {"status": "ok", "prices": BTC}),
        ("/pubapi/v2/latest/BTC", 200, {"status": "ok", "prices": BTC}),
        ("/pubapi/v2/latest/btc/aud", 200, {"status": "ok", "prices": BTC}),
        ("/pubapi/v2/latest/gone", 200, {"status": "ok", "prices": NAN}),
        ("/pubapi/v2/latest/nope", 200, {"status": "ok", "prices": {}}),
        ("/pubapi/v2/latest/btc/usdt", 404, None),
        ("/pubapi/v2/buyprice/BTC", 200, {"status": "ok", "message": "ok", "rate": "100", "market": "BTC/AUD"}),
        ("/pubapi/v2/sellprice/btc", 200, {"status": "ok", "message": "ok", "rate": "99", "market": "BTC/AUD"}),
        ("/pubapi/v2/buyprice/nope", 400, {"status": "error", "message": "Coin not found"}),
        ("/pubapi/v2/sellprice/nope/USDT", 400, {"status": "error", "message": "Coin not found"}),
        ("/pubapi/v2/buyprice/BTC/AUD", 400, {"status": "error", "message": "Bad Market"}),
        ("/pubapi/v2/orders/open/nope", 400, {"status": "error", "message": "Coin not found"}),
        ("/pubapi/v2/orders/open/BTC/USDT", 400, {"status": "error", "message": "Invalid market"}),
        ("/pubapi/v2/orders/completed/BTC/USDT", 400, {"status": "error", "message": "Invalid market"}),
        ("/pubapi/v2/orders/open/PEPE", 200, {"status": "ok", "message": "ok", "buyorders": [], "sellorders": []}),
        ("/pubapi/v2/orders/completed/BTC", 200, {"status": "ok", "message": "ok", "buyorders": [], "sellorders": []}),
        ("/pubapi/v2/orders/summary/completed/BTC/AUD", 200, {"status": "ok", "message": "ok", "orders": []}),
        ("/pubapi/v2/markets", 404, None),
        ("/api/v2/status", 404, None),
        ("/", 404, None),
    ],
)
async def test_a_public_path_answers_as_documented(wire, path, status, expected):
    response = await wire.get(path)
    assert response.status_code == status
    if expected is None:
        assert "json" not in response.headers["content-type"]
    else:
        assert response.json() == expected


@pytest.mark.parametrize("path", ["/pubapi/v2/latest", "/pubapi/latest", "/pubapi/v2/latest/"])
async def test_latest_has_lower_case_keys_text_and_no_message(wire, path):
    answer = (await wire.get(path)).json()
    assert answer == {
        "status": "ok",
        "prices": {
            "btc": BTC,
            "eth": {"bid": "9", "ask": "10", "last": "9.5"},
            "pepe": {"bid": "0.5", "ask": "1.5", "last": "1"},
        },
    }
    await wire.step()
    await wire.step()
    later = (await wire.get(path)).json()["prices"]
    assert later["btc"]["bid"] == "101"
    assert later["gone"] == {"bid": "4", "ask": "5", "last": "4.5"}


async def test_the_book_shows_the_quotes_and_what_rests(wire):
    await buy_coins(wire)
    for answer in (
        exact(await wire.get("/pubapi/v2/orders/open/btc/AUD")),
        exact(await wire.post("/api/v2/ro/orders/market/open", cointype="BTC", markettype="AUD")),
        exact(await wire.post("/api/orders", cointype="btc")),
    ):
        assert [row["rate"] for row in answer["buyorders"]] == [99, 50]
        assert [row["rate"] for row in answer["sellorders"]] == [100, 150]
        assert answer["buyorders"][1] == {"amount": 1, "rate": 50, "total": 50, "coin": "BTC", "market": "BTC/AUD"}


async def test_what_was_traded_on_the_market_is_public(wire):
    await buy_coins(wire)
    row = {"amount": 2, "rate": 100, "total": 200, "coin": "BTC", "market": "BTC/AUD"}
    dated = {**row, "solddate": "2025-01-01T00:00:00.000Z"}
    completed = exact(await wire.get("/pubapi/v2/orders/completed/BTC"))
    assert (completed["buyorders"], completed["sellorders"]) == ([dated], [])
    assert exact(await wire.get("/pubapi/v2/orders/summary/completed/BTC"))["orders"] == [dated]
    private = exact(await wire.post("/api/v2/ro/orders/market/completed", cointype="BTC", startdate="2025-01-01"))
    assert private["buyorders"] == [dated]
    assert (
        exact(await wire.post("/api/v2/ro/orders/market/completed", cointype="BTC", startdate="2025-01-02"))[
            "buyorders"
        ]
        == []
    )
    assert exact(await wire.post("/api/orders/history", cointype="btc"))["orders"] == [
        {**row, "solddate": 1735689600000}
    ]


async def test_status_answers_both_scopes(wire):
    for path in ("/api/v2/status", "/api/v2/ro/status"):
        response = await wire.post(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_market_order_has_an_id_and_numbers(wire):
    answer = exact(await wire.post("/api/v2/my/buy", cointype="BTC", amount="0.50000000", rate=100.5))
    order_id = answer.pop("id")
    assert len(order_id) == 24
    assert answer == {
        "status": "ok",
        "message": "ok",
        "coin": "BTC",
        "market": "BTC/AUD",
        "amount": Decimal("0.5"),
        "rate": Decimal("100.5"),
    }


async def test_an_instant_order_has_no_id_and_a_buy_no_rate(wire):
    bought = exact(await wire.post("/api/v2/my/buy/now", cointype="pepe", amounttype="aud", amount="200"))
    assert bought == {
        "status": "ok",
        "message": "ok",
        "coin": "PEPE",
        "market": "PEPE/AUD",
        "amount": Decimal("132.01320132"),
        "total": 200,
    }
    sold = exact(await wire.post("/api/v2/my/sell/now", cointype="PEPE", amounttype="coin", amount=100))
    assert (sold["amount"], sold["total"], sold["rate"]) == (100, Decimal("49.5"), Decimal("0.495"))
    assert "id" not in sold


async def test_a_swap_is_paid_in_the_other_coin(wire):
    await buy_coins(wire)
    answer = exact(await wire.post("/api/v2/my/swap/now", cointypesell="PEPE", cointypebuy="ETH", amount=100))
    assert answer == {
        "status": "ok",
        "message": "ok",
        "coin": "PEPE",
        "market": "PEPE/ETH",
        "amount": 100,
        "rate": Decimal("0.0495"),
        "total": Decimal("4.95"),
    }
    rows = exact(await wire.post("/api/v2/ro/my/orders/completed"))["sellorders"]
    assert rows[0]["market"] == "PEPE/ETH"
    assert rows[0]["audtotal"] == Decimal("49.5")


async def test_quotes_of_instant_orders_change_nothing(wire):
    async def rate(path, **fields):
        return exact(await wire.post(f"/api/v2/quote/{path}", **fields))["rate"]

    assert await rate("buy/now", cointype="BTC", amount=1, amounttype="coin") == 101
    assert await rate("buy/now", cointype="BTC", amount=50, amounttype="aud") == Decimal("101.00000101")
    assert await rate("sell/now", cointype="BTC", amount=1, amounttype="coin") == Decimal("98.01")
    assert await rate("swap/now", cointypesell="BTC", cointypebuy="ETH", amount=1) == Decimal("9.9")
    assert exact(await wire.post("/api/quote/buy", cointype="BTC", amount=1))["quote"] == 101
    assert exact(await wire.post("/api/quote/sell", cointype="BTC", amount=1))["quote"] == Decimal("98.01")
    assert wire.app.venue.executions == []


async def test_an_order_is_edited(wire):
    bid, ask = await buy_coins(wire)
    answer = exact(await wire.post("/api/v2/my/buy/edit", cointype="BTC", id=bid, rate=50, newrate=60))
    assert (answer["updated"], answer["id"], answer["newrate"], answer["total"]) == (True, bid, 60, 60)
    answer = exact(await wire.post("/api/v2/my/sell/edit", cointype="BTC", id=ask, rate=150, newrate=99))
    assert answer["updated"]
    assert exact(await wire.post("/api/v2/ro/my/orders/market/open"))["sellorders"] == []


async def test_orders_are_cancelled_one_by_one_and_all_together(wire):
    bid, ask = await buy_coins(wire)
    assert (await wire.post("/api/v2/my/sell/cancel", id=bid)).status_code == 400
    assert (await wire.post("/api/v2/my/buy/cancel", id=bid)).json()["status"] == "ok"
    assert (await wire.post("/api/v2/my/sell/cancel/all", coin="ETH")).json()["status"] == "ok"
    assert len(wire.app.venue.resting()) == 1
    await wire.post("/api/v2/my/sell/cancel/all", coin="BTC")
    await wire.post("/api/v2/my/buy/cancel/all")
    assert wire.app.venue.resting() == []
    refused = await wire.post("/api/v2/my/sell/cancel", id=ask)
    assert (refused.status_code, refused.json()) == (400, {"status": "error", "message": "Order not found"})


@pytest.mark.parametrize("path", ["/api/v2/ro/my/balances", "/api/ro/my/balances"])
async def test_balances_are_an_array_of_objects_with_one_key(wire, path):
    await buy_coins(wire)
    assert exact(await wire.post(path))["balances"] == [
        {"AUD": {"balance": Decimal("9648.3"), "audbalance": Decimal("9648.3"), "rate": 1}},
        {"BTC": {"balance": 2, "audbalance": 199, "rate": Decimal("99.5")}},
        {"PEPE": {"balance": 100, "audbalance": 100, "rate": 1}},
    ]


async def test_one_balance_may_say_what_is_available(wire):
    await buy_coins(wire)
    answer = exact(await wire.post("/api/v2/ro/my/balance/BTC?available=yes"))
    assert answer["balance"] == {"BTC": {"balance": 2, "audbalance": 199, "rate": Decimal("99.5"), "available": 1}}
    cash = exact(await wire.post("/api/v2/ro/my/balance/AUD?available=yes"))["balance"]["AUD"]
    assert cash["balance"] - cash["available"] == Decimal("50.05")
    assert "available" not in exact(await wire.post("/api/v2/ro/my/balance/eth?available=no"))["balance"]["ETH"]
    assert (await wire.post("/api/v2/ro/my/balance/NOPE")).status_code == 400


async def test_open_orders_are_listed_by_side(wire):
    bid, ask = await buy_coins(wire)
    for path in ("/api/v2/ro/my/orders/market/open", "/api/my/orders"):
        answer = exact(await wire.post(path, cointype="BTC"))
        assert answer["buyorders"] == [
            {
                "id": bid,
                "coin": "BTC",
                "market": "BTC/AUD",
                "amount": 1,
                "rate": 50,
                "total": 50,
                "created": "2025-01-01T00:00:00.000Z",
            }
        ]
        assert [row["id"] for row in answer["sellorders"]] == [ask]
    assert exact(await wire.post("/api/v2/ro/my/orders/market/open", cointype="ETH"))["buyorders"] == []
    assert exact(await wire.post("/api/v2/ro/my/orders/limit/open"))["buyorders"] == []


async def test_completed_orders_show_what_was_paid_the_fee_and_its_tax(wire):
    await buy_coins(wire)
    instant, market = exact(await wire.post("/api/v2/ro/my/orders/completed"))["buyorders"]
    assert instant | {"id": "x"} == {
        "id": "x",
        "otc": False,
        "coin": "PEPE",
        "type": "instant",
        "market": "PEPE/AUD",
        "rate": Decimal("1.515"),
        "amount": 100,
        "total": Decimal("151.5"),
        "solddate": "2025-01-01T00:00:00.000Z",
        "audfeeExGst": Decimal("1.36363636"),
        "audGst": Decimal("0.13636364"),
        "audtotal": Decimal("151.5"),
    }
    assert (market["type"], market["rate"], market["total"]) == ("market", 100, 200)
    assert market["audtotal"] == Decimal("200.2")
    assert b'"audtotal":200.2,' in (await wire.post("/api/v2/ro/my/orders/completed")).content.replace(b"}", b",")
    only = exact(await wire.post("/api/v2/ro/my/orders/market/completed"))["buyorders"]
    assert only == [{name: value for name, value in market.items() if name not in ("type", "otc")}]


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({}, 2),
        ({"cointype": "btc"}, 1),
        ({"limit": 1}, 1),
        ({"limit": "9999"}, 2),
        ({"startdate": "2025-01-01"}, 2),
        ({"startdate": "2025-01-02"}, 0),
        ({"startdate": 1735689600}, 2),
        ({"startdate": "1735689601"}, 0),
        ({"enddate": "2025-01-01"}, 2),
        ({"enddate": "2024-12-31"}, 2),
        ({"enddate": "2024-12-30"}, 0),
        ({"markettype": "AUD"}, 2),
    ],
)
async def test_completed_orders_are_filtered(wire, fields, rows):
    await buy_coins(wire)
    assert len(exact(await wire.post("/api/v2/ro/my/orders/completed", **fields))["buyorders"]) == rows


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 0},
        {"limit": "many"},
        {"startdate": "soon"},
        {"enddate": True},
        {"startdate": "1e99"},
        {"markettype": "USDT"},
    ],
)
async def test_a_filter_that_means_nothing_is_refused(wire, fields):
    response = await wire.post("/api/v2/ro/my/orders/completed", **fields)
    assert response.status_code == 400
    assert response.json()["message"].startswith("Invalid ")


async def test_the_other_lists_of_an_account(wire):
    opened = {"amount": 10000, "created": "2025-01-01T00:00:00.000Z", "status": "completed", "type": "PayID"}
    for base in ("/api/v2/ro/my", "/api/ro/my"):
        assert exact(await wire.post(f"{base}/deposits"))["deposits"] == [{**opened, "reference": "opening"}]
        assert exact(await wire.post(f"{base}/withdrawals"))["withdrawals"] == []
        answer = exact(await wire.post(f"{base}/sendreceive"))
        assert answer["sendtransactions"] == answer["receivetransactions"] == []
        assert exact(await wire.post(f"{base}/affiliatepayments"))["payments"] == []
        assert exact(await wire.post(f"{base}/referralpayments"))["payments"] == []


async def test_coinlists_and_deposit_addresses(wire):
    for side in ("buy", "sell"):
        answer = (await wire.post(f"/api/v2/my/{side}/now/coinlist")).json()
        assert answer["coinlist"] == ["BTC", "ETH", "PEPE"]
    networks = (await wire.post("/api/v2/my/coin/deposit", cointype="BTC")).json()["networks"]
    assert networks == [{"name": "BTC", "network": "BTC", "address": "sandbox-btc", "memo": ""}]
    assert (await wire.post("/api/my/coin/deposit", cointype="NOPE")).status_code == 400


async def test_the_first_versions_account(wire):
    await buy_coins(wire)
    assert exact(await wire.post("/api/my/balances"))["balance"] == {"aud": Decimal("9648.3"), "btc": 2, "pepe": 100}
    assert exact(await wire.post("/api/ro/my/balances/btc"))["balance"]["BTC"]["balance"] == 2
    for path, rows in (
        ("/api/my/transactions", 2),
        ("/api/ro/my/transactions", 2),
        ("/api/ro/my/transactions/BTC", 1),
        ("/api/ro/my/transactions/open", 1),
        ("/api/ro/my/transactions/BTC/open", 1),
        ("/api/ro/my/transactions/ETH/open", 0),
    ):
        answer = exact(await wire.post(path))
        assert len(answer["buyorders"]) == rows, path
        assert all("created" in row for row in answer["buyorders"])
    placed = exact(await wire.post("/api/my/buy", cointype="btc", amount=1, rate=60))
    assert exact(await wire.post("/api/my/buy/cancel", id=placed["id"]))["status"] == "ok"
    placed = exact(await wire.post("/api/my/sell", cointype="btc", amount=1, rate=160))
    assert exact(await wire.post("/api/my/sell/cancel", id=placed["id"]))["status"] == "ok"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/my/coin/withdraw/senddetails",
        "/api/v2/my/coin/withdraw/send",
        "/api/v2/my/coin/withdraw/send/async",
        "/api/my/coin/send",
        "/api/v2/ro/my/balances/BTC",
        "/api/v2/my/orders/history",
        "/api/v2/ro/my/buy",
        "/api/ro/my/buy",
        "/api/nonsense",
        "/nonsense",
    ],
)
async def test_nothing_withdraws_and_what_does_not_exist_is_no_json(wire, path):
    response = await wire.post(path)
    assert response.status_code == 404
    assert response.text == "Not Found"


@pytest.mark.parametrize(
    ("path", "fields", "message"),
    [
        ("my/buy", {"cointype": "BTC", "amount": 1}, "Invalid rate"),
        ("my/buy", {"cointype": "BTC", "rate": 1}, "Invalid amount"),
        ("my/buy", {"amount": 1, "rate": 1}, "Invalid cointype"),
        ("my/buy", {"cointype": 7, "amount": 1, "rate": 100}, "Coin not found"),
        ("my/buy", {"cointype": "BTC", "amount": True, "rate": 1}, "Invalid amount"),
        ("my/buy", {"cointype": "BTC", "amount": [1], "rate": 1}, "Invalid amount"),
        ("my/buy", {"cointype": "BTC", "amount": "1_0", "rate": 1}, "Invalid amount"),
        ("my/buy", {"cointype": "BTC", "amount": "NaN", "rate": 1}, "Invalid amount"),
        ("my/buy", {"cointype": "BTC", "amount": "1e99", "rate": 1}, "Invalid amount"),
        ("my/buy", {"cointype": "BTC", "amount": 1, "rate": 100, "markettype": "USDT"}, "Invalid market"),
        ("my/buy", {"cointype": "PEPE", "amount": 10, "rate": 1}, "Invalid market"),
        ("my/buy", {"cointype": "GONE", "amount": 10, "rate": 1}, "Invalid market"),
        ("my/buy", {"cointype": "BTC", "amount": "0.000000001", "rate": 100}, "Invalid amount: at most 8 decimals"),
        ("my/buy", {"cointype": "BTC", "amount": "0.001", "rate": 100}, "Amount is below the minimum of 1.00 AUD"),
        ("my/buy", {"cointype": "BTC", "amount": "1000", "rate": 100}, "Insufficient AUD funds"),
        ("my/sell", {"cointype": "BTC", "amount": "1", "rate": 100}, "Insufficient BTC funds"),
        ("my/buy/now", {"cointype": "PEPE", "amount": 10}, "Invalid amounttype"),
        ("my/buy/now", {"cointype": "PEPE", "amount": 10, "amounttype": "btc"}, "Invalid amounttype"),
        (
            "my/buy/now",
            {"cointype": "PEPE", "amount": "10.001", "amounttype": "aud"},
            "Invalid amount: at most 2 decimals",
        ),
        (
            "my/buy/now",
            {"cointype": "GONE", "amount": 10, "amounttype": "coin"},
            "No price for this coin at the moment",
        ),
        (
            "my/buy/now",
            {"cointype": "PEPE", "amount": 10, "amounttype": "coin", "rate": 1, "threshold": 5},
            "The rate has moved beyond your threshold",
        ),
        (
            "my/buy/now",
            {"cointype": "PEPE", "amount": 10, "amounttype": "coin", "rate": 1, "threshold": 1001},
            "Invalid threshold",
        ),
        (
            "my/buy/now",
            {"cointype": "PEPE", "amount": 10, "amounttype": "coin", "direction": "LEFT"},
            "Invalid direction",
        ),
        ("my/swap/now", {"cointypesell": "PEPE", "amount": 10}, "Invalid cointypebuy"),
        ("my/buy/cancel", {}, "Invalid id"),
        ("my/buy/cancel", {"id": "abc"}, "Order not found"),
        ("ro/orders/market/open", {"cointype": "NOPE"}, "Coin not found"),
    ],
)
async def test_a_wrong_request_is_refused_with_its_reason(wire, path, fields, message):
    response = await wire.post(f"/api/v2/{path}", **fields)
    assert (response.status_code, response.json()) == (400, {"status": "error", "message": message})
    assert wire.app.venue.executions == []


async def test_numbers_too_long_to_mean_anything_are_refused(wire):
    from omc.adapters.coinspot.signature import signature

    body = b'{"nonce":1,"cointype":1e999999,"amount":1,"rate":1}'
    wire.app.ring.raw_only = True
    response = await wire.raw("/api/v2/my/buy", body, "demo-key", signature("demo-secret", body))
    assert response.json()["message"] == "Invalid cointype"


async def test_a_body_that_is_too_large_is_refused(wire):
    response = await wire.raw("/api/v2/my/buy", b"x" * 70_000, None, None)
    assert response.status_code == 413
