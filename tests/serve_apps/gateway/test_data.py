"""Prices over HTTP."""

from datetime import timedelta

import pytest


async def test_stored_quotes_come_oldest_first_as_money(caller):
    answer = await caller.get("/api/v1/data/prices", coin="btc", start="2025-06-09", end="2025-06-09", per_page=3)
    page = answer.json()
    assert (page["total"], page["page"], page["per_page"], page["pages"]) == (288, 1, 3, 96)
    assert [item["timestamp"] for item in page["items"]] == [
        "2025-06-09T00:00:00Z",
        "2025-06-09T00:05:00Z",
        "2025-06-09T00:10:00Z",
    ]
    first = page["items"][0]
    assert first["coin"] == "BTC"
    assert float(first["bid"]) < float(first["last"]) < float(first["ask"])
    assert all(len(first[side].partition(".")[2]) == 8 for side in ("bid", "ask", "last"))


async def test_what_is_shown_is_what_was_stored_to_the_last_decimal(caller, history):
    page = (await caller.get("/api/v1/data/prices", coin="DOGE", per_page=200)).json()
    assert page["total"] == 201
    shown = page["items"][0]
    row = len(history) - 201
    assert float(shown["bid"]) == history.bid[row, 1]
    assert shown["timestamp"] == history.time(row).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(("interval", "bars"), [("15m", 201), ("1h", 51), ("4h", 14), ("1d", 3)])
async def test_longer_intervals_are_candles(caller, interval, bars):
    answer = await caller.get("/api/v1/data/prices", coin="ETH", interval=interval, per_page=200)
    page = answer.json()
    assert page["total"] == bars
    for item in page["items"]:
        assert set(item) == {"coin", "timestamp", "open", "high", "low", "close", "quotes", "gap", "complete"}
        assert float(item["low"]) <= min(float(item["open"]), float(item["close"]))
        assert float(item["high"]) >= max(float(item["open"]), float(item["close"]))


async def test_a_window_without_quotes_is_an_empty_page(caller):
    page = (await caller.get("/api/v1/data/prices", coin="BTC", start="2024-01-01", end="2024-01-02")).json()
    assert page == {"items": [], "total": 0, "page": 1, "per_page": 20, "pages": 0, "next_cursor": None}
    daily = await caller.get("/api/v1/data/prices", coin="BTC", start="2024-01-01", end="2024-01-02", interval="1d")
    assert daily.json()["items"] == []


async def test_a_coin_that_is_not_stored_is_not_found(caller, refused):
    refused(await caller.get("/api/v1/data/prices", coin="NOPE"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"coin": ""},
        {"coin": "B-T"},
        {"coin": "BTC", "interval": "7m"},
        {"coin": "BTC", "start": "yesterday"},
        {"coin": "BTC", "start": "1748736000"},
        {"coin": "BTC", "start": "2025-06-09", "end": "2025-06-08"},
        {"coin": "BTC", "page": "0"},
        {"coin": "BTC", "per_page": "201"},
        {"coin": "BTC", "per_page": "nan"},
        {"coin": "BTC", "page": "9" * 400},
        {"coin": "BTC", "coins": "ETH"},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(caller, refused, query):
    refused(await caller.get("/api/v1/data/prices", **query), 422, "VALIDATION_ERROR")


async def test_the_newest_quotes_come_with_their_age(caller, clock):
    page = (await caller.get("/api/v1/data/prices/latest")).json()
    assert [item["coin"] for item in page["items"]] == ["BTC", "DOGE", "ETH"]
    assert {item["age_s"] for item in page["items"]} == {2.0}
    clock.advance(timedelta(seconds=3))
    page = (await caller.get("/api/v1/data/prices/latest", coin="doge")).json()
    assert [(item["coin"], item["age_s"]) for item in page["items"]] == [("DOGE", 5.0)]


async def test_a_coin_that_the_venue_does_not_quote_has_no_newest_quote(caller, refused):
    refused(await caller.get("/api/v1/data/prices/latest", coin="NOPE"), 404, "NOT_FOUND")


async def test_before_the_first_quotes_and_without_a_collector_there_is_nothing_yet(caller, hot, refused):
    hot.board = None
    refused(await caller.get("/api/v1/data/prices/latest"), 503, "UNAVAILABLE")
    hot.reachable = False
    refused(await caller.get("/api/v1/data/prices/latest"), 503, "UNAVAILABLE")


async def test_coins_are_listed_with_what_is_stored_of_them(caller):
    page = (await caller.get("/api/v1/data/coins", per_page=2)).json()
    assert page["pages"] == 2
    assert page["items"][0] == {
        "coin": "BTC",
        "first": "2025-06-08T10:05:00Z",
        "last": "2025-06-10T12:00:00Z",
        "bars": 600,
        "price": (await caller.get("/api/v1/data/prices", coin="BTC", per_page=200, page=2)).json()["items"][-1][
            "last"
        ],
    }
