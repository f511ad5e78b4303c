"""A tear sheet is one file that needs nothing from anywhere, and shows what it was given as text."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from omc.backtest.tearsheet import Curve, report_html
from omc.trading.fill import Fill, Side

TIMES = np.datetime64("2025-01-01", "us") + np.arange(5_000) * np.timedelta64(300, "s")
EQUITY = 1_000 + 50 * np.sin(np.arange(5_000) / 300)
TRADES = [
    Fill("1", "BTC", Side.BUY, Decimal("0.01"), Decimal("900.90"), Decimal("0.9"), datetime(2025, 1, 2, tzinfo=UTC)),
    Fill("2", "BTC", Side.SELL, Decimal("0.01"), Decimal("999.00"), Decimal("1"), datetime(2025, 1, 5, tzinfo=UTC)),
]


def test_floor_and_backtest_are_on_one_page_that_loads_nothing():
    curves = {"floor": Curve(TIMES, EQUITY), "backtest": Curve(TIMES, EQUITY)}
    page = report_html("Trend on <b>BTC</b>", curves, TRADES, {"fees": "A$1.90", "trades": 2})
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 1
    assert not re.search(r"(src|href)=\"(?!#)", page.replace("xmlns:xlink", ""))
    for text in (
        "floor",
        "backtest",
        "A$1.90",
        "0.01",
        "900.90",
        "2025-01-05 00:00",
        "Trend on &lt;b&gt;BTC&lt;/b&gt;",
    ):
        assert text in page
    assert "<b>BTC</b>" not in page
    assert len(page) < 600_000


def test_the_same_report_is_drawn_the_same():
    curves = {"floor": Curve(TIMES, EQUITY)}
    assert report_html("A", curves, TRADES, {}) == report_html("A", curves, TRADES, {})


def test_nothing_at_all_is_a_page_too():
    nothing = Curve(np.array([], "datetime64[us]"), np.array([]))
    assert "None." in report_html("Empty", {"floor": nothing}, [], {})
    assert "None." in report_html("Empty", {}, [], {})


def test_a_long_curve_is_thinned_to_its_ends():
    thin = Curve(TIMES, EQUITY).thinned()
    assert len(thin.times) == 2_000
    assert (thin.times[0], thin.times[-1]) == (TIMES[0], TIMES[-1])
