"""What a coin's prices come to, over HTTP."""

from datetime import timedelta
from math import sqrt

import numpy as np
import pytest

PATH = "/api/v1/data/metrics"


async def test_measures_are_those_of_the_stored_prices(caller, history):
    data = (await caller.get(f"{PATH}/eth", window=12, averages=[1, 10])).json()["data"]
    last = history.last[:, 2]
    hourly = last[-1::-12][:13][::-1]
    logs = np.diff(np.log(hourly))
    assert (data["coin"], data["at"], data["interval"], data["window"]) == ("ETH", "2025-06-10T12:00:00Z", "1h", 12)
    assert float(data["last"]) == last[-1]
    assert data["returns"]["1h"] == pytest.approx(last[-1] / last[-13] - 1)
    assert data["returns"]["1d"] == pytest.approx(last[-1] / last[-289] - 1)
    assert (data["returns"]["7d"], data["returns"]["30d"]) == (None, None)
    assert data["volatility"] == pytest.approx(logs.std(ddof=1) * sqrt(365 * 24))
    assert data["spread_bps"] == pytest.approx(20, rel=1e-4)
    assert data["mean_spread_bps"] == pytest.approx(20, rel=1e-4)
    assert [(each["bars"], float(each["mean"])) for each in data["averages"]] == [
        (1, last[-1]),
        (10, pytest.approx(hourly[-10:].mean(), abs=1e-8)),
    ]
    beside = np.diff(np.log(history.last[-1::-12, 0][:13][::-1]))
    assert data["correlated_with"] == "BTC"
    assert data["correlation"] == pytest.approx(np.corrcoef(logs, beside)[0, 1])


async def test_a_coin_is_set_beside_whichever_is_named(caller):
    assert (await caller.get(f"{PATH}/BTC")).json()["data"]["correlated_with"] is None
    data = (await caller.get(f"{PATH}/BTC", **{"with": "DOGE"}, window=20)).json()["data"]
    assert data["correlated_with"] == "DOGE"
    assert -1 <= data["correlation"] <= 1
    same = (await caller.get(f"{PATH}/BTC", **{"with": "BTC"}, window=20)).json()["data"]
    assert same["correlation"] == pytest.approx(1)


async def test_what_came_after_the_moment_asked_for_is_not_known(caller, archive, history):
    at = history.time(len(history) - 100)
    query = {"at": at.isoformat().replace("+00:00", "Z"), "window": 10, "interval": "15m"}
    before = (await caller.get(f"{PATH}/ETH", **query)).json()["data"]
    assert before["at"] == query["at"]
    for bars in archive.bars.values():
        for time in [each for each in bars if each > history.times[-100]]:
            del bars[time]
    assert (await caller.get(f"{PATH}/ETH", **query)).json()["data"] == before


async def test_too_few_prices_make_null_and_none_are_not_found(caller, history, refused):
    early = (history.time(0) + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    data = (await caller.get(f"{PATH}/ETH", at=early)).json()["data"]
    assert data["volatility"] is data["correlation"] is data["returns"]["1h"] is data["averages"][0]["mean"] is None
    refused(await caller.get(f"{PATH}/ETH", at="2025-01-01T00:00:00Z"), 404, "NOT_FOUND")
    refused(await caller.get(f"{PATH}/NOPE"), 404, "NOT_FOUND")
    refused(await caller.get(f"{PATH}/ETH", **{"with": "NOPE"}), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query",
    [
        {"window": 1},
        {"window": 201},
        {"averages": [0]},
        {"averages": [1] * 6},
        {"interval": "2h"},
        {"at": "0001-01-01T00:00:00Z"},
        {"with": "B-T"},
        {"with_": "ETH"},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(caller, refused, query):
    refused(await caller.get(f"{PATH}/BTC", **query), 422, "VALIDATION_ERROR")
    refused(await caller.get(f"{PATH}/B-T"), 422, "VALIDATION_ERROR")
