"""A client that we did not write, unmodified but for its addresses, against the real process."""

from decimal import Decimal
from uuid import uuid4

import pytest

from omc.adapters.coinspot.sandbox import SandboxControl

coinspot = pytest.importorskip("ccxt.async_support.coinspot", reason="ccxt is an extra").coinspot
errors = pytest.importorskip("ccxt")


@pytest.fixture
async def client(exchange):
    # An account each: a client's nonces run ahead of its clock, and the next client's would come too late.
    control = SandboxControl(exchange.url, exchange.token_file)
    account = await control.open_account(f"ccxt {uuid4()}", Decimal("10000.00"))
    client = coinspot({"apiKey": account.key, "secret": account.secret, "enableRateLimit": False})
    client.urls["api"] = {"public": f"{exchange.url}/pubapi", "private": f"{exchange.url}/api"}
    yield client
    await client.close()


def whole(price):
    """A whole float goes out as 50.0, which JavaScript writes as 50: that signature holds for the raw bytes only."""
    return int(price) if price.is_integer() else price


async def test_it_reads_prices_and_the_book(client):
    ticker = await client.fetch_ticker("BTC/AUD")
    book = await client.fetch_order_book("BTC/AUD")
    assert 0 < ticker["bid"] <= ticker["ask"]
    assert book["bids"][0][0] == ticker["bid"]
    assert book["asks"][0][0] == ticker["ask"]


async def test_it_buys_sells_and_sees_its_trades_and_balance(client):
    ticker = await client.fetch_ticker("BTC/AUD")
    before = await client.fetch_balance()
    bought = await client.create_order("BTC/AUD", "limit", "buy", 0.01, whole(ticker["ask"]))
    assert bought["info"]["status"] == "ok"
    await client.create_order("BTC/AUD", "limit", "sell", 0.004, whole(ticker["bid"]))
    after = await client.fetch_balance()
    assert after["BTC"]["total"] - before.get("BTC", {"total": 0})["total"] == pytest.approx(0.006)
    trades = await client.fetch_my_trades("BTC/AUD")
    assert {trade["side"] for trade in trades} == {"buy", "sell"}
    paid = sum((1 if trade["side"] == "sell" else -1) * trade["info"]["audtotal"] for trade in trades)
    assert after["AUD"]["total"] - 10_000 == pytest.approx(paid)
    assert all(trade["fee"]["cost"] > 0 for trade in trades)
    assert await client.fetch_trades("BTC/AUD")


async def test_it_places_and_cancels(client):
    ticker = await client.fetch_ticker("BTC/AUD")
    await client.create_order("BTC/AUD", "limit", "buy", 0.001, whole(ticker["ask"]))
    for side, rate in (("buy", ticker["bid"] / 2), ("sell", ticker["ask"] * 2)):
        placed = await client.create_order("BTC/AUD", "limit", side, 0.001, whole(round(rate, 2)))
        order_id = placed["info"]["id"]
        assert order_id in [row["id"] for row in (await client.privatePostMyOrders())[f"{side}orders"]]
        await client.cancel_order(order_id, "BTC/AUD", {"side": side})
        assert (await client.privatePostMyOrders())[f"{side}orders"] == []


async def test_it_is_told_what_is_wrong(client):
    with pytest.raises(errors.BaseError, match="Insufficient"):
        await client.create_order("BTC/AUD", "limit", "buy", 1, 150_000)
    with pytest.raises(errors.BaseError):
        await client.cancel_order("abc", "BTC/AUD", {"side": "buy"})


async def test_the_second_versions_raw_methods_work_too(client):
    latest = await client.v2PublicGetLatest()
    assert latest["prices"]["btc"]["bid"]
    assert (await client.v2PublicGetLatestCointype({"cointype": "btc"}))["prices"]["ask"]
    assert (await client.v2PublicGetOrdersOpenCointype({"cointype": "btc"}))["sellorders"]
    assert (await client.v2PrivatePostStatus())["status"] == "ok"
    assert (await client.v2PrivatePostRoStatus())["status"] == "ok"
    bought = await client.v2PrivatePostMyBuyNow({"cointype": "PEPE", "amounttype": "aud", "amount": "100"})
    assert bought["total"] == 100
    assert (await client.v2PrivatePostRoMyOrdersCompleted())["buyorders"][0]["type"] == "instant"
    balance = await client.v2PrivatePostRoMyBalanceCointype({"cointype": "PEPE"})
    assert balance["balance"]["PEPE"]["balance"] == bought["amount"]
    balances = await client.fetch_balance({})
    client.options["fetchBalance"] = "privatePostRoMyBalances"
    assert (await client.fetch_balance())["PEPE"]["total"] == balances["PEPE"]["total"]
    with pytest.raises(errors.BaseError):
        await client.v2PrivatePostMyCoinWithdrawSend({"cointype": "BTC", "amount": 1, "address": "x"})
