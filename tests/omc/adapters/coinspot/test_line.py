"""A line on which answers come otherwise than whole and at once."""

import asyncio
import contextlib
import ssl

import pytest

from omc.adapters.coinspot import line as lines
from omc.adapters.coinspot.line import Line
from omc.errors import OutcomeUnknown, Unavailable


@contextlib.asynccontextmanager
async def speaking(chunks):
    """A server that answers everything in chunks, one after the other, and its address."""

    async def answer(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            async for chunk in chunks():
                writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_answer_that_drips_for_ever_is_none():
    async def dripping():
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async with speaking(dripping) as url:
        line = Line(url, timeout_s=0.2)
        async with asyncio.timeout(10):
            with pytest.raises(OutcomeUnknown, match=r"no whole answer in 0\.2 s"):
                await line.send("POST", "/api/v2/ro/my/balances", content=b"{}")
        await line.close()


async def test_an_answer_without_an_end_fills_no_memory(monkeypatch):
    monkeypatch.setattr(lines, "LARGEST_ANSWER", 1_000)
    sent = []

    async def endless():
        while True:
            sent.append(1)
            yield b"x" * 100
            await asyncio.sleep(0)

    async with speaking(endless) as url:
        line = Line(url)
        with pytest.raises(OutcomeUnknown, match="more than 1000 bytes"):
            await line.send("GET", "/pubapi/v2/latest")
        await line.close()


async def test_an_answer_in_pieces_is_put_together():
    async def pieces():
        for part in (b'{"status"', b':"ok"', b"}"):
            yield part

    async with speaking(pieces) as url:
        line = Line(url)
        assert (await line.send("GET", "/pubapi/v2/latest")).content == b'{"status":"ok"}'
        await line.close()


@contextlib.asynccontextmanager
async def saying(*answers):
    """A server that gives these answers to all that it is asked, one after the other, and hangs up after the last; its
    address, and the requests."""
    asked, left = [], list(answers)

    async def answer(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                said = [row.split(b":") for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")]
                asked.append(head + await reader.readexactly(int(said[0][1]) if said else 0))
                if not left:
                    break
                writer.write(left.pop(0))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_that_is_cut_off_is_sent_once_and_its_outcome_unknown(method):
    async with saying(OK) as (url, asked):
        line = Line(url)
        assert (await line.send(method, "/first")).content == b"{}"
        # On the connection that was kept.
        with pytest.raises(OutcomeUnknown, match="gave no answer"):
            await line.send(method, "/second")
        assert [each.split()[1] for each in asked] == [b"/first", b"/second"]
        await line.close()


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"no protocol at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_whole_or_cannot_be_read_is_none(broken):
    async with saying(broken) as (url, asked):
        line = Line(url, timeout_s=1.0)
        with pytest.raises(OutcomeUnknown):
            await line.send("POST", "/api/v2/my/buy", content=b"{}")
        assert len(asked) == 1
        await line.close()


async def test_an_answer_that_points_elsewhere_is_the_answer():
    async with saying(OK) as (elsewhere, asked):
        there = b"HTTP/1.1 307 No\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % elsewhere.encode()
        async with saying(there) as (url, _):
            line = Line(url)
            assert (await line.send("POST", "/api/v2/my/buy", content=b"{}")).status == 307
            assert asked == []
            await line.close()


async def test_nobodys_proxy_is_asked_on_the_way_to_this_machine(monkeypatch):
    async with saying(OK) as (proxy, seen), saying(OK) as (url, asked):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        line = Line(url)
        assert (await line.send("GET", "/pubapi/v2/latest")).status == 200
        assert (len(asked), seen) == (1, [])
        await line.close()


async def test_what_cannot_be_reached_was_never_sent():
    async with saying(OK) as (url, _):
        pass
    for address in (url, "ftp://127.0.0.1", "http://", "https://name.invalid"):
        line = Line(address, timeout_s=1.0)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await line.send("POST", "/api/v2/my/buy", content=b"{}")
        await line.close()


async def test_nothing_is_sent_to_who_cannot_say_who_they_are():
    async with saying(OK) as (url, asked):
        line = Line(url.replace("http:", "https:"), timeout_s=1.0)
        with pytest.raises(Unavailable, match="cannot be reached"):
            await line.send("POST", "/api/v2/my/buy", content=b"{}")
        assert line._session.connector._ssl.verify_mode is ssl.CERT_REQUIRED
        assert line._session.connector._ssl.check_hostname
        assert asked == []
        await line.close()
