"""The kernel makes the trades of each table of candles, for the same reasons."""

import json
from pathlib import Path

import pytest

from tests.cases import candle_tables

CASES = Path(__file__).parents[3] / "shared" / "cases" / "candle_tables.json"
OUTCOMES = candle_tables.run(json.loads(CASES.read_text())) if CASES.exists() else []


@pytest.mark.shared
@pytest.mark.skipif(not CASES.exists(), reason="the expected results are not here")
def test_there_are_cases() -> None:
    assert OUTCOMES


@pytest.mark.parametrize(("case", "failure"), OUTCOMES, ids=[case for case, _ in OUTCOMES])
def test_a_table_of_candles_gives_its_trades(case: str, failure: str | None) -> None:
    assert failure is None, f"{case}: {failure}"
