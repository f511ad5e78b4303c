"""A message says what its journal entry says, in the shapes of the HTTP contract, and nothing that was not meant."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.quote import Quote
from omc.trading.fill import Fill, Side
from omc.trading.journal import JournalEntry
from omc.trading.order import OrderStatus
from omc.trading.stream import MessageType, Numbered, message_of, quote_of

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
MINE, OURS = UUID(int=1), UUID(int=2)
FILL = Fill("f1", "BTC", Side.BUY, Decimal("0.001"), Decimal("100.10"), Decimal("0.1"), NOON)


def told(kind: str, data: dict[str, Any], number: int = 7, deployment_id: UUID | None = OURS) -> dict[str, Any]:
    """As a client reads it."""
    entry = JournalEntry(99, kind, deployment_id, NOON, data)
    return json.loads(message_of(Numbered(MINE, number, entry)).text())


def stored(value: Any) -> Any:
    """As the database gives it back."""
    return json.loads(json.dumps(value, default=lambda each: each.isoformat() if hasattr(each, "hour") else str(each)))


def test_every_message_has_its_type_its_number_its_time_and_its_data():
    message = told("submitted", {"coin": "BTC", "side": "buy", "client_order_id": "a"})
    assert message == {
        "type": "order",
        "seq": 7,
        "timestamp": "2025-06-01T12:00:00Z",
        "data": {
            "kind": "submitted",
            "deployment_id": str(OURS),
            "status": "submitted",
            "coin": "BTC",
            "side": "buy",
            "client_order_id": "a",
        },
    }


@pytest.mark.parametrize("form", [lambda data: data, stored], ids=["in memory", "from the database"])
def test_an_order_with_fills_is_a_fill_in_the_shape_of_a_trade(form):
    message = told("partial", form({"client_order_id": "a", "coin": "BTC", "side": "buy", "fills": [asdict(FILL)]}))
    assert message["type"] == "fill"
    assert message["data"]["status"] == "partial"
    (trade,) = message["data"]["fills"]
    assert trade == {
        "id": trade["id"],
        "coin": "BTC",
        "side": "buy",
        "quantity": "0.00100000",
        "price_aud": "100000.00000000",
        "total_aud": "100.10000000",
        "fee_aud": "0.10000000",
        "executed_at": "2025-06-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        *((status.value, "order") for status in OrderStatus),
        ("decision", "signal"),
        ("rebalance", "signal"),
        ("position", "position"),
        ("pnl", "pnl"),
        ("halt", "halt"),
        ("reset", "halt"),
        ("deployment", "deployment"),
        ("breach", "risk"),
        ("something new", "risk"),
    ],
)
def test_every_kind_of_entry_is_one_message_of_a_known_type(kind, type_):
    assert told(kind, {})["type"] == type_


def test_amounts_have_eight_decimals_and_weights_are_numbers_or_null():
    data = told("decision", {"targets": {"BTC": 0.25, "ETH": float("nan"), "XYZ": None}, "quantity": "1e-9"})["data"]
    assert data["targets"] == {"BTC": 0.25, "ETH": None, "XYZ": None}
    assert data["quantity"] == "0.00000000"
    assert told("breach", {"figure": "NaN", "threshold": Decimal("12.5")})["data"]["figure"] is None


def test_what_no_table_names_stays_inside():
    secret = {"leases": {"risk:0": 3}, "api_secret": "hush", "password": "hush", "headers": {"key": "hush"}}
    assert "hush" not in json.dumps(told("credential", secret))
    assert set(told("submitted", secret)["data"]) == {"kind", "deployment_id", "status"}


def test_any_amount_is_told_by_its_name():
    assert told("limits", {"daily_loss_aud": "50.5", "gross_aud": None})["data"] == {
        "kind": "limits",
        "deployment_id": str(OURS),
        "daily_loss_aud": "50.50000000",
        "gross_aud": None,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["fills", "targets", "why", "quantity", "since", "quoted_at", "reason", "parameters", "figure", "slippage_bps"]
)


@given(st.sampled_from(["filled", "decision", "halt", "breach", "deployment"]), st.dictionaries(NAMES, JSON))
def test_whatever_was_journaled_can_be_told(kind, data):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    entry = JournalEntry(1, kind, None, NOON, data)
    text = message_of(Numbered(MINE, 1, entry)).text()
    assert json.loads(text, parse_constant=refuse)["seq"] == 1
    assert text.isascii()


def test_a_quote_is_told_in_the_shape_of_the_hot_cache():
    quote = Quote("BTC", Decimal("1.5"), Decimal(2), Decimal("1.75"))
    assert quote_of(quote) == {"coin": "BTC", "bid": "1.50000000", "ask": "2.00000000", "last": "1.75000000"}


def test_the_types_are_those_of_the_page_that_tells_of_them():
    page = (Path(__file__).parents[3] / "docs/how-to/streams.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) == {each.value for each in MessageType}
