"""What a model came from says what it may be used for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from omc.errors import InvalidInput, Refused
from omc.feature.frame import Frame
from omc.strategy.fitted_model import (
    Lineage,
    ModelRecord,
    check_use,
    hash_of_bars,
    hash_of_code,
    hash_of_content,
    libraries,
    verified,
)
from tests.omc.adapters.sandbox_process.plain import walk

CODE, START = "class It: ...", datetime(2025, 1, 1, tzinfo=UTC)
LINEAGE = Lineage(
    code_hash=hash_of_code(CODE),
    parameters={"back": 3},
    coins=("BTC", "ETH"),
    start=START,
    end=START + timedelta(days=2),
    first_bar=START,
    last_bar=START + timedelta(days=1),
    bars=289,
    bars_hash="b" * 64,
    libraries=libraries(),
)
MODEL = ModelRecord(uuid4(), uuid4(), uuid4(), 1, hash_of_content(b"x"), 1, LINEAGE, START)
RUN = {"code": CODE, "parameters": {"back": 3}, "coins": ("BTC", "ETH"), "first_traded": START + timedelta(days=1.5)}


def test_a_run_after_the_last_bar_that_was_seen_may_use_it():
    check_use(MODEL, **RUN)
    check_use(MODEL, **{**RUN, "first_traded": LINEAGE.last_bar + timedelta(microseconds=1)})
    check_use(MODEL, **{**RUN, "first_traded": None})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first_traded": LINEAGE.last_bar}, "has seen prices up to 2025-01-02"),
        ({"first_traded": LINEAGE.first_bar}, "has seen prices up to"),
        ({"first_traded": START - timedelta(days=9)}, "a model is tried on what comes after"),
        ({"code": CODE + " "}, "by other code"),
        ({"code": None}, "by other code"),
        ({"parameters": {"back": 4}}, r"other parameters \(back: 3 then, 4 now\)"),
        ({"parameters": {"back": 3, "more": 1}}, "more: None then, 1 now"),
        ({"coins": ("ETH", "BTC")}, "fitted on BTC, ETH, in this order"),
        ({"coins": ("BTC",)}, "fitted on BTC, ETH"),
    ],
)
def test_another_run_is_refused_with_the_difference(change, said):
    with pytest.raises(InvalidInput, match=said):
        check_use(MODEL, **{**RUN, **change})


def test_a_model_of_other_libraries_is_to_be_fitted_again():
    older = replace(MODEL, lineage=replace(LINEAGE, libraries={**libraries(), "scikit-learn": "1.0"}))
    with pytest.raises(InvalidInput, match=r"scikit-learn: '1\.0' then.*fit it again"):
        check_use(older, **RUN)


def test_every_library_that_writes_models_is_named():
    assert {"python", "numpy", "scikit-learn", "skops", "xgboost-cpu"} <= libraries().keys()


def test_content_is_what_its_hash_says():
    assert verified(MODEL, b"x") == b"x"
    with pytest.raises(Refused, match="its hash is another"):
        verified(MODEL, b"y")


def test_a_lineage_is_the_same_whatever_order_its_parameters_come_in_and_differs_in_every_part():
    one = replace(LINEAGE, parameters={"a": 1, "b": 2.0})
    assert one.hash == replace(LINEAGE, parameters={"b": 2.0, "a": 1}).hash
    parts = {
        "code_hash": "x",
        "parameters": {"a": 1},
        "coins": ("ETH", "BTC"),
        "start": START - timedelta(1),
        "end": START,
        "bars_hash": "y",
        "libraries": {},
    }
    hashes = [one.hash, *(replace(one, **{name: value}).hash for name, value in parts.items())]
    assert len(set(hashes)) == len(hashes)


def test_bars_have_another_hash_when_a_single_bit_of_them_differs():
    frame = walk(50, 2)
    same = Frame(
        frame.times.copy(), frame.coins, *(np.asfortranarray(each) for each in (frame.bid, frame.ask, frame.last))
    )
    assert hash_of_bars(same) == hash_of_bars(frame)
    for name in ("bid", "ask", "last"):
        changed = getattr(frame, name).copy()
        changed[7, 1] = np.nextafter(changed[7, 1], np.inf)
        assert hash_of_bars(replace(frame, **{name: changed})) != hash_of_bars(frame)
    assert hash_of_bars(replace(frame, coins=frame.coins[::-1])) != hash_of_bars(frame)
    assert hash_of_bars(frame.rows(0, 49)) != hash_of_bars(frame)
