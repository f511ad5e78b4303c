import asyncio
import json
import logging
import pickle
import socket

import pytest

from omc.adapters.coinspot import client as clients
from omc.adapters.coinspot.client import CoinspotClient, KeySource, outcome, read_public
from omc.adapters.coinspot.holdoff import Holdoff
from omc.adapters.coinspot.line import Line, Reply
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials
from omc.errors import KeyRefused, OutcomeUnknown, RateLimited, Unavailable, VenueRefused

LOST = ("cut", "silence", "500", "502 html", "200 html", "200 garbage", "404 html")


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (200, b'{"status":"error","message":"no"}', VenueRefused),
        (200, b'{"status":"invalid"}', VenueRefused),
        (400, b'{"status":"error","message":"Coin not found"}', VenueRefused),
        (401, b'{"message":"no key"}', KeyRefused),
        (403, b'{"status":"error","message":"read only"}', KeyRefused),
        (401, b'{"status":"error","message":"invalid nonce"}', VenueRefused),
        (429, b'{"status":"error","message":"slow down"}', RateLimited),
        (429, b"<html>", RateLimited),
        (400, b'{"status":"error"}', OutcomeUnknown),
        (400, b'{"message":7}', OutcomeUnknown),
        (404, b"Not Found", OutcomeUnknown),
        (403, b"<html>cloudflare</html>", OutcomeUnknown),
        (500, b'{"status":"error","message":"oops"}', OutcomeUnknown),
        (502, b"<html>", OutcomeUnknown),
        (503, b'{"status":"ok"}', OutcomeUnknown),
        (302, b"", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"null", OutcomeUnknown),
        (200, b"[]", OutcomeUnknown),
        (200, b'{"prices":{}}', OutcomeUnknown),
        (200, b'{"status":true}', OutcomeUnknown),
        (200, b"\xff\xfe", OutcomeUnknown),
        (200, b"[" * 100_000, OutcomeUnknown),
    ],
)
def test_every_answer_is_done_refused_or_unknown(status, content, expected):
    with pytest.raises(expected) as raised:
        outcome("my/buy", Reply(status, content))
    assert type(raised.value) is expected
    assert str(raised.value).startswith("my/buy: ")


def test_done_keeps_every_digit():
    answer = outcome("x", Reply(200, b'{"status":"ok","rate":0.1234567890123456789}'))
    assert str(answer["rate"]) == "0.1234567890123456789"


@pytest.mark.parametrize("how", LOST)
async def test_an_action_whose_answer_is_lost_is_unknown_and_a_reading_is_unavailable(faulty, demo_client, how):
    app, url = faulty
    client = demo_client(url)
    for path in ("/api/v2/my/buy/cancel/all", "/api/v2/ro/my/balances", "/pubapi/v2/latest"):
        app.lose(path, "after", how)
    with pytest.raises(OutcomeUnknown):
        await client.act("my/buy/cancel/all", {})
    with pytest.raises(Unavailable):
        await client.read("my/balances")
    with pytest.raises(Unavailable):
        await read_public(Line(url, 0.4), "latest", Holdoff())
    assert (await client.read("my/balances"))["status"] == "ok"


async def test_nothing_happened_when_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = CoinspotClient(url, Credentials("k", "s"), MemoryNonces(), account="a")
        with pytest.raises(Unavailable, match="cannot be reached"):
            await client.act("my/buy", {})


async def test_asking_too_often_is_said_so(faulty, demo_client):
    app, url = faulty
    app.lose("/api/v2/my/buy", "before", "429")
    with pytest.raises(RateLimited):
        await demo_client(url).act("my/buy", {})


async def test_calls_made_at_once_are_sent_one_by_one_in_the_order_of_their_nonces(faulty, demo_client):
    _, url = faulty
    client = demo_client(url)
    answers = await asyncio.gather(*(client.read("status") for _ in range(30)))
    assert len(answers) == 30


async def test_every_call_takes_a_nonce_before_it_is_sent(faulty):
    asked = []

    class Recording(MemoryNonces):
        async def next(self, account, now_ms, sender=None):
            asked.append((account, now_ms))
            return await MemoryNonces.next(self, account, now_ms)

    _, url = faulty
    nonces = Recording()
    client = CoinspotClient(url, Credentials("demo-key", "demo-secret"), nonces, account="account-1")
    await client.read("status")
    with pytest.raises(VenueRefused):
        await client.act("my/buy", {})
    assert [account for account, _ in asked] == ["account-1"] * 2
    assert all(now_ms > 1_700_000_000_000 for _, now_ms in asked)


