"""The kernel enters and leaves where orders with stops and targets were observed to."""

import json
from pathlib import Path

import pytest

from tests.cases import stop_fills

CASES = Path(__file__).parents[3] / "shared" / "cases" / "stop_fills.json"
OUTCOMES = stop_fills.run(json.loads(CASES.read_text())) if CASES.exists() else []


@pytest.mark.shared
@pytest.mark.skipif(not CASES.exists(), reason="the expected results are not here")
def test_there_are_cases() -> None:
    assert OUTCOMES


@pytest.mark.parametrize(("case", "failure"), OUTCOMES, ids=[case for case, _ in OUTCOMES])
def test_an_order_is_entered_and_left_where_it_was_observed(case: str, failure: str | None) -> None:
    assert failure is None, f"{case}: {failure}"
