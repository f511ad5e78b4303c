"""A sandbox exchange in this process, with a hand on its door: a request can be held before it arrives, or its answer
before it is delivered; and everything that it ever carried out is known without asking it.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import Message, Receive, Scope, Send

from omc.adapters.coinspot.exchange.app import SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import KeyRing
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.exchange.server import listening
from omc.adapters.coinspot.exchange.token_file import token_in
from omc.market.synthetic import synthetic_tape
from omc.market.terms import Terms
from omc.trading.paper.venue import PaperVenue, Span

MARKETS = ("BTC", "ETH", "SOL", "XRP")
INSTANT = "DOGE"
_PLACES = tuple(f"/api/v2/my/{side}{how}" for side in ("buy", "sell") for how in ("", "/now"))


class At(Enum):
    REQUEST = "before it arrives"
    ANSWER = "before its answer is delivered"


@dataclass(slots=True)
class Asked:
    """One request of an account, and its answer once there is one."""

    path: str
    account: str | None
    fields: dict[str, Any]
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def places(self) -> bool:
        return self.path in _PLACES

    @property
    def taken(self) -> bool:
        """Whether the exchange took an order by it."""
        return self.places and self.status == 200 and self.answer.get("status") == "ok"

    @property
    def order(self) -> tuple[str, str, Decimal, Decimal]:
        """Side, coin, amount and rate of what it places."""
        return self.path.split("/")[4], *self._what

    @property
    def _what(self) -> tuple[str, Decimal, Decimal]:
        return self.fields["cointype"], Decimal(str(self.fields["amount"])), Decimal(str(self.fields["rate"]))


class Hold:
    """The first request that is `wanted` stops at the door, until it is let go."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wanted: Callable[[Asked], bool], at: At) -> None:
        self.wanted, self.at = wanted, at
        self.reached = threading.Event()
        self.free = asyncio.Event()
        self._loop = loop

    def let_go(self) -> None:
        self._loop.call_soon_threadsafe(self.free.set)


class Exchange:
    """Serves a synthetic market in lock-step, from a thread of its own. `pace_s` is waited before each step."""

    def __init__(self, folder: Path, *, seed: int, days: float, depth_aud: Decimal, pace_s: float) -> None:
        self.token_file = folder / "token"
        self.pace_s = pace_s
        tape = synthetic_tape(seed, days, (*MARKETS, INSTANT))
        terms = Terms(market_coins=frozenset(MARKETS))
        self.venue = PaperVenue(terms, tape.frame.coins, depth_aud, run=f"{seed:06x}"[-6:])
        self.player = TapePlayer(tape, self.venue, 50, lockstep=True)
        ring = KeyRing()
        self._app = SandboxExchange(self.venue, ring, ControlDesk(self.player, ring, token_in(self.token_file)))
        self._ring = ring
        self.asked: list[Asked] = []
        """Everything that an account asked for and that was answered, oldest first."""
        self._holds: list[Hold] = []
        self._loop = asyncio.new_event_loop()
        self._bound = listening("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._bound.getsockname()[1]}"
        config = uvicorn.Config(self, lifespan="off", ws="none", log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="exchange", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        for hold in self._holds:
            hold.let_go()
        self._thread.join(10)
        self._bound.close()

    def hold(self, wanted: Callable[[Asked], bool], at: At) -> Hold:
        hold = Hold(self._loop, wanted, at)
        self._loop.call_soon_threadsafe(self._holds.append, hold)
        return hold

    def step(self) -> None:
        """Move the tape on by one bar, as a step does whose answer was lost."""
        self._do(lambda: self.player.step(self.player.position))

    def touch(self, coin: str, price_aud: Decimal) -> None:
        """Let the bar that is shown have traded at a price, which fills what rests there."""
        self._do(lambda: self.venue.show(self.venue.board, {coin: Span(price_aud, price_aud)}))

    def taken(self, account: str) -> list[Asked]:
        return [each for each in list(self.asked) if each.account == account and each.taken]

    def _do(self, act: Callable[[], object]) -> None:
        """Between two requests."""
        done = threading.Event()

        def do() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(do)
        done.wait(10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        headers = dict(scope["headers"])
        account = self._ring.account_of(headers.get(b"key", b"").decode())
        asked = Asked(scope["path"], account, _fields(body))
        if asked.path == "/sandbox/step" and self.pace_s:
            await asyncio.sleep(self.pace_s)
        await self._pass(asked, At.REQUEST)
        messages: list[Message] = []
        await self._app(scope, _once(body), _into(messages))
        asked.status = messages[0]["status"]
        asked.answer = _fields(b"".join(each.get("body", b"") for each in messages))
        if account is not None:
            self.asked.append(asked)
        await self._pass(asked, At.ANSWER)
        for message in messages:
            await send(message)

    async def _pass(self, asked: Asked, at: At) -> None:
        for hold in self._holds:
            if hold.at is at and not hold.reached.is_set() and not hold.free.is_set() and hold.wanted(asked):
                hold.reached.set()
                await hold.free.wait()
                self._holds.remove(hold)
                return

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._bound]))


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _once(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _into(messages: list[Message]) -> Send:
    async def send(message: Message) -> None:
        messages.append(message)

    return send


def _fields(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
