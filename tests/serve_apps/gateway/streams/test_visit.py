"""Who comes in, for how long, and how everybody else is turned away; hostile clients cost little and learn nothing."""

import asyncio
import json
import logging
import socket
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
import websockets

from omc.access.api_token import ApiToken, digest, token_text
from omc.access.asker import REMEMBERED
from omc.access.closing import MemoryClosing
from omc.access.rate import MemoryRates, Rate
from omc.access.scope import Scope
from omc.access.user import MemoryUserStore
from serve_apps.caller import Proxies
from serve_apps.door import Rules
from serve_apps.gateway.streams.outbox import Bounds, Outbox
from serve_apps.gateway.streams.visit import Ending
from serve_apps.limits import AskingLimits

TINY = Bounds(bytes=20_000, messages=64, linger_s=60.0)


async def settled(served) -> None:
    """Every connection is gone, and nothing of it is left."""
    async with asyncio.timeout(60):
        while served.streams().open:  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.001)
    places = served.streams()._places
    assert (places.at_the_door, dict(places.taken)) == (0, {})
    assert served.streams()._streams["floor"]._channels == {}
    assert served.streams()._streams["prices"]._clients == set()


async def test_a_token_may_come_as_the_first_message_in_the_address_or_as_a_subprotocol(served):
    me = uuid4()
    token = served.token(me)
    async with served.follow(me) as player:
        assert (await player.hear())["type"] == "snapshot"
    async with served.open(f"floor?token={token}") as player:
        assert (await player.hear())["type"] == "snapshot"
    async with served.open("floor", subprotocols=["bearer", token]) as player:
        assert player.socket.subprotocol == "bearer"
        assert (await player.hear())["type"] == "snapshot"
    await settled(served)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "x" * 3_000])
async def test_a_token_that_is_not_ours_is_turned_away(served, token):
    async with served.open("floor") as player:
        await player.socket.send(json.dumps({"token": token}))
        assert await player.closed() == (4001, "the access token is not valid")
    async with served.open(f"floor?token={token or 'x'}") as player:
        assert (await player.closed())[0] == 4001


@pytest.mark.parametrize(
    "first",
    [
        "",
        "hello",
        "[]",
        "{}",
        "null",
        '{"token": 7}',
        '{"token": "x", "also": 1}',
        "[" * 5_000,
        b"\x00\xff",
        "x" * 5_000,
        '{"token": "\\ud800"}',
    ],
)
async def test_a_first_message_that_is_none_is_refused_without_repeating_it(served, first):
    async with served.open("floor") as player:
        await player.socket.send(first)
        code, reason = await player.closed()
        assert code in ((4001,) if "ud800" in str(first) else (4400,))
        assert "hello" not in reason
    await settled(served)


async def test_whoever_does_not_say_who_it_is_has_to_go(serving):
    served = await serving(hello_s=0.01)
    async with served.open("floor") as player:
        assert await player.closed() == (4400, "you did not say who you are in time")


async def test_a_token_that_ends_closes_the_connection(served):
    async with served.open(f"floor?token={served.token(uuid4(), timedelta(seconds=1))}") as player:
        assert await player.closed() == (4001, "the access token has expired")


async def test_a_newer_token_moves_the_end(ports, clock):
    sent = []

    async def send(message):
        sent.append(message)

    outbox = Outbox(send)
    ending = Ending(ports, outbox, clock.now())
    ending.move(clock.now() + timedelta(minutes=15))
    await asyncio.sleep(0.01)
    assert not outbox.closing
    ending.move(clock.now())
    await asyncio.sleep(0.01)
    assert outbox.closing


async def test_a_connection_takes_its_own_accounts_newer_token_and_no_other(served):
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        await player.socket.send(json.dumps({"token": served.token(me)}))
        served.journal(me)
        assert (await player.hear())["seq"] == 1
        await player.socket.send(json.dumps({"token": served.token(uuid4())}))
        assert await player.closed() == (4001, "the token is another account's")
    await settled(served)


async def test_a_token_of_one_account_shows_no_other(served):
    theirs = uuid4()
    served.journal(theirs, times=5, reason="secret")
    async with served.follow(uuid4(), seq=0) as player:
        assert (await player.hear())["type"] == "resumed"
        served.journal(theirs, reason="secret")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(player.socket.recv(), 0.05)


async def test_there_is_no_other_stream(served):
    async with served.follow(uuid4(), path="lab") as player:
        assert (await player.closed())[0] == 4404


async def test_the_paths_are_for_sockets_alone(served, refused):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as http:
        refused(await http.get("/api/v1/ws/floor"), 404, "NOT_FOUND")


