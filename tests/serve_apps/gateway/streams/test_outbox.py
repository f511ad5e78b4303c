"""What waits for a client is bounded, whatever the client does."""

import asyncio

import pytest

from serve_apps.gateway.streams.outbox import SLOW, BoundedSockets, Bounds, Outbox, beside


class Wire:
    """A socket that takes messages while it is open, and its server's `send`."""

    def __init__(self, takes: bool = True) -> None:
        self.taken: list[dict] = []
        self.opened = asyncio.Event()
        self.transport = self
        self.aborted = False
        if takes:
            self.opened.set()

    async def send(self, message) -> None:
        await self.opened.wait()
        self.taken.append(message)

    def abort(self) -> None:
        self.aborted = True

    def texts(self) -> list[str]:
        return [each["text"] for each in self.taken if "text" in each]


async def ticks(many: int = 20) -> None:
    for _ in range(many):
        await asyncio.sleep(0)


@pytest.fixture
async def running():
    """`running(outbox)` sends what is put in."""
    tasks = []
    yield lambda outbox: tasks.append(asyncio.create_task(outbox.run()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_messages_are_sent_in_their_order(running):
    wire = Wire()
    outbox = Outbox(wire.send)
    running(outbox)
    for number in range(100):
        outbox.say(str(number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await ticks(200)
    assert wire.texts() == [str(number) for number in range(100)]
    assert outbox.waiting_bytes == 0


@pytest.mark.parametrize("bounds", [Bounds(bytes=50), Bounds(messages=5)], ids=["bytes", "messages"])
async def test_a_client_for_whom_too_much_waits_is_told_so_instead(running, bounds):
    wire = Wire(takes=False)
    outbox = Outbox(wire.send, bounds)
    running(outbox)
    for _ in range(100):
        outbox.say("0123456789")
        assert outbox.waiting_bytes <= 60
        await asyncio.sleep(0)
    assert outbox.closing
    wire.opened.set()
    await ticks()
    assert wire.taken[-1]["type"] == "websocket.close"
    assert wire.taken[-1]["code"] == SLOW
    assert len(wire.texts()) <= 1


async def test_a_message_larger_than_the_bounds_is_sent_when_nothing_waits(running):
    wire = Wire()
    outbox = Outbox(wire.send, Bounds(bytes=10))
    running(outbox)
    outbox.say("x" * 1_000)
    await ticks()
    assert wire.texts() == ["x" * 1_000]


async def test_what_waits_is_sent_before_a_goodbye(running):
    wire = Wire()
    outbox = Outbox(wire.send)
    outbox.say("1")
    outbox.say("2")
    outbox.close(1001, "bye")
    outbox.say("3")
    running(outbox)
    await ticks()
    assert wire.texts() == ["1", "2"]
    assert wire.taken[-1] == {"type": "websocket.close", "code": 1001, "reason": "bye"}


async def test_room_is_waited_for_until_half_is_free(running):
    wire = Wire(takes=False)
    outbox = Outbox(wire.send, Bounds(bytes=100))
    running(outbox)
    for _ in range(9):
        outbox.say("0123456789")
    waiting = asyncio.create_task(outbox.room(10))
    await ticks()
    assert not waiting.done()
    wire.opened.set()
    await asyncio.wait_for(waiting, 30)
    assert outbox.waiting_bytes <= 40


async def test_a_client_that_does_not_even_take_its_goodbye_is_cut_off():
    wire = Wire(takes=False)
    outbox = Outbox(wire.send, Bounds(linger_s=0.001))

    async def work() -> None:
        outbox.say("1")
        outbox.close(1001, "bye")
        await asyncio.Event().wait()

    await asyncio.wait_for(beside(outbox, work(), wire.send), 30)
    assert wire.aborted


async def test_a_fault_of_the_work_is_not_swallowed():
    wire = Wire()
    outbox = Outbox(wire.send)

    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await beside(outbox, work(), wire.send)
    assert not wire.aborted


async def test_any_app_behind_the_guard_is_bounded():
    wire = Wire(takes=False)
    sent = 0

    async def app(scope, receive, send) -> None:
        nonlocal sent
        await send({"type": "websocket.accept"})
        while sent < 10_000:
            await send({"type": "websocket.send", "text": "x" * 1_000})
            sent += 1
            await asyncio.sleep(0)
        assert (await receive())["type"] == "websocket.disconnect"

    async def receive():
        await wire.opened.wait()
        return {"type": "websocket.disconnect", "code": 1005}

    guard = BoundedSockets(app, Bounds(bytes=20_000))
    serving = asyncio.create_task(guard({"type": "websocket"}, receive, wire.send))
    while sent < 10_000:  # noqa: ASYNC110 - the app tells nobody
        await asyncio.sleep(0)
    wire.opened.set()
    await asyncio.wait_for(serving, 30)
    assert wire.taken[0]["type"] == "websocket.accept"
    assert wire.taken[-1]["code"] == SLOW
    assert len(wire.taken) < 5