async def test_neither_key_nor_secret_leaves_in_any_text(echoing, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = Credentials("planted-key", "planted-secret")
    client = CoinspotClient(echoing, secrets, MemoryNonces(), account="account-1")
    texts = [repr(client), repr(secrets), str(secrets)]
    for path in ("refused", "cut", "500"):
        with pytest.raises((VenueRefused, OutcomeUnknown)) as raised:
            await client.act(path, {})
        texts += [str(raised.value), repr(raised.value), pickle.dumps(raised.value).decode("latin-1")]
    texts.append(caplog.text)
    assert "account-1" in texts[0]
    assert not [text for text in texts if "planted" in text]


@pytest.fixture
async def echoing(served_at):
    """A venue that repeats the headers it got in whatever it says."""

    async def app(scope, receive, send):
        sent = " ".join(f"{name.decode()}={value.decode()}" for name, value in scope["headers"])
        status = 500 if scope["path"].endswith("500") else 400
        content = f'{{"status":"error","message":"you sent {sent} and planted-secret"}}'.encode()
        length = len(content) + scope["path"].endswith("cut")
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async with served_at(app) as url:
        yield url


def test_a_line_travels_as_its_address():
    line = pickle.loads(pickle.dumps(Line("http://127.0.0.1:1/", 3.0)))
    assert (line.base_url, line.timeout_s) == ("http://127.0.0.1:1", 3.0)


class Hanging(MemoryNonces):
    """A store of nonces that takes what it is asked, and answers when it is let."""

    def __init__(self):
        super().__init__()
        self.answers = asyncio.Event()
        self.asked = 0

    async def next(self, account, now_ms, sender=None):
        self.asked += 1
        await self.answers.wait()
        return await super().next(account, now_ms, sender)


class Scripted:
    """A Channel that answers as it was told, one answer after the other, and keeps what it was sent."""

    base_url = "scripted://"

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, method, path, *, content=None, headers=None):
        self.sent.append((path, json.loads(content)["nonce"], headers["key"]))
        return self.answers.pop(0) if self.answers else Reply(200, b'{"status":"ok"}')

    async def close(self):
        """There is nothing to close."""


def client_on(line, nonces=None, key=None):
    return CoinspotClient("", key or Credentials("k", "s"), nonces or MemoryNonces(), account="demo", line=line)


async def test_what_is_urgent_goes_by_an_order_that_waits_for_its_number():
    line, nonces = Scripted(), Hanging()
    client = client_on(line, nonces)
    order = asyncio.create_task(client.act("my/buy", {}, once=True))
    while not nonces.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        for side in ("buy", "sell"):
            await client.act(f"my/{side}/cancel/all", {}, urgent=True)
    assert [path for path, _, _ in line.sent] == ["/api/v2/my/buy/cancel/all", "/api/v2/my/sell/cancel/all"]
    # The store is asked by the first, and found to be away by the second.
    assert nonces.asked == 2
    nonces.answers.set()
    await order
    numbers = [nonce for _, nonce, _ in line.sent]
    assert numbers == sorted(set(numbers))


async def test_nothing_is_sent_when_the_store_of_nonces_is_silent_for_too_long(monkeypatch):
    monkeypatch.setattr(clients, "_STORE_S", 0.01)
    line = Scripted()
    with pytest.raises(Unavailable, match="nothing was sent: no number"):
        await client_on(line, Hanging()).act("my/buy", {}, once=True)
    assert line.sent == []


async def test_what_must_not_be_done_twice_is_not_sent_again_when_its_number_was_seen():
    said = Reply(401, b'{"status":"error","message":"invalid nonce"}')
    line = Scripted(said)
    client = client_on(line)
    with pytest.raises(OutcomeUnknown, match="had this request already"):
        await client.act("my/buy", {}, once=True)
    assert len(line.sent) == 1
    line.answers = [said, said]
    await client.act("my/buy/cancel", {})
    assert len(line.sent) == 4


async def test_what_was_not_looked_at_is_sent_again_even_when_it_must_not_be_done_twice():
    line = Scripted(Reply(429, b'{"status":"error","message":"slow down"}', pause_s=0.0))
    await client_on(line).act("my/buy", {}, once=True)
    assert len(line.sent) == 2


class Replaced(KeySource):
    """A key that is replaced while it waits."""

    def __init__(self):
        self.key = "old"

    async def current(self, *, to_trade):
        return Credentials(self.key, "s")

    async def refused(self, used, message):
        """Nobody is told."""


async def test_a_key_that_was_replaced_while_a_call_waited_signs_nothing_any_more():
    line, key, first = Scripted(), Replaced(), asyncio.Event()
    client = client_on(line, key=key)
    send = line.send

    async def slow(*how, **more):
        line.send = send
        await first.wait()
        return await send(*how, **more)

    line.send = slow
    waiting = [asyncio.create_task(client.act(path, {})) for path in ("status", "my/buy")]
    while line.send is slow:  # noqa: ASYNC110
        await asyncio.sleep(0)
    key.key = "new"
    first.set()
    await asyncio.gather(*waiting)
    assert [(path, signed) for path, _, signed in line.sent] == [("/api/v2/status", "old"), ("/api/v2/my/buy", "new")]


async def test_a_key_that_was_replaced_between_two_tries_signs_the_second_no_more():
    key = Replaced()
    line = Scripted(Reply(401, b'{"status":"error","message":"invalid nonce"}'))
    send = line.send

    async def replacing(*how, **more):
        key.key = {0: "old"}.get(len(line.sent), "new")
        reply = await send(*how, **more)
        key.key = "new"
        return reply

    line.send = replacing
    await client_on(line, key=key).act("status", {})
    assert [signed for _, _, signed in line.sent] == ["old", "new"]
