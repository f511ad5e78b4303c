"""A venue's table at the terminal."""

import json

from omc.cli.main import run

VENUE = {
    "name": "coinspot",
    "exchange_url": "https://www.coinspot.com.au",
    "live": {"available": False, "refusal": "this platform plays a tape"},
    "terms": {
        "market_fee_bps": 10,
        "instant_fee_bps": 100,
        "min_order_aud": "1.00000000",
        "market_coins": ["BTC", "ETH"],
    },
    "capabilities": [{"name": "streams", "has": False, "means": "Prices are asked for every few seconds."}],
}


def test_what_a_venue_can_do_and_costs_is_shown(served, capsys):
    page = {"items": [VENUE], "total": 1, "page": 1, "per_page": 200, "pages": 1}
    served({"GET /floor/venues": page, "GET /floor/venues/coinspot": VENUE})
    assert run(["venues"]) == 0
    said = capsys.readouterr().out
    for text in ("not available: this platform plays a tape", "0.1 %", "1 %", "A$1.00", "BTC, ETH", "streams", "no"):
        assert text in said
    assert run(["venues", "coinspot", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == VENUE
    assert run(["venues", "../deployments"]) == 2
