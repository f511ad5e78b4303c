"""A client of the floor's stream hears every entry of its account's journal, once, in order, and nobody else's."""

import asyncio
import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omc.risk.kill_switch import MemoryKillSwitch
from omc.trading import stream
from omc.trading.feed import MemoryFeed
from serve_apps.gateway.streams import floor_stream
from serve_apps.gateway.streams.outbox import Bounds
from tests.omc.adapters.postgres.house import fill, in_memory


def numbers(messages) -> list[int]:
    return [message["seq"] for message in messages]


async def test_a_stream_begins_with_where_things_stand_and_goes_on_from_there(served):
    me = uuid4()
    served.journal(me, times=3)
    async with served.follow(me) as player:
        snapshot = await player.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 3)
        assert snapshot["timestamp"].endswith("Z")
        assert set(snapshot["data"]) == {"deployments", "orders", "positions", "pnl", "halts"}
        served.journal(me, times=2)
        assert numbers(await player.hear_all(2)) == [4, 5]


async def test_the_snapshot_shows_the_books_and_the_halt(serving, signer):
    house = in_memory()
    served = await serving(
        feed=MemoryFeed(house.deployments.journal),
        deployments=house.deployments,
        blotter=house.blotter,
        kill_switch=house.kill_switch,
    )
    deployment = await house.deployed()
    await house.filled(deployment, fill())
    await house.sent(deployment, quoted_at=served.ports.clock.now())
    assert isinstance(house.kill_switch, MemoryKillSwitch)
    await house.kill_switch.trip(deployment.user_id, "too hot")
    async with served.follow(deployment.user_id) as player:
        data = (await player.hear())["data"]
    assert [each["id"] for each in data["deployments"]] == [str(deployment.id)]
    assert [(each["coin"], each["quantity"]) for each in data["positions"]] == [("BTC", "0.00100000")]
    assert [each["cash_aud"] for each in data["pnl"]] == ["899.90000000"]
    assert [each["status"] for each in data["orders"]] == ["submitted"]
    assert [(each["reason"], each["level"], each["scope"]) for each in data["halts"]] == [("too hot", "all", "account")]


async def test_nobody_hears_of_anybody_elses_account(served):
    mine, theirs = uuid4(), uuid4()
    async with served.follow(mine) as me, served.follow(theirs) as them:
        await me.hear()
        await them.hear()
        served.journal(theirs, reason="theirs")
        served.journal(mine, reason="mine")
        assert (await me.hear())["data"]["reason"] == "mine"
        heard = await them.hear()
        assert (heard["seq"], heard["data"]["reason"]) == (1, "theirs")


async def test_after_a_break_a_client_gets_what_it_missed_once_and_in_order(served):
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        served.journal(me, times=5)
        assert numbers(await player.hear_all(5)) == [1, 2, 3, 4, 5]
    served.journal(me, times=700)
    async with served.follow(me, seq=3) as player:
        resumed = await player.hear()
        assert (resumed["type"], resumed["seq"], resumed["data"]) == ("resumed", 3, {"after": 3})
        assert numbers(await player.hear_all(702)) == list(range(4, 706))
        served.journal(me)
        assert (await player.hear())["seq"] == 706


async def test_the_number_may_stand_in_the_address(served):
    me = uuid4()
    served.journal(me, times=2)
    async with served.open(f"floor?token={served.token(me)}&seq=1") as player:
        assert [each["type"] for each in await player.hear_all(2)] == ["resumed", "risk"]


async def test_a_number_from_the_future_or_too_long_ago_gets_a_snapshot_that_says_why(served, monkeypatch):
    me = uuid4()
    served.journal(me, times=9)
    async with served.follow(me, seq=10) as player:
        snapshot = await player.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 9)
        assert snapshot["data"]["reason"] == "seq 10 lies in the future: the newest is 9"
    monkeypatch.setattr(floor_stream, "_MOST_REPLAYED", 5)
    async with served.follow(me, seq=3) as player:
        snapshot = await player.hear()
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 9)
        assert "more than 5 messages have passed since seq 3" in snapshot["data"]["reason"]
        served.journal(me)
        assert (await player.hear())["seq"] == 10
    async with served.follow(me, seq=5) as player:
        assert (await player.hear())["type"] == "resumed"


async def test_what_is_journaled_while_the_database_is_away_is_told_when_it_is_back(served):
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        served.ports.feed.failing = True
        served.journal(me, times=3)
        await asyncio.sleep(0.02)
        served.ports.feed.failing = False
        assert numbers(await player.hear_all(3)) == [1, 2, 3]


async def test_a_stream_that_cannot_be_looked_up_sends_the_client_away_for_now(served):
    served.ports.feed.failing = True
    async with served.follow(uuid4()) as player:
        assert (await player.closed())[0] == 1013
    served.ports.feed.failing = False
    async with served.follow(uuid4()) as player:
        assert (await player.hear())["type"] == "snapshot"


async def test_an_entry_that_cannot_be_told_holds_up_nobody(served, monkeypatch):
    me = uuid4()

    def message_of(numbered):
        if numbered.number == 2:
            raise ZeroDivisionError
        return stream.message_of(numbered)

    monkeypatch.setattr(floor_stream, "message_of", message_of)
    async with served.follow(me) as player:
        await player.hear()
        served.journal(me, times=3, reason="why")
        told = await player.hear_all(3)
    assert numbers(told) == [1, 2, 3]
    assert told[1]["data"] == {"kind": "breach"}


