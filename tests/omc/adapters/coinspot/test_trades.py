"""What a market's public list shows was traded."""

import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omc.adapters.coinspot.exchange.in_process import InProcessLine
from omc.adapters.coinspot.trades import CoinspotTrades
from omc.adapters.coinspot.wire import trades_of
from omc.errors import Unavailable
from omc.trading.fill import Side
from omc.trading.volumes import Traded

ROW = {"amount": Decimal("0.5"), "rate": Decimal(100), "total": Decimal(50), "coin": "BTC", "market": "BTC/AUD"}


def test_both_sides_are_read_and_other_markets_are_not():
    rows = [{**ROW, "solddate": f"2025-01-01T00:0{minute}:00.123Z"} for minute in (1, 2)]
    told = trades_of({"buyorders": rows[:1], "sellorders": [rows[1], {**rows[1], "market": "BTC/USDT"}]})
    assert told == [
        Traded(datetime(2025, 1, 1, 0, minute, 0, 123_000, tzinfo=UTC), Decimal("0.50000000")) for minute in (1, 2)
    ]
    assert trades_of({}) == []


@pytest.mark.parametrize("change", [{"amount": "NaN"}, {"solddate": "soon"}, {"amount": None}])
def test_what_cannot_be_read_is_said(change):
    with pytest.raises(Unavailable):
        trades_of({"buyorders": [{**ROW, "solddate": "2025-01-01T00:00:00.000Z", **change}]})


async def test_what_customers_of_an_exchange_traded_is_what_its_list_shows(make_wire):
    app = make_wire().app
    source = CoinspotTrades("http://in-process", line=InProcessLine(app))
    assert await source.newest("BTC") == []
    ask = app.venue.quote("BTC").ask_aud
    app.venue.place("demo", Side.BUY, "BTC", quantity=Decimal("0.25"), price_aud=ask)
    assert [each.quantity for each in await source.newest("BTC")] == [Decimal("0.25")]
    with pytest.raises(Unavailable):
        await source.newest("NOPE")
    await source.close()


def test_it_travels_to_an_actor_as_its_address():
    assert pickle.loads(pickle.dumps(CoinspotTrades("http://x", 3.0))).base_url == "http://x"
