"""Catalysts are told as they become known, each once, and those of other coins to nobody who did not ask for them."""

from datetime import timedelta
from uuid import uuid4

from omc.ledger.catalyst import Catalyst


def catalyst(served, name: str, *coins: str, ago: timedelta = timedelta(seconds=1)) -> Catalyst:
    now = served.ports.clock.now()
    return Catalyst("listing", f"{name} is listed", coins, "news", name, now - ago, now - ago)


async def test_a_stream_begins_with_the_last_hour_and_goes_on_with_what_is_new(served):
    ledger = served.ports.catalysts
    old, known = catalyst(served, "old", ago=timedelta(hours=2)), catalyst(served, "known", "BTC")
    await ledger.record([old, known])
    async with served.follow(uuid4(), "catalyst") as player:
        heard = await player.hear()
        assert (heard["type"], heard["seq"]) == ("snapshot", 0)
        if heard["data"]["catalysts"]:
            assert [each["source_id"] for each in heard["data"]["catalysts"]] == ["known"]
            seq = 0
        else:
            told = await player.hear()
            assert (told["type"], told["seq"], told["data"]["source_id"]) == ("catalyst", 1, "known")
            seq = 1
        await ledger.record([catalyst(served, "new", "ETH")])
        new = await player.hear()
        assert (new["type"], new["seq"]) == ("catalyst", seq + 1)
        assert (new["data"]["source_id"], new["data"]["coins"]) == ("new", ["ETH"])


async def test_coins_that_were_asked_for_and_the_whole_market_are_told_without_a_gap(served):
    ledger = served.ports.catalysts
    async with served.follow(uuid4(), "catalyst?coins=BTC") as player:
        await player.hear()
        await ledger.record([catalyst(served, "ours", "BTC", "ETH"), catalyst(served, "theirs", "ETH")])
        assert [(await player.hear())["data"]["source_id"]] == ["ours"]
        await ledger.record([catalyst(served, "everybody's")])
        last = await player.hear()
        assert (last["seq"], last["data"]["source_id"]) == (2, "everybody's")
