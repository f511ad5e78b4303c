"""Prices are asked for once and told to all, each what it asked for, without a gap in its numbers."""

from contextlib import AsyncExitStack
from uuid import uuid4

import pytest


def lasts(message) -> dict[str, str]:
    return {quote["coin"]: quote["last"] for quote in message["data"]["quotes"]}


async def test_a_stream_begins_with_all_quotes_and_tells_what_changes(served, board):
    served.ports.hot.show(board(BTC="100", ETH="2"))
    async with served.follow(uuid4(), "prices") as player:
        snapshot = await player.hear()
        while not snapshot["data"]["quotes"]:
            snapshot = await player.hear()
        assert lasts(snapshot) == {"BTC": "100.00000000", "ETH": "2.00000000"}
        served.ports.hot.show(board(5, BTC="101", ETH="2"))
        price = await player.hear()
        assert (price["type"], price["seq"]) == ("price", snapshot["seq"] + 1)
        assert lasts(price) == {"BTC": "101.00000000"}
        assert price["data"]["quoted_at"] == "2025-06-10T12:05:00Z"


async def test_only_the_coins_asked_for_are_told_and_the_numbers_still_rise_by_one(served, board):
    served.ports.hot.show(board(BTC="100", ETH="2", DOGE="1"))
    async with served.follow(uuid4(), "prices") as first:
        while not (await first.hear())["data"]["quotes"]:
            pass
        async with served.follow(uuid4(), "prices?coins=btc,DOGE") as player:
            snapshot = await player.hear()
            assert set(lasts(snapshot)) == {"BTC", "DOGE"}
            served.ports.hot.show(board(5, BTC="100", ETH="3", DOGE="1"))
            served.journal(uuid4())
            nothing = await player.hear()
            assert (nothing["seq"], lasts(nothing)) == (snapshot["seq"] + 1, {})
            served.ports.hot.show(board(10, BTC="7", ETH="3", DOGE="1"))
            assert lasts(await player.hear()) == {"BTC": "7.00000000"}


async def test_the_collector_is_asked_once_however_many_listen(served, board):
    async with AsyncExitStack() as stack:
        players = [await stack.enter_async_context(served.follow(uuid4(), "prices")) for _ in range(20)]
        for player in players:
            await player.hear()
        asked = served.ports.hot.asked
        served.ports.hot.show(board(BTC="1"))
        for player in players:
            assert lasts(await player.hear()) == {"BTC": "1.00000000"}
        assert served.ports.hot.asked - asked <= 1


async def test_prices_go_on_when_the_collector_is_back(served, board):
    served.ports.hot.reachable = False
    async with served.follow(uuid4(), "prices") as player:
        assert (await player.hear())["data"] == {"quoted_at": None, "quotes": []}
        served.ports.hot.reachable = True
        served.ports.hot.show(board(BTC="1"))
        assert lasts(await player.hear()) == {"BTC": "1.00000000"}


async def test_a_number_of_another_life_gets_a_snapshot_that_says_why(served, board):
    served.ports.hot.show(board(BTC="1"))
    async with served.follow(uuid4(), "prices", seq=3) as player:
        snapshot = await player.hear()
        assert snapshot["type"] == "snapshot"
        assert "no history" in snapshot["data"]["reason"]


@pytest.mark.parametrize("coins", [",", "B$C", ",".join(f"C{n}" for n in range(101)), "x" * 200, "%C3%A4" * 60])
async def test_coins_that_are_none_are_refused(served, coins):
    async with served.open(f"prices?coins={coins}&token={served.token(uuid4())}") as player:
        code, reason = await player.closed()
        assert code == 4400
        assert reason
