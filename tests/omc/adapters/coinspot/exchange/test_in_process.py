"""The line within a process ends as the one over sockets does, whatever the exchange does to it."""

import asyncio
import contextlib
from decimal import Decimal

import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.faults import CHANGES_TRADES, FITTING, Asked, FaultKind
from omc.adapters.coinspot.exchange.in_process import InProcessLine
from omc.adapters.coinspot.exchange.plan import FaultPlan, Spans
from omc.adapters.coinspot.exchange.server import serve
from omc.adapters.coinspot.line import Line
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.signature import Credentials
from omc.clock import ManualClock
from omc.errors import OmcError, Unavailable
from omc.market.quote import QuoteBoard

SPANS = Spans(latency_s=0.01, silence_s=0.02, lag_s=0.05, maintenance_s=0.02, late_s=0.0)
ASKED = {
    "my/buy": {"cointype": "BTC", "amount": "1", "rate": "100"},
    "my/sell/cancel/all": {},
    "ro/my/orders/completed": {},
    "ro/my/balances": {},
}


def client_on(line):
    return CoinspotClient("", Credentials("demo-key", "demo-secret"), MemoryNonces(), account="demo", line=line)


async def ends(client, app, kinds):
    """How each call ends under each kind of fault, and what the account is after it."""
    told = []
    for kind in kinds:
        for path, fields in ASKED.items():
            app.control.faults.begin(FaultPlan(5, 1.0, frozenset({kind}), spans=SPANS), app.venue.executions)
            try:
                answer = await client.act(path, fields)
                told.append((kind, path, sorted(answer)))
            except OmcError as fault:
                told.append((kind, path, type(fault).__name__))
            app.control.faults.begin(None, app.venue.executions)
            told.append((app.venue.wallet("demo").cash_aud, len(app.venue.executions)))
    return told


@pytest.mark.parametrize("kind", sorted({kind for what in FITTING.values() for kind in what} - CHANGES_TRADES))
async def test_under_each_fault_it_ends_as_the_line_over_sockets(make_wire, kind):
    near, far = make_wire().app, make_wire().app
    here = await ends(client_on(InProcessLine(near, timeout_s=5.0)), near, [kind])
    async with reached(far) as url:
        line = Line(url, 5.0)
        assert here == await ends(client_on(line), far, [kind])
        await line.close()


@contextlib.asynccontextmanager
async def reached(app):
    """`app` on a socket, by the exchange's own server."""
    from omc.adapters.coinspot.exchange.server import listening

    ready = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, listening("127.0.0.1", 0), ready.set_result))
    yield await ready
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def test_whoever_waits_no_longer_leaves_and_the_request_is_carried_out_without_them(make_wire):
    app = make_wire().app
    client = client_on(InProcessLine(app, timeout_s=0.001))
    slow = FaultPlan(5, 1.0, frozenset({FaultKind.LATENCY}), spans=Spans(latency_s=0.2))
    app.control.faults.begin(slow, app.venue.executions)
    with pytest.raises(OmcError, match="gave no answer"):
        await client.act("my/buy", ASKED["my/buy"])
    assert app.venue.executions == []
    async with asyncio.timeout(10):
        while not app.venue.executions:  # noqa: ASYNC110 - an exchange tells nobody
            await asyncio.sleep(0.01)
    assert app.venue.wallet("demo").coins["BTC"] == 1


async def test_a_request_that_is_overtaken_on_its_way_is_refused_when_it_arrives(make_wire):
    """What makes it safe to send an order again that no list shows."""
    app = make_wire().app
    client = client_on(InProcessLine(app, timeout_s=0.001))
    slow = FaultPlan(5, 1.0, frozenset({FaultKind.LATENCY}), spans=Spans(latency_s=0.2))
    app.control.faults.begin(slow, app.venue.executions)
    with pytest.raises(OmcError):
        await client.act("my/buy", ASKED["my/buy"])
    app.control.faults.begin(None, app.venue.executions)
    client._line.timeout_s = 5.0
    await client.read("my/balances")
    await asyncio.gather(*client._line._under_way)
    assert app.venue.executions == []


@pytest.mark.parametrize("kind", sorted(FITTING[Asked.PRICES]))
async def test_prices_come_over_it_too(make_wire, kind):
    app = make_wire().app
    prices = CoinspotPrices("", ManualClock(app.venue.time), line=InProcessLine(app))
    assert (await prices.latest()).quotes == app.venue.board.quotes
    app.control.faults.begin(FaultPlan(2, 1.0, frozenset({kind}), spans=SPANS), [])
    try:
        said = await prices.latest()
    except Unavailable:
        return
    assert isinstance(said, QuoteBoard)
    assert said.quotes.items() <= app.venue.board.quotes.items()


async def test_an_exchange_with_a_bug_is_not_taken_for_one_that_is_silent():
    async def broken(scope, receive, send):
        raise RuntimeError("a bug")

    line = InProcessLine(broken)
    with pytest.raises(RuntimeError, match="a bug"):
        await line.send("GET", "/x")
    await line.close()
    assert repr(line) == "InProcessLine('http://in-process')"


async def test_money_is_exact_over_it(make_wire):
    app = make_wire().app
    client = client_on(InProcessLine(app))
    answer = await client.act(
        "my/buy/now", {"cointype": "PEPE", "amount": "0.1", "amounttype": "coin"} | {"amount": "7.12345678"}
    )
    assert answer["total"] == Decimal("10.79")
