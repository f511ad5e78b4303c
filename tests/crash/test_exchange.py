"""What passes the exchange's door can be held there, and is remembered."""

import threading
from decimal import Decimal

import httpx
import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.trading.fill import Side
from tests.crash.exchange import At, Exchange
from tests.crash.waiting import until


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path, seed=7, days=1, depth_aud=Decimal(400), pace_s=0)
    served.start()
    until(lambda: _answers(served.url), "an exchange that answers")
    yield served
    served.stop()


def _answers(url):
    try:
        return httpx.get(f"{url}/pubapi/v2/latest", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


async def _buy(exchange):
    control = SandboxControl(exchange.url, exchange.token_file)
    client = CoinspotClient(exchange.url, await control.open_account("a", Decimal(500)), MemoryNonces(), account="a")
    fields = {"cointype": "DOGE", "amounttype": "aud", "amount": "100", "rate": "1", "threshold": "100"}
    try:
        return await client.act("my/buy/now", {**fields, "direction": "DOWN"})
    finally:
        await client.close()
        await control.close()


@pytest.mark.parametrize("at", list(At))
async def test_an_order_is_held_before_it_arrives_or_before_its_answer_is_delivered(exchange, at):
    hold = exchange.hold(lambda asked: asked.account == "a" and asked.places, at)
    seen = []

    def look_then_let_go():
        hold.reached.wait(10)
        seen.append(len(exchange.taken("a")))
        hold.let_go()

    looking = threading.Thread(target=look_then_let_go)
    looking.start()
    answer = await _buy(exchange)
    looking.join()
    assert answer["status"] == "ok"
    assert seen == [0 if at is At.REQUEST else 1]
    (taken,) = exchange.taken("a")
    assert taken.order == ("buy", "DOGE", Decimal(100), Decimal(1))
    assert exchange.venue.wallet("a").cash_aud == Decimal(400)


async def test_what_is_not_wanted_passes_by(exchange):
    hold = exchange.hold(lambda asked: asked.account == "somebody else", At.REQUEST)
    assert (await _buy(exchange))["status"] == "ok"
    assert not hold.reached.is_set()


def test_a_step_moves_the_tape_by_one_bar(exchange):
    before = exchange.player.position
    exchange.step()
    assert exchange.player.position == before + 1


def test_what_rests_is_filled_where_the_bar_has_traded_at_its_price(exchange):
    wallet = exchange.venue.open_account("a", Decimal(500))
    limit = exchange.venue.quote("BTC").bid_aud / 2
    order = exchange.venue.place("a", Side.BUY, "BTC", quantity=Decimal("0.001"), price_aud=limit)
    exchange.touch("BTC", limit + 1)
    assert list(wallet.orders) == [order.order_id]
    exchange.touch("BTC", limit)
    assert not wallet.orders
    assert [each.quantity for each in wallet.executions] == [Decimal("0.001")]