async def test_the_journal_is_read_once_for_all_clients_of_an_account(served):
    me = uuid4()
    async with served.follow(me) as one, served.follow(me) as two, served.follow(me) as three:
        for each in (one, two, three):
            await each.hear()
        before = served.ports.feed.reads
        served.journal(me)
        assert [numbers([await each.hear()]) for each in (one, two, three)] == [[1]] * 3
        assert served.ports.feed.reads - before <= 2


async def test_an_account_that_nobody_follows_any_more_is_forgotten(served):
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        assert served.streams()._streams["floor"]._channels
    async with asyncio.timeout(30):
        while served.streams().open:  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.001)
    assert served.streams()._streams["floor"]._channels == {}
    assert not served.streams()._places.taken


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whoever_breaks_off_and_comes_back_at_any_moment_misses_nothing(served, data):
    """Any mix of entries and breaks: what a client has heard in all is every number, once."""
    me = uuid4()
    last, heard, written = None, [], 0
    for _ in range(data.draw(st.integers(1, 4))):
        first = {} if last is None else {"seq": last}
        async with served.follow(me, **first) as player:
            beginning = await player.hear()
            last = last if last is not None else beginning["seq"]
            count = data.draw(st.integers(0, 12))
            served.journal(me, times=count)
            written += count
            for message in await player.hear_all(data.draw(st.integers(0, written - last))):
                heard.append(message["seq"])
                last = message["seq"]
        count = data.draw(st.integers(0, 12))
        served.journal(me, times=count)
        written += count
    assert heard == list(range(1, len(heard) + 1))


async def test_clients_that_join_while_the_journal_grows_stand_where_the_others_do(served):
    me = uuid4()
    served.journal(me, times=50)

    async def grow():
        for _ in range(200):
            served.journal(me)
            await asyncio.sleep(0)

    async def follow(seq: int) -> list[int]:
        async with served.follow(me, seq=seq) as player:
            await player.hear()
            return numbers(await player.hear_all(250 - seq))

    growing = asyncio.create_task(grow())
    found = await asyncio.gather(*(follow(seq) for seq in range(0, 50, 5)))
    await growing
    assert found == [list(range(seq + 1, 251)) for seq in range(0, 50, 5)]


@pytest.mark.parametrize("seq", [-1, "x", 1.5, True, 2**63, [], "1" * 30])
async def test_a_number_that_is_none_is_refused(served, seq):
    async with served.follow(uuid4(), seq=seq) as player:
        assert (await player.closed())[0] == 4400


BULKY = {f"COIN{number}": "moving average 96 above 576 by 0.0123, held at 0.0125" for number in range(20)}


@pytest.mark.parametrize("missed", [40, 600], ids=["that all remember", "of the journal"])
async def test_whoever_missed_more_than_an_outbox_holds_is_told_all_of_it(serving, missed):
    served = await serving(bounds=Bounds(bytes=20_000))
    me = uuid4()
    async with served.follow(me) as first:
        await first.hear()
        for _ in range(missed):
            served.journal(me, kind="decision", why=BULKY)
            assert (await first.hear())["type"] == "signal"
        async with served.follow(me, seq=1) as player:
            assert (await player.hear())["type"] == "resumed"
            assert numbers(await player.hear_all(missed - 1)) == list(range(2, missed + 1))


async def test_what_comes_in_all_at_once_is_told_to_whoever_reads_it_however_much_it_is(serving):
    served = await serving(bounds=Bounds(bytes=20_000))
    me = uuid4()
    async with served.follow(me) as one, served.follow(me) as two:
        for player in (one, two):
            await player.hear()
        served.journal(me, kind="decision", times=1_200, why=BULKY)
        for player in (one, two):
            assert numbers(await player.hear_all(1_200)) == list(range(1, 1_201))
        served.journal(me)
        for player in (one, two):
            assert (await player.hear())["seq"] == 1_201


async def test_a_client_that_catches_up_and_takes_nothing_is_dropped(serving):
    served = await serving(bounds=Bounds(bytes=20_000, patience_s=0.01, linger_s=0.01))
    me = uuid4()
    served.journal(me, kind="decision", times=3_000, why=BULKY)
    async with served.open("floor", max_queue=1) as idle:
        await idle.socket.send(json.dumps({"token": served.token(me), "seq": 0}))
        await idle.hear()
        async with asyncio.timeout(30):
            while served.streams().open:  # noqa: ASYNC110 - a server tells nobody
                await asyncio.sleep(0.001)
        # It would say good-bye, and wait for an answer.
        idle.socket.transport.abort()


async def test_whoever_falls_behind_by_more_than_may_be_replayed_has_to_ask_again(serving, monkeypatch):
    monkeypatch.setattr(floor_stream, "_MOST_REPLAYED", 300)
    served = await serving(bounds=Bounds(bytes=20_000))
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        served.journal(me, kind="decision", times=1_200, why=BULKY)
        assert (await player.closed())[0] == 4008
