"""A tear sheet is one file that needs nothing from anywhere, and shows what it was given as text."""

import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import plotly.graph_objects
import pytest

from omc.backtest.deflated import Deflated
from omc.backtest.tearsheet.backtest import Past, tearsheet
from omc.backtest.tearsheet.equity import BENCHMARK, Curve
from omc.backtest.tearsheet.page import Verdict
from omc.backtest.tearsheet.trades import resampled
from omc.feature.frame import Frame
from omc.trading.fill import Fill, Side

BARS = 5_000
TIMES = np.datetime64("2025-01-01", "us") + np.arange(BARS) * np.timedelta64(300, "s")
EQUITY = 1_000 + 50 * np.sin(np.arange(BARS) / 300)
PRICE = (90_000 + 900 * np.sin(np.arange(BARS) / 50))[:, None]
TRADES = [
    Fill("1", "BTC", Side.BUY, Decimal("0.01"), Decimal("900.90"), Decimal("0.9"), datetime(2025, 1, 2, tzinfo=UTC)),
    Fill("2", "BTC", Side.SELL, Decimal("0.01"), Decimal("999.00"), Decimal("1"), datetime(2025, 1, 5, tzinfo=UTC)),
]
PAST = Past(
    curves={"floor": Curve(TIMES, EQUITY), "backtest": Curve(TIMES, EQUITY), BENCHMARK: Curve(TIMES, EQUITY / 2)},
    trades=TRADES,
    reasons=["signal", "stop_loss"],
    prices=resampled(Frame(TIMES, ("BTC",), PRICE, PRICE, PRICE)),
    bar_s=300.0,
    costs_aud={"fees": 1.9, "spread": 3.0, "slippage": 0.0},
    headline={"total return": "1.00%"},
    metrics={"Sharpe": "1.2"},
    facts={"fees": "A$1.90", "trades": 2},
    deflated=Deflated(sharpe=1.2, threshold=1.9, probability=0.21, tries=1_000),
    intervals=[("Total return", "-3.0%", "1.0%", "4.0%")],
)


def charts(page):
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else []


def fingerprint(script):
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_everything_is_on_one_page_that_loads_nothing():
    page = tearsheet("Trend on <b>BTC</b>", PAST, about="paper & more")
    assert page.startswith("<!doctype html>")
    assert not re.search(r"\b(src|href)\s*=", page)
    assert "http" not in page.replace("http-equiv", "")
    for text in (
        "A$1.90",
        '<td class="number">0.01000000</td><td class="number">90,000.00000000</td>',
        "900.90",
        "2025-01-05 00:00",
        "stop loss",
        "Trend on &lt;b&gt;BTC&lt;/b&gt;",
        "paper &amp; more",
        "Tried 1,000 times",
        "21.0%",
        "Total return",
    ):
        assert text in page
    assert "<b>BTC</b>" not in page
    assert '<p class="verdict' not in page
    assert len(page) < 2_500_000
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "At a glance",
        "Equity and drawdown",
        "Trades on candles",
        "Monthly returns",
        "Rolling Sharpe ratio",
        "What trading cost",
        "Chance",
        "Metrics",
        "About",
        "Trades (2)",
    ]


def test_every_chart_is_one_that_plotly_knows():
    drawn = charts(tearsheet("A", PAST))
    assert len(drawn) == 5
    for chart in drawn:
        plotly.graph_objects.Figure(chart)


def test_equity_can_be_looked_at_on_a_logarithmic_scale_beside_the_benchmark():
    equity = charts(tearsheet("A", PAST))[0]
    assert [each["args"] for each in equity["layout"]["updatemenus"][0]["buttons"]] == [
        [{"yaxis.type": "linear"}],
        [{"yaxis.type": "log"}],
    ]
    assert {trace["name"] for trace in equity["data"]} == {"floor", "backtest", BENCHMARK, "buy", "sell"}


def test_its_policy_allows_its_own_scripts_and_nothing_else():
    page = tearsheet("A", PAST)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)[1]
    assert policy.startswith("default-src 'none';")
    assert "unsafe-inline" not in policy.split("script-src")[1]
    assert policy.count("'sha256-") == 2
    (drawing,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert fingerprint(drawing) in policy


def test_the_library_is_in_it_once_and_is_the_one_that_the_policy_allows():
    page = tearsheet("A", PAST)
    (packed,) = re.findall(r'id="library">(.*?)</script>', page)
    library = gzip.decompress(base64.b64decode(packed)).decode()
    assert "plotly.js v" in library
    assert fingerprint(library) in page


def test_what_a_chart_names_cannot_end_its_element():
    coin = "</script><script>alert(1)</script>"
    trades = [replace(each, coin=coin) for each in TRADES]
    prices = {coin: next(iter(PAST.prices.values()))}
    page = tearsheet("A", replace(PAST, trades=trades, prices=prices, reasons=[coin, coin]))
    assert "alert(1)</script>" not in page
    assert charts(page)[1]["data"][0]["name"] == coin


def test_the_same_report_is_drawn_the_same_whoever_else_is_drawing():
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: tearsheet("A", PAST), range(4)))
    assert set(drawn) == {tearsheet("A", PAST)}


def test_nothing_at_all_is_a_page_too():
    nothing = Curve(np.array([], "datetime64[us]"), np.array([]))
    for curves in ({"floor": nothing}, {}):
        page = tearsheet("Empty", Past(curves=curves))
        assert "None." in page
        assert "No bar has been traded." in page
        assert "<script" not in page


@pytest.mark.parametrize("bars", [1, 2, 30])
def test_a_short_past_is_a_page_too(bars):
    curves = {"backtest": Curve(TIMES[:bars], EQUITY[:bars])}
    for chart in charts(tearsheet("Short", Past(curves=curves, bar_s=300.0))):
        plotly.graph_objects.Figure(chart)


def test_a_verdict_says_what_speaks_against_it():
    good = tearsheet("A", Past(), verdict=Verdict(True, "It <holds>."))
    assert '<p class="verdict">It &lt;holds&gt;.</p>' in good
    assert "<ul>" not in good
    differences = tuple(f"no. {at} <is> wrong" for at in range(60))
    broken = tearsheet("A", Past(), verdict=Verdict(False, "They differ:", differences))
    assert '<p class="verdict broken">They differ:</p><ul><li>no. 0 &lt;is&gt; wrong</li>' in broken
    assert broken.count("<li>") == 51
    assert "and 10 more" in broken


def test_of_very_many_trades_the_first_are_shown():
    many = [replace(TRADES[0], fill_id=str(at)) for at in range(2_500)]
    page = tearsheet("A", replace(PAST, trades=many, reasons=["signal"] * 2_500))
    assert page.count('<tr class="fill">') == 2_000
    assert "Trades (2,500)" in page
    assert "The first 2,000 are listed." in page


def test_whoever_draws_nothing_loads_no_library_to_draw_with():
    program = "import sys, omc.backtest.tearsheet.backtest; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
