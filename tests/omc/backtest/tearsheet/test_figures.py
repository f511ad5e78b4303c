"""Figures as a person reads them."""

from decimal import Decimal

import pytest

from omc.backtest.tearsheet.figures import dollars, figure_of, readable


@pytest.mark.parametrize(
    ("amount", "text"), [("12345.675", "A$12,345.68"), ("-0.5", "-A$0.50"), ("0", "A$0.00")], ids=str
)
def test_dollars_are_shown_to_the_cent(amount, text):
    assert dollars(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("total_return", -0.1234, "-12.34%"),
        ("fees_aud", 12.5, "A$12.50"),
        ("sharpe", 1.23456, "1.235"),
        ("trades", 1_234.0, "1,234"),
        ("calmar", None, "–"),
    ],
)
def test_a_metric_has_its_unit(metric, value, text):
    assert figure_of(metric, value) == text


def test_metrics_are_named_in_words():
    assert readable({"max_drawdown": -0.5, "cagr": None}) == {"Max drawdown": "-50.00%", "CAGR": "–"}
