"""The Arrow writer says what the CSV writer says: they are twins."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.arrow import ArrowWriter
from omc.errors import InvalidInput
from omc.feature.table import CsvWriter, Schema, records
from omc.market.money import from_grid, from_units, money_units

SCHEMA: Schema = {
    "word": "text",
    "coins": "texts",
    "at": "time",
    "price": "money",
    "score": "number",
    "count": "whole",
    "gap": "flag",
}
PRICES = st.integers(1, 10**17).map(lambda units: units / 1e8) | st.just(float("nan"))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)) | st.none()  # noqa: DTZ001 - numpy has no zones


def columns(rows):
    times = np.array([np.datetime64(each, "us") if each else np.datetime64("NaT", "us") for _, each in rows], "M8[us]")
    prices = np.array([price for price, _ in rows], np.float64)
    return {
        "word": [None if n % 2 else f'w{n}, "é"' for n in range(len(rows))],
        "coins": [("BTC", "ETH")[: n % 3] for n in range(len(rows))],
        "at": times,
        "price": prices,
        "score": prices / 3,
        "count": np.arange(len(rows)),
        "gap": np.isnan(prices),
    }


def written(writer, pieces):
    return b"".join([*(writer.write(piece) for piece in pieces), writer.close()])


@given(st.lists(st.lists(st.tuples(PRICES, TIMES), max_size=20), max_size=4))
def test_arrow_and_csv_hold_the_same_rows_as_json(pieces):
    tables = [columns(rows) for rows in pieces]
    told = [row for table in tables for row in records(SCHEMA, table)]
    arrow = pa.ipc.open_stream(written(ArrowWriter(SCHEMA), tables)).read_all()
    rows = arrow.to_pylist()
    assert [{**row, "coins": tuple(row["coins"])} for row in rows] == told
    shown = list(csv.DictReader(io.StringIO(written(CsvWriter(SCHEMA), tables).decode(), newline="")))
    assert len(shown) == len(told)
    for text, row in zip(shown, told, strict=True):
        assert text["word"] == (row["word"] or "")
        assert text["coins"].split() == list(row["coins"])
        assert (datetime.fromisoformat(text["at"]) if text["at"] else None) == row["at"]
        assert (Decimal(text["price"]) if text["price"] else None) == row["price"]
        assert (float(text["score"]) if text["score"] else None) == row["score"]
        assert (int(text["count"]), text["gap"]) == (row["count"], "true" if row["gap"] else "false")


def test_a_table_without_rows_still_names_its_columns():
    assert written(CsvWriter(SCHEMA), []) == b"word,coins,at,price,score,count,gap\r\n"
    schema = pa.ipc.open_stream(written(ArrowWriter(SCHEMA), [])).schema
    assert schema.names == list(SCHEMA)
    assert schema.field("price").type == pa.decimal128(38, 8)
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\uff1d1"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text):
    assert written(CsvWriter({"title": "text"}), [{"title": [text]}]).decode() == f"title\r\n'{text}\r\n"


def test_times_have_a_fraction_only_where_there_is_one():
    times = np.array(["2025-06-01T00:00:00", "2025-06-01T00:00:00.5", "NaT"], "M8[us]")
    text = written(CsvWriter({"at": "time"}), [{"at": times}]).decode().split()
    assert text == ["at", "2025-06-01T00:00:00Z", "2025-06-01T00:00:00.500000Z", '""']
    assert records({"at": "time"}, {"at": times})[0] == {"at": datetime(2025, 6, 1, tzinfo=UTC)}


@given(st.integers(0, 10**17))
def test_money_is_read_off_the_grid_exactly_however_large(units):
    value = units / 1e8
    found, known = money_units(np.array([value]))
    assert known.all()
    assert from_units(int(found[0])) == from_grid(value)


def test_what_is_no_amount_is_refused():
    with pytest.raises(InvalidInput, match="no amount"):
        money_units(np.array([1e12]))
