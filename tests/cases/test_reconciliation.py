"""Rows of reconciliation pass when they say what is so, in whatever words of their kind, and fail when they do not."""

from typing import Any

import pytest

from tests.cases import reconciliation

RIGHT: dict[str, list[Any]] = {
    "order_vs_venue": [
        ["PENDING_CANCEL", "CANCELED", "CANCELED"],
        ["PARTIALLY_FILLED", "EXPIRED", "EXPIRED (fills kept)"],
        ["SUBMITTED", "Not found", "REJECTED"],
        ["EXPIRED", "not_found", "EXPIRED (ignored)"],
        ["PENDING_UPDATE", "FILLED", "FILLED"],
    ],
    "in_flight_timeout": [["ACCEPTED", "ACCEPTED"], ["PENDING_CANCEL", "UNRESOLVED"]],
    "not_found_guards": ["open-only queries prove nothing", "a recent order is left alone"],
    "never_a_rejection": ["HTTP 502", "proxy error", "HTML instead of JSON", "500 internal error with a message"],
    "definite_rejection": ["HTTP 422 with a structured message", "insufficient balance"],
    "startup": [
        {"case": "local 0, venue 25", "expect": "BUY 25 synthetic"},
        {"case": "local short -100, venue 50", "expect": "close -100, open external 50"},
        {"case": "local 80, venue 80", "expect": "no adjustment"},
        {"case": "local 100, venue flat", "expect": "SELL 100 synthetic"},
        {"case": "local ACCEPTED, venue CANCELED", "expect": "CANCELED"},
        {"case": "multiple partial fills missed", "expect": "rebuilt"},
    ],
    "partial_window": [["complete history", "no adjustment"], ["missing opening fills", "add synthetic opening fill"]],
    "invariants": ["final quantity", "average entry", "unrealized P&L", "deterministic ids"],
}
WRONG: dict[str, list[Any]] = {
    "order_vs_venue": [
        ["SUBMITTED", "not_found", "CANCELED"],
        ["PENDING_CANCEL", "not_found", "CANCELED"],
        ["ACCEPTED", "CANCELED", "CANCELED (fills kept)"],
        ["ACCEPTED", "not_found", "REJECTED (ignored)"],
        ["NONSENSE", "not_found", "REJECTED"],
        ["SUBMITTED"],
    ],
    "in_flight_timeout": [["SUBMITTED", "UNRESOLVED"], ["ACCEPTED", "REJECTED"]],
    "not_found_guards": ["the moon is full"],
    "never_a_rejection": ["structured venue reject", "HTTP 400", "the moon is full"],
    "definite_rejection": ["HTTP 502", "request timeout", "the moon is full"],
    "startup": [
        {"case": "local long 100, venue 150", "expect": "BUY 49 synthetic"},
        {"case": "local long 100, venue 150", "expect": "SELL 50 synthetic"},
        {"case": "local +100, venue -50", "expect": "close 50, open external -50"},
        {"case": "local ACCEPTED, venue CANCELED", "expect": "FILLED"},
        {"case": "the moon is full", "expect": "nothing"},
        {"case": "no expectation"},
    ],
    "partial_window": [["all fills captured", "replace by one synthetic fill"], ["the moon is full", "empty"]],
    "invariants": ["the moon is full"],
}


def rows(tables: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(table, row) for table, listed in tables.items() for row in listed]


@pytest.mark.parametrize(("table", "row"), rows(RIGHT), ids=str)
def test_what_is_so_passes(table: str, row: Any) -> None:
    ((_, wrong),) = reconciliation.run({table: [row]})
    assert wrong is None


@pytest.mark.parametrize(("table", "row"), rows(WRONG), ids=str)
def test_what_is_not_so_fails(table: str, row: Any) -> None:
    ((_, wrong),) = reconciliation.run({table: [row]})
    assert wrong is not None
