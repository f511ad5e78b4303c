"""An answer begins once the request has come to its end, or does not come."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from cluster import body_first as module
from cluster.body_first import body_first

TOLD = ["http.response.start", "http.response.body"]


class Connection:
    """What a server has of one request: so many parts of its body, of which each is given out once."""

    def __init__(self, parts: int, *, ends: bool = True) -> None:
        self.left, self.ends = parts, ends
        self.sent = list[tuple[str, int]]()
        """With how many parts were left when it was sent."""

    async def receive(self) -> Message:
        if self.left == 0:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": b"x", "more_body": self.left > 0 or not self.ends}

    async def send(self, message: Message) -> None:
        self.sent.append((message["type"], self.left))


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body"})


async def reads_one_and_answers(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive())["body"] == b"x"
    await answers(scope, receive, send)


def scope_of(*headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "headers": [(b"host", b"here"), *headers]}


@pytest.mark.parametrize("header", [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")])
@pytest.mark.parametrize("app", [answers, reads_one_and_answers])
async def test_an_answer_waits_until_all_has_come(app, header):
    of = Connection(5)
    await body_first(app)(scope_of(header), of.receive, of.send)
    assert of.sent == [(each, 0) for each in TOLD]


@pytest.mark.parametrize("app", [answers, reads_one_and_answers])
async def test_what_does_not_come_is_not_waited_for_for_long(app, monkeypatch):
    monkeypatch.setattr(module, "_REST_WITHIN_S", 0.01)
    of = Connection(3, ends=False)
    await body_first(app)(scope_of((b"content-length", b"5")), of.receive, of.send)
    assert of.sent == [(each, 0) for each in TOLD]


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
async def test_what_has_no_body_is_answered_at_once(headers):
    of = Connection(0)
    await body_first(answers)(scope_of(*headers), of.receive, of.send)
    assert of.sent == [(each, 0) for each in TOLD]


async def test_whoever_asks_before_sending_is_not_told_to_send_what_nobody_reads():
    of = Connection(5)
    asks = scope_of((b"content-length", b"5"), (b"expect", b"100-Continue"))
    await body_first(answers)(asks, of.receive, of.send)
    assert of.sent == [(each, 5) for each in TOLD]
    await body_first(reads_one_and_answers)(asks, of.receive, of.send)
    assert of.sent[2:] == [(each, 0) for each in TOLD]


async def test_whoever_has_gone_is_not_waited_for():
    of = Connection(0)

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    await body_first(answers)(scope_of((b"content-length", b"5")), gone, of.send)
    assert [kind for kind, _ in of.sent] == TOLD
