"""The kernel earns what rates, fees and amounts come to."""

import json
from pathlib import Path

import pytest

from tests.cases import profit

CASES = Path(__file__).parents[3] / "shared" / "cases" / "profit.json"
OUTCOMES = profit.run(json.loads(CASES.read_text())) if CASES.exists() else []


@pytest.mark.shared
@pytest.mark.skipif(not CASES.exists(), reason="the expected results are not here")
def test_there_are_cases() -> None:
    assert OUTCOMES


@pytest.mark.parametrize(("case", "failure"), OUTCOMES, ids=[case for case, _ in OUTCOMES])
def test_a_row_earns_its_profit(case: str, failure: str | None) -> None:
    assert failure is None, f"{case}: {failure}"
