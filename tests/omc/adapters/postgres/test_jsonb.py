"""Values as jsonb: exact, plain, and finite."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.postgres import jsonb
from omc.errors import InvalidInput
from omc.trading.fill import Side


def test_money_times_and_ids_become_text():
    value = {
        "money": Decimal("1E-8"),
        "time": datetime(2025, 1, 1, tzinfo=UTC),
        "id": UUID(int=1),
        "side": Side.BUY,
        "map": MappingProxyType({"a": (1, 2)}),
        "numpy": np.float64(0.5),
    }
    assert json.loads(jsonb.text(value)) == {
        "money": "0.00000001",
        "time": "2025-01-01T00:00:00Z",
        "id": "00000000-0000-0000-0000-000000000001",
        "side": "buy",
        "map": {"a": [1, 2]},
        "numpy": 0.5,
    }


@pytest.mark.parametrize(
    "wrong", [float("nan"), float("-inf"), [1.0, float("inf")], {"x": object()}, np.float64("nan")]
)
def test_what_json_cannot_say_is_refused(wrong):
    with pytest.raises(InvalidInput):
        jsonb.text(wrong)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_as_the_same_float(value: float):
    assert json.loads(jsonb.text(value)) == value
