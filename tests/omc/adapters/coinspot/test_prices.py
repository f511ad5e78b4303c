import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.clock import ManualClock
from omc.errors import InvalidInput, Unavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def control(exchange):
    return SandboxControl(exchange.url, exchange.token_file)


async def test_a_board_of_a_tape_carries_the_tapes_time(exchange, control):
    prices = CoinspotPrices(exchange.url, clock=control)
    before = await prices.latest()
    clock = await control.clock()
    assert before.time == clock.time
    assert set(before.quotes) == {"BTC", "PEPE"}
    stepped = await control.step(clock.position)
    assert stepped == await control.step(clock.position)
    after = await prices.latest()
    assert (after.time, stepped.position) == (stepped.time, clock.position + 1)
    assert after.quotes != before.quotes


async def test_a_board_of_a_real_venue_carries_our_own_time(exchange):
    board = await CoinspotPrices(exchange.url, clock=ManualClock(NOW)).latest()
    assert board.time == NOW
    assert abs((await CoinspotPrices(exchange.url).latest()).time - datetime.now(UTC)).total_seconds() < 60


@pytest.mark.parametrize("how", ["cut", "silence", "500", "502 html", "200 html", "200 garbage", "404 html", "429"])
async def test_a_bad_payload_is_unavailable_and_the_next_one_is_not(faulty, how):
    app, url = faulty
    # Silence lasts a second; whatever else is wrong shows by itself.
    prices = CoinspotPrices(url, ManualClock(NOW), timeout_s=0.8 if how == "silence" else 60.0)
    app.lose("/pubapi/v2/latest", "before", how)
    with pytest.raises(Unavailable):
        await prices.latest()
    assert (await prices.latest()).quotes["BTC"].bid_aud == 99


async def test_prices_and_control_travel_unopened(exchange, control):
    prices = CoinspotPrices(exchange.url, clock=control)
    await prices.latest()
    again = pickle.loads(pickle.dumps(prices))
    assert (await again.latest()) == await prices.latest()
    assert repr(control) == f"SandboxControl({exchange.url!r}, {str(exchange.token_file)!r})"


async def test_the_token_never_shows(exchange, control):
    await control.clock()
    token = exchange.token_file.read_text().strip()
    assert token not in f"{control!r}{vars(control).keys()}"
    assert token.encode() not in pickle.dumps(control)


async def test_a_wrong_token_or_none_is_unavailable(exchange, tmp_path):
    with pytest.raises(Unavailable, match="cannot be read"):
        await SandboxControl(exchange.url, tmp_path / "none").clock()
    (tmp_path / "wrong").write_text("wrong")
    with pytest.raises(Unavailable, match="401"):
        await SandboxControl(exchange.url, tmp_path / "wrong").clock()


async def test_an_account_is_the_same_account_when_it_is_opened_again(control):
    first = await control.open_account("test-account", Decimal("100.00"))
    assert await control.open_account("test-account", Decimal("100.00")) == first
    with pytest.raises(InvalidInput, match="whole cents"):
        await control.open_account("another", Decimal("0.001"))
