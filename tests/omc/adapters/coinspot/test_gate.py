"""The last look before an order leaves, and what is cancelled though nobody can store a nonce."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.line import Reply
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials
from omc.adapters.coinspot.venue import CoinspotVenue
from omc.clock import ManualClock
from omc.errors import Halted, OutcomeUnknown, Unavailable
from omc.market.terms import Terms
from omc.trading.lease import Lease

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


class Heard:
    """A Channel that writes down what it was sent, and refuses a nonce that does not rise."""

    base_url = "http://venue"

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.lost: set[str] = set()

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        nonce = int(json.loads(content or b"")["nonce"])
        assert all(nonce > earlier for _, earlier in self.sent)
        self.sent.append((path.removeprefix("/api/v2/"), nonce))
        if path in self.lost:
            raise OutcomeUnknown("no answer")
        return Reply(200, b'{"status":"ok","buyorders":[{"id":"1","coin":"ETH","amount":1,"rate":1,"total":1}]}')

    async def close(self) -> None: ...


class Away(MemoryNonces):
    """Nonces whose store does not answer, or is long about it."""

    away: bool = False
    hangs: bool = False

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise Unavailable("the database cannot be reached")
        return await super().next(account, now_ms, sender)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def nonces() -> Away:
    return Away()


@pytest.fixture
def client(heard: Heard, nonces: Away) -> CoinspotClient:
    clock = ManualClock(NOON)
    return CoinspotClient("http://venue", Credentials("k", "s"), nonces, account="a", clock=clock, line=heard)


async def test_what_the_gate_stops_was_not_sent(client, heard):
    def halted() -> None:
        raise Halted("enough")

    with pytest.raises(Halted):
        await client.act("my/buy", {}, gate=halted)
    assert heard.sent == []
    await client.act("my/buy", {}, gate=lambda: None)
    assert [path for path, _ in heard.sent] == ["my/buy"]


async def test_the_gate_is_asked_after_everything_that_is_waited_for(client, heard, nonces):
    """What changes while the nonce is stored is seen."""
    asked_at: list[int] = []
    await client.act("my/buy", {}, gate=lambda: asked_at.append(nonces.last["a"]))
    assert asked_at == [heard.sent[0][1]]


@pytest.mark.parametrize("how", ["away", "hangs"])
async def test_open_orders_are_cancelled_though_no_nonce_can_be_stored(client, heard, nonces, how):
    await client.read("my/balances")
    setattr(nonces, how, True)
    assert await CoinspotVenue(client, Terms()).cancel_all() == 1
    assert [path for path, _ in heard.sent[1:]] == [
        "ro/my/orders/market/open",
        "my/buy/cancel/all",
        "my/sell/cancel/all",
    ]
    assert heard.sent[-1][1] == NOON_MS + 3
    setattr(nonces, how, False)
    await client.read("my/balances")


async def test_no_order_is_sent_under_a_nonce_that_is_not_stored(client, heard, nonces):
    nonces.away = True
    for call in (client.act("my/buy", {}), client.read("my/balances")):
        with pytest.raises(Unavailable):
            await call
    assert heard.sent == []


async def test_one_side_that_fails_keeps_no_order_of_the_other_on_the_book(client, heard):
    heard.lost = {"/api/v2/my/buy/cancel/all", "/api/v2/ro/my/orders/market/open"}
    with pytest.raises(Unavailable, match="open orders were not cancelled"):
        await CoinspotVenue(client, Terms()).cancel_all()
    assert heard.sent[-1][0] == "my/sell/cancel/all"
