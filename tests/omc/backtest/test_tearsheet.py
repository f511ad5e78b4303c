"""A tear sheet is one file that needs nothing from anywhere, and shows what it was given as text."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from omc.backtest.tearsheet import Curve, Verdict, dollars, tearsheet
from omc.trading.fill import Fill, Side

TIMES = np.datetime64("2025-01-01", "us") + np.arange(5_000) * np.timedelta64(300, "s")
EQUITY = 1_000 + 50 * np.sin(np.arange(5_000) / 300)
TRADES = [
    Fill("1", "BTC", Side.BUY, Decimal("0.01"), Decimal("900.90"), Decimal("0.9"), datetime(2025, 1, 2, tzinfo=UTC)),
    Fill("2", "BTC", Side.SELL, Decimal("0.01"), Decimal("999.00"), Decimal("1"), datetime(2025, 1, 5, tzinfo=UTC)),
]


def test_floor_and_backtest_are_on_one_page_that_loads_nothing():
    curves = {"floor": Curve(TIMES, EQUITY), "backtest": Curve(TIMES, EQUITY)}
    page = tearsheet("Trend on <b>BTC</b>", curves, TRADES, {"fees": "A$1.90", "trades": 2}, about="paper & more")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 1
    assert "http" not in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    for text in (
        "floor",
        "backtest",
        "A$1.90",
        '<td class="number">0.01000000</td><td class="number">90,000.00000000</td>',
        "900.90",
        "2025-01-05 00:00",
        "Trend on &lt;b&gt;BTC&lt;/b&gt;",
        "paper &amp; more",
    ):
        assert text in page
    assert "<b>BTC</b>" not in page
    assert "verdict" not in page.split("</style>")[1]
    assert len(page) < 600_000


def test_the_same_report_is_drawn_the_same_whoever_else_is_drawing():
    curves = {"floor": Curve(TIMES, EQUITY)}
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: tearsheet("A", curves, TRADES, {}), range(4)))
    assert set(drawn) == {tearsheet("A", curves, TRADES, {})}


def test_nothing_at_all_is_a_page_too():
    nothing = Curve(np.array([], "datetime64[us]"), np.array([]))
    for curves in ({"floor": nothing}, {}):
        page = tearsheet("Empty", curves, [], {})
        assert "None." in page
        assert "No bar has been traded." in page
        assert "<svg" not in page


def test_a_long_curve_is_thinned_to_its_ends():
    thin = Curve(TIMES, EQUITY).thinned()
    assert len(thin.times) == 2_000
    assert (thin.times[0], thin.times[-1]) == (TIMES[0], TIMES[-1])


def test_a_verdict_says_what_speaks_against_it():
    good = tearsheet("A", {}, [], {}, verdict=Verdict(True, "It <holds>."))
    assert '<p class="verdict">It &lt;holds&gt;.</p>' in good
    assert "<ul>" not in good
    differences = tuple(f"no. {at} <is> wrong" for at in range(60))
    broken = tearsheet("A", {}, [], {}, verdict=Verdict(False, "They differ:", differences))
    assert '<p class="verdict broken">They differ:</p><ul><li>no. 0 &lt;is&gt; wrong</li>' in broken
    assert broken.count("<li>") == 51
    assert "and 10 more" in broken


def test_of_very_many_trades_the_first_are_shown():
    page = tearsheet(
        "A", {"floor": Curve(TIMES, EQUITY)}, [replace(TRADES[0], fill_id=str(at)) for at in range(2_500)], {}
    )
    assert page.count("<tr>") == 2_001
    assert page.count("<use") < 2_100
    assert "Trades (2,500)" in page
    assert "The first 2,000 are listed." in page


@pytest.mark.parametrize(
    ("amount", "text"), [("12345.675", "A$12,345.68"), ("-0.5", "-A$0.50"), ("0", "A$0.00")], ids=str
)
def test_dollars_are_shown_to_the_cent(amount, text):
    assert dollars(Decimal(amount)) == text


def test_whoever_draws_nothing_loads_no_library_to_draw_with():
    program = "import sys, omc.backtest.tearsheet; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