async def test_an_account_has_so_many_connections_and_the_replica_so_many_in_all(serving):
    served = await serving(most=3, most_of_one=2)
    me = uuid4()
    async with AsyncExitStack() as stack:
        for _ in range(2):
            player = await stack.enter_async_context(served.follow(me))
            await player.hear()
        async with served.follow(me) as player:
            assert (await player.closed())[0] == 4429
        another = await stack.enter_async_context(served.follow(uuid4()))
        await another.hear()
        async with served.open("floor") as player:
            assert (await player.closed())[0] == 1013
    await settled(served)
    async with served.follow(me) as player:
        assert (await player.hear())["type"] == "snapshot"


async def test_connections_are_limited_as_requests_are(serving, clock):
    limits = AskingLimits(MemoryRates(clock), account=Rate(1, 2), address=Rate(1, 3))
    away = {"additional_headers": {"X-Forwarded-For": "203.0.113.9"}}
    proxies = Proxies(own_front=True)
    served = await serving(rules=Rules(limits=limits, proxies=proxies))
    me = uuid4()
    for _ in range(2):
        async with served.follow(me) as player:
            await player.hear()
    async with served.follow(me) as player:
        assert (await player.closed())[0] == 4429
    for _ in range(3):
        async with served.open("floor?token=nonsense", **away) as player:
            assert (await player.closed())[0] == 4001
    async with served.open("floor?token=nonsense", **away) as player:
        assert (await player.closed())[0] == 4429
    async with served.follow(uuid4()) as player:
        assert (await player.hear())["type"] == "snapshot"


async def test_one_address_has_some_of_the_places_at_the_door(serving):
    served = await serving(rules=Rules(proxies=Proxies(own_front=True)))
    away = {"additional_headers": {"X-Forwarded-For": "203.0.113.9"}}
    async with AsyncExitStack() as stack:
        for _ in range(64):
            await stack.enter_async_context(served.open("floor", **away))
        async with served.open("floor", **away) as player:
            assert (await player.closed())[0] == 4429
        other = await stack.enter_async_context(served.follow(uuid4()))
        assert (await other.hear())["type"] == "snapshot"
    await settled(served)
    assert not served.streams()._places.waiting


async def test_a_client_that_does_not_read_is_dropped_and_has_missed_nothing(serving):
    served = await serving(bounds=TINY)
    me = uuid4()
    async with served.open("floor", max_queue=1) as slow, served.follow(me) as quick:
        await slow.socket.send(json.dumps({"token": served.token(me)}))
        assert (await slow.hear())["type"] == "snapshot"
        assert (await quick.hear())["type"] == "snapshot"
        written = 0
        while not any(each.closing for each in served.streams()._visits):
            served.journal(me, reason="x" * 3_000)
            written += 1
            assert (await quick.hear())["seq"] == written
            assert all(each.waiting_bytes <= TINY.bytes for each in served.streams()._visits)
        heard = [0]
        with suppress(websockets.ConnectionClosed):
            while True:
                heard.append((await slow.hear())["seq"])
        last = heard[-1]
        assert heard == list(range(last + 1))
        assert (await slow.closed())[0] == 4008
        assert last < written
        async with served.follow(me, seq=last) as again:
            assert (await again.hear())["type"] == "resumed"
            assert [(await again.hear())["seq"] for _ in range(last, written)] == list(range(last + 1, written + 1))


async def test_a_client_that_never_reads_again_is_cut_off(serving):
    served = await serving(bounds=Bounds(bytes=20_000, messages=64, linger_s=0.01, patience_s=0.01))
    me = uuid4()
    async with served.open("floor", max_queue=1) as slow:
        await slow.socket.send(json.dumps({"token": served.token(me)}))
        await slow.hear()
        while served.streams().open:
            served.journal(me, reason="x" * 4_000, message="x" * 4_000, printed="x" * 4_000)
            await asyncio.sleep(0)
        await settled(served)
        assert not served.server.server_state.connections
        # It would say good-bye, and wait for an answer.
        slow.socket.transport.abort()


async def test_a_client_that_vanishes_leaves_nothing(served):
    me = uuid4()
    for _ in range(20):
        async with served.follow(me) as player:
            await player.hear()
            player.socket.transport.abort()
    await settled(served)


