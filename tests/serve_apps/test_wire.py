"""What is written, and what is taken for a value."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from serve_apps.wire import (
    Amount,
    Cash,
    Closing,
    Coins,
    Instant,
    Line,
    Metric,
    Money,
    Opening,
    Parameters,
    Text,
    Time,
    money_text,
    time_text,
)


class Out(BaseModel):
    money: Money = Decimal(0)
    time: Time = datetime(2025, 1, 1, tzinfo=UTC)
    metric: Metric = None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_money_has_eight_decimals_and_no_exponent(amount: Decimal):
    whole, _, decimals = money_text(amount).lstrip("-").partition(".")
    assert whole.isdigit()
    assert decimals.isdigit()
    assert len(decimals) == 8
    assert abs(Decimal(money_text(amount)) - amount) <= Decimal("0.000000005")


@given(st.decimals("0.00000001", "999999999999", places=8))
def test_money_that_goes_out_comes_back_the_same(amount: Decimal):
    assert TypeAdapter(Amount).validate_python(money_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.000123", "0.00012300"),
        ("1E+3", "1000.00000000"),
        ("1E-8", "0.00000001"),
        ("-5", "-5.00000000"),
        ("0E-20", "0.00000000"),
    ],
)
def test_money_is_a_string(amount: str, text: str):
    assert json.loads(Out(money=Decimal(amount)).model_dump_json())["money"] == text


@pytest.mark.parametrize("given_", ["1000", "1000.00", "0.5", 1000, "999999999999.99"])
def test_cash_is_a_string_or_a_whole_number(given_: Any):
    assert TypeAdapter(Cash).validate_python(given_) == Decimal(str(given_))


@pytest.mark.parametrize(
    "given_",
    [
        0,
        "0",
        "0.00",
        -1,
        "-1",
        100.5,
        1.0,
        True,
        None,
        "",
        " ",
        "1 000",
        "1,000",
        "1e3",
        "NaN",
        "Infinity",
        "0x10",
        "1.123",
        "1.000000001",
        "1" * 13,
        10**12,
        10**400,
        "١٠٠",
        "+5",
        ".5",
        "5.",
        ["5"],
        {"aud": 5},
        "5\n",
    ],
    ids=lambda given_: repr(given_)[:20],
)
def test_what_is_no_cash_is_refused(given_: Any):
    with pytest.raises(ValidationError):
        TypeAdapter(Cash).validate_python(given_)


@given(st.integers(0, 3_155_000_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_a_time_that_goes_out_comes_back_the_same(microseconds: int, minutes: int):
    zone = timezone(timedelta(minutes=minutes))
    instant = (datetime(2000, 1, 2, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(zone)
    assert time_text(instant).endswith("Z")
    assert TypeAdapter(Instant).validate_python(time_text(instant)) == instant


@pytest.mark.parametrize(
    "given_",
    [
        "2025-06-01",
        "2025-06-01T00:00:00",
        1_748_736_000,
        "1748736000",
        "2025-13-01T00:00:00Z",
        "2025-06-01T25:00:00Z",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "",
        None,
        "2025-06-01T00:00:00+99:99",
        "2025-06-01 00:00:00 UTC",
        "2025-02-30T00:00:00Z",
        "20250601T000000Z",
    ],
    ids=repr,
)
def test_what_names_no_instant_is_refused(given_: Any):
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(given_)


def test_a_day_is_a_bound_at_its_beginning_or_its_end():
    assert TypeAdapter(Opening).validate_python("2025-06-01") == datetime(2025, 6, 1, tzinfo=UTC)
    last = datetime(2025, 6, 1, 23, 59, 59, 999_999, UTC)
    assert TypeAdapter(Closing).validate_python("2025-06-01") == last
    assert TypeAdapter(Closing).validate_python("2025-06-01T10:00:00+10:00") == datetime(2025, 6, 1, tzinfo=UTC)
    with pytest.raises(ValidationError):
        TypeAdapter(Opening).validate_python("2025-06-31")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_a_metric_without_a_finite_value_is_null(value: float | None):
    assert json.loads(Out(metric=value).model_dump_json())["metric"] is None


def test_coins_are_upper_case_and_each_named_once():
    assert TypeAdapter(Coins).validate_python(["btc", " ETH "]) == ["BTC", "ETH"]
    for wrong in ([], ["BTC", "btc"], ["B-T"], [5], ["X" * 21], "BTC", ["C" + str(n) for n in range(101)]):
        with pytest.raises(ValidationError):
            TypeAdapter(Coins).validate_python(wrong)


def test_parameters_are_plain_finite_values_by_plain_names():
    taken = {"fast": 5, "threshold": 0.5, "mode": "slow", "trailing": True}
    parsed = TypeAdapter(Parameters).validate_python(taken)
    assert parsed == taken
    assert [type(value) for value in parsed.values()] == [int, float, str, bool]
    for wrong in (
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 10**30},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": None},
        {"A": 1},
        {"": 1},
        {"a b": 1},
        {"a": "\0"},
        {"a": "x" * 201},
        {f"p{n}": n for n in range(51)},
    ):
        with pytest.raises(ValidationError):
            TypeAdapter(Parameters).validate_python(wrong)


@pytest.mark.parametrize("wrong", [10**30, None, [1], float("nan")], ids=str)
def test_a_parameter_of_no_usable_kind_is_refused_once_and_not_for_each_kind(wrong: Any):
    with pytest.raises(ValidationError, match="must be true, false, a finite number") as caught:
        TypeAdapter(Parameters).validate_python({"fast": wrong})
    (error,) = caught.value.errors()
    assert error["loc"] == ("fast",)


def test_a_line_is_short_printable_and_not_blank():
    assert TypeAdapter(Line).validate_python("  Ada Lovelace ") == "Ada Lovelace"
    for wrong in ("", "   ", "a\0b", "a" * 256, 5, "two\nlines", "a\tb", "a\u2028b"):
        with pytest.raises(ValidationError):
            TypeAdapter(Line).validate_python(wrong)
    assert TypeAdapter(Line).validate_python("Zoë 李 🙂") == "Zoë 李 🙂"
    assert TypeAdapter(Text).validate_python("two\nlines\tand more") == "two\nlines\tand more"


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x7f", "\x9b31m", "\u202etxt.exe", "\u2066"], ids=ascii)
def test_no_text_gives_a_terminal_orders_or_turns_round_what_follows(sign: str):
    for kind in (Line, Text):
        with pytest.raises(ValidationError, match="control"):
            TypeAdapter(kind).validate_python(f"a{sign}b")
