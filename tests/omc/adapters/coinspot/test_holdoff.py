import asyncio

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.holdoff import LONGEST_S, Holdoff, asked_pause_s
from omc.adapters.coinspot.line import Reply
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials
from omc.errors import RateLimited


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "999999999999"}, LONGEST_S),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "１"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "today"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 -0000", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_by_a_date(headers, pause):
    assert asked_pause_s(headers) == pause


async def test_a_short_pause_is_waited_for_and_of_a_long_one_whoever_asks_is_told():
    holdoff, loop = Holdoff(), asyncio.get_running_loop()
    await holdoff.over("x")
    holdoff.asked(0.05)
    holdoff.asked(None)
    began = loop.time()
    await holdoff.over("x")
    assert loop.time() - began >= 0.05
    holdoff.asked(60.0)
    with pytest.raises(RateLimited, match="my/buy: the venue wants to be left alone for 60 s more"):
        await holdoff.over("my/buy")


class Scripted:
    """A Channel whose answers are written."""

    base_url = "http://scripted"

    def __init__(self, *replies):
        self.replies = list(replies)
        self.sent = []

    async def send(self, method, path, *, content=None, headers=None):
        self.sent.append(content)
        return self.replies.pop(0)

    async def close(self):
        return None


def client_of(*replies):
    line = Scripted(*replies)
    return CoinspotClient("", Credentials("key", "secret"), MemoryNonces(), account="a", line=line), line


LIMITED = b'{"status":"error","message":"slow down"}'
NONCE = Reply(401, b'{"status":"error","message":"invalid nonce"}')
OK = Reply(200, b'{"status":"ok"}')


async def test_a_venue_that_asks_for_a_long_pause_is_not_asked_again_before():
    client, line = client_of(Reply(429, LIMITED, 60.0), OK)
    for _ in range(3):
        with pytest.raises(RateLimited):
            await client.act("my/buy", {})
    assert len(line.sent) == 1


async def test_a_429_that_does_not_say_when_to_come_back_is_left_to_whoever_asked():
    client, _ = client_of(Reply(429, LIMITED), OK)
    with pytest.raises(RateLimited):
        await client.act("my/buy", {})
    assert (await client.act("my/buy", {}))["status"] == "ok"


async def test_what_was_not_looked_at_goes_again_under_a_later_nonce():
    client, line = client_of(NONCE, Reply(429, LIMITED, 0.0), OK)
    assert (await client.act("my/buy", {}))["status"] == "ok"
    assert len(line.sent) == len(set(line.sent)) == 3


async def test_what_is_urgent_is_asked_for_even_while_the_venue_wants_to_be_left_alone():
    client, line = client_of(Reply(429, LIMITED, 60.0), Reply(429, LIMITED, 60.0), OK)
    for path, urgent in (("my/buy", False), ("my/buy/cancel/all", True)):
        with pytest.raises(RateLimited):
            await client.act(path, {}, urgent=urgent)
    assert len(line.sent) == 2
    assert (await client.act("my/buy/cancel/all", {}, urgent=True))["status"] == "ok"
