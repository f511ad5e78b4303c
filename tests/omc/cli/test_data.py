"""Prices on the command line."""

import json

import pytest

from omc.cli.main import run

QUOTE = {"coin": "BTC", "timestamp": "2025-06-01T00:00:00Z", "bid": "1.00000000", "ask": "3.00000000"}
QUOTE |= {"last": "2.50000000", "gap": False}
GAP = {"coin": "BTC", "timestamp": "2025-06-01T00:05:00Z", "bid": None, "ask": None, "last": None, "gap": True}


def page(*items):
    return {"items": list(items), "total": len(items), "page": 1, "per_page": 200, "pages": 1}


def test_prices_are_a_table_or_json(served, capsys):
    asked = served({"GET /data/prices": page(QUOTE, GAP)})
    assert run(["data", "prices", "btc", "--start", "2025-06-01"]) == 0
    shown = capsys.readouterr().out
    assert "2.50" in shown
    assert "yes" in shown
    assert "interval=5m" in asked[0][1]
    assert run(["data", "prices", "btc", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [QUOTE, GAP]


@pytest.mark.parametrize("form", ["csv", "arrow"])
def test_prices_are_written_to_a_file_as_they_come(served, tmp_path, capsys, form):
    asked = served({"GET /data/prices": "coin,timestamp\r\n"})
    assert run(["data", "prices", "BTC", f"--{form}", "out.file", "--json"]) == 0
    assert (tmp_path / "out.file").read_bytes() == b"coin,timestamp\r\n"
    assert f"format={form}" in asked[0][1]
    assert json.loads(capsys.readouterr().out) == {"file": "out.file", "bytes": 16}
    assert run(["data", "prices", "BTC", "--csv", "a", "--arrow", "b"]) == 2
    assert run(["data", "prices", "BTC", f"--{form}", "no/such/folder"]) == 1


def test_what_is_known_of_coins_is_listed(served, capsys):
    coin = {
        "coin": "BTC",
        "first": "2025-01-01T00:00:00Z",
        "last": "2025-06-01T00:00:00Z",
        "bars": 7,
        "price": "9.50000000",
    }
    quote = {name: value for name, value in QUOTE.items() if name != "gap"} | {"age_s": 1.5}
    served({"GET /data/coins": page(coin), "GET /data/prices/latest": page(quote)})
    assert run(["data", "coins"]) == 0
    assert "9.50" in capsys.readouterr().out
    assert run(["data", "latest"]) == 0
    assert "1.5000" in capsys.readouterr().out


def test_measures_are_facts_with_none_where_too_little_is_stored(served, capsys):
    found = {"coin": "ETH", "at": "2025-06-01T00:00:00Z", "interval": "1h", "window": 5, "last": "2.50000000"}
    found |= {"returns": {"1h": 0.25, "30d": None}, "volatility": 0.5, "spread_bps": 20.0, "mean_spread_bps": None}
    found |= {"averages": [{"bars": 20, "mean": "2.00000000"}], "correlated_with": "BTC", "correlation": -0.75}
    asked = served({"GET /data/metrics/ETH": found})
    assert run(["data", "metrics", "ETH", "--with", "BTC"]) == 0
    shown = capsys.readouterr().out
    assert "-0.7500" in shown
    assert "0.2500" in shown
    assert "with=BTC" in asked[0][1]
    assert run(["data", "metrics", "../x"]) == 2
