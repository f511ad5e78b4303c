"""Tables of candles written by hand from the rules of a bar, beside this file: the kernel makes their trades."""

import json
from pathlib import Path

import pytest

from tests.cases import candle_tables

TABLES = json.loads((Path(__file__).parent / "order_of_events.json").read_text())


@pytest.mark.parametrize(("table", "failure"), candle_tables.run(TABLES), ids=[table["id"] for table in TABLES])
def test_a_table_written_by_hand_gives_its_trades(table: str, failure: str | None) -> None:
    assert failure is None, f"{table}: {failure}"


def test_a_table_that_cannot_be_run_fails_alone() -> None:
    (_, good), (_, bad) = candle_tables.run([TABLES[0], TABLES[0] | {"stop_loss": "?"}])
    assert good is None
    assert bad is not None