def handshake(path: str) -> bytes:
    return (
        f"GET /api/v1/ws/{path} HTTP/1.1\r\nHost: omc\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 64, b"\x81\xfe\xff\xff\x00\x00\x00\x00", b"\x81\xff" + b"\x7f" + b"\xff" * 11, b"\x81\x05hello", b""],
    ids=["noise", "cut short", "eight exbibytes", "unmasked", "nothing"],
)
async def test_garbage_frames_end_their_own_connection_alone(served, garbage):
    me = uuid4()
    async with served.follow(me) as player:
        await player.hear()
        for _ in range(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(handshake("floor") + garbage)
            with suppress(ConnectionError):
                await writer.drain()
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 30)
            writer.close()
        served.journal(me)
        assert (await player.hear())["seq"] == 1
    await settled(served)


async def test_a_huge_frame_is_refused_unread(served):
    async with served.open("floor") as player:
        with suppress(websockets.ConnectionClosed):
            await player.socket.send("x" * 1_000_000)
        assert (await player.closed())[0] in (1009, 1006)
    await settled(served)


async def test_a_thousand_who_connect_and_say_nothing_take_the_few_places_at_the_door(serving):
    served = await serving(hello_s=60.0)
    places = None
    sockets = []
    try:
        for _ in range(1_000):
            raw = socket.create_connection(("127.0.0.1", served.port))
            raw.sendall(handshake("floor"))
            sockets.append(raw)
            await asyncio.sleep(0)
        places = served.streams()._places
        async with asyncio.timeout(60):
            door = places.most_at_the_door
            while served.streams().open > door or places.at_the_door < door:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)
        assert places.at_the_door == places.most_at_the_door
    finally:
        for raw in sockets:
            raw.close()
    await settled(served)
    async with served.follow(uuid4()) as player:
        assert (await player.hear())["type"] == "snapshot"


async def test_a_token_stands_in_no_log(serving, caplog, monkeypatch):
    served = await serving()
    me = uuid4()
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.INFO, "uvicorn.error"):
        monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
        monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
        tokens = [served.token(me), "wrong-token-of-somebody"]
        for token in tokens:
            async with served.open(f"floor?token={token}") as player:
                await player.hear() if token == tokens[0] else await player.closed()
            async with served.open("floor", subprotocols=["bearer", token]) as player:
                await player.hear() if token == tokens[0] else await player.closed()
            async with served.open("floor") as player:
                await player.socket.send(json.dumps({"token": token}))
                await player.hear() if token == tokens[0] else await player.closed()
    ours = [each for each in caplog.records if not each.name.startswith("websockets")]
    assert any("accepted" in each.getMessage() for each in ours)
    assert not any(token in each.getMessage() for each in ours for token in tokens)


async def test_everybody_is_told_to_come_again_when_the_replica_goes(served):
    me = uuid4()
    async with served.follow(me) as one, served.follow(uuid4()) as two:
        await one.hear()
        await two.hear()
        served.streams().close()
        assert (await one.closed())[0] == 1001
        assert (await two.closed())[0] == 1001
        async with served.open("floor") as late:
            assert (await late.closed())[0] == 1001
    await settled(served)


async def program(served, user_id, *scopes: Scope) -> str:
    """An API token of that account."""
    token_id, now = uuid4(), served.ports.clock.now()
    text = token_text(token_id, "s" * 43)
    made = ApiToken(token_id, user_id, "x", frozenset(scopes), digest(text), now, now + timedelta(days=1))
    await served.ports.tokens.add(made)
    return text


async def test_a_program_follows_with_a_token_that_reads(served):
    me = uuid4()
    for scope in Scope:
        async with served.open(f"floor?token={await program(served, me, scope)}") as player:
            assert (await player.hear())["type"] == "snapshot"
    await settled(served)


async def test_a_person_whose_password_is_changed_or_account_is_closed_is_told_to_go(serving, clock):
    users = MemoryUserStore()
    closing, served = MemoryClosing(users), await serving(recheck_s=0.01, revocations=users)
    for ended in (
        lambda who: users.set_password(who, "new", clock.now()),
        lambda who: closing.delete(who, clock.now()),
    ):
        user = await users.create(f"{uuid4().hex}@example.com", "hash", None)
        async with served.follow(user.id) as player:
            assert (await player.hear())["type"] == "snapshot"
            await ended(user.id)
            clock.advance(timedelta(seconds=5))
            assert await player.closed() == (4001, "the access token was ended: log in again")
    await settled(served)


async def test_a_program_whose_token_is_revoked_is_told_to_go(serving, clock):
    served, me = await serving(recheck_s=0.01), uuid4()
    text = await program(served, me, Scope.READ)
    async with served.open(f"floor?token={text}") as player:
        assert (await player.hear())["type"] == "snapshot"
        await served.ports.tokens.revoke(me, next(iter(served.ports.tokens.kept)))
        clock.advance(REMEMBERED)
        assert await player.closed() == (4001, "the API token is unknown or revoked")
    await settled(served)
