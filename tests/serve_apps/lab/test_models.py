"""Models over HTTP: fitted once, kept with what they came from, and used by backtests of what comes after alone."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omc.backtest.parity import parity_of
from omc.strategy.algorithm import AlgorithmStatus
from omc.strategy.in_pieces import decide_in_pieces
from omc.strategy.maker import Maker
from omc.strategy.model_store import MemoryModelStore
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from serve_apps.lab.fitted import make_for
from serve_apps.window import window_of
from tests.omc.strategy.sandbox.fitting import LEVEL, TREND

# On their first use libraries import what they compute with, which code behind the first wall cannot.
np.zeros(1).mean()
_X = np.random.default_rng(0).normal(size=(40, 2))
make_pipeline(StandardScaler(), LogisticRegression()).fit(_X, _X[:, 0] > 0).predict_proba(_X)

FIRST_DAY = {"start_date": "2025-06-08", "end_date": "2025-06-08", "coins": ["BTC", "ETH"]}
DEPLOYED: set[UUID] = set()


@pytest.fixture
def ports(ports):
    DEPLOYED.clear()
    store = MemoryModelStore(DEPLOYED.__contains__, ports.algorithms.kept.__contains__)
    return replace(ports, maker=Maker(partial(MemorySandbox, load=load)), models=store)


@pytest.fixture
def learning(creating):
    """An algorithm of code that learns."""

    async def create(code=TREND, **parameters):
        return await creating(algorithm_type="custom", code=code, parameters=parameters)

    return create


@pytest.fixture
def fitting(caller):
    async def fit(algorithm, **change):
        answer = await caller.post(f"/algorithms/{algorithm['id']}/models", {**FIRST_DAY, **change})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    return fit


async def test_a_model_is_fitted_and_says_what_it_came_from(caller, learning, fitting):
    algorithm = await learning()
    model = await fitting(algorithm, parameters={"penalty": 0.5})
    assert model["parameters"] == {"back": 3, "penalty": 0.5}
    assert model["coins"] == ["BTC", "ETH"]
    assert (model["start_date"], model["end_date"]) == ("2025-06-08T00:00:00Z", "2025-06-08T23:59:59.999999Z")
    assert (model["first_bar"], model["last_bar"]) == ("2025-06-08T10:05:00Z", "2025-06-08T23:55:00Z")
    assert model["bars"] == 167
    assert model["libraries"].keys() >= {"python", "numpy", "scikit-learn", "skops", "xgboost-cpu"}
    assert all(len(model[name]) == 64 for name in ("content_hash", "code_hash", "bars_hash"))
    assert (await caller.get(f"/models/{model['id']}")).json()["data"] == model
    listed = (await caller.get(f"/algorithms/{algorithm['id']}/models")).json()
    assert (listed["items"], listed["total"]) == ([model], 1)


async def test_the_same_request_again_gives_the_same_model_and_another_another(caller, learning, fitting):
    algorithm = await learning()
    first = await fitting(algorithm)
    assert await fitting(algorithm) == first
    others = [await fitting(algorithm, coins=["ETH", "BTC"]), await fitting(algorithm, parameters={"back": 4})]
    assert len({each["id"] for each in (first, *others)}) == 3
    page = (await caller.get(f"/algorithms/{algorithm['id']}/models", page=2, per_page=2)).json()
    assert (len(page["items"]), page["total"]) == (1, 3)


async def test_a_backtest_of_what_comes_after_is_decided_by_it(caller, ports, learning, fitting, testing):
    algorithm = await learning()
    model = await fitting(algorithm)
    run = await testing(algorithm, model_id=model["id"])
    assert (run["status"], run["error_message"], run["model_id"]) == ("completed", None, model["id"])
    assert run["trades"] > 0
    stored = await ports.backtests.get(UUID(run["id"]), caller.user_id)
    make = await make_for(ports.models, ports.maker, caller.user_id, TREND, stored.spec)
    frame = await window_of(ports.archive, stored.spec, make)
    assert parity_of(stored.spec, frame, ports.terms, make) == []
    made = make("custom", stored.spec.parameters)
    again = make("custom", stored.spec.parameters)
    assert decide_in_pieces(again, frame, 50).tobytes() == made.predict(frame).tobytes()


async def test_the_documented_example_learns_and_trades(learning, fitting, testing):
    page = (Path(__file__).parents[3] / "docs/concepts/models.md").read_text()
    algorithm = await learning(page.split("```python\n")[1].split("```")[0])
    run = await testing(algorithm, model_id=(await fitting(algorithm))["id"])
    assert (run["status"], run["error_message"]) == ("completed", None)
    assert run["trades"] > 0


async def test_a_backtest_without_it_says_that_a_model_is_to_be_fitted(learning, testing):
    run = await testing(await learning())
    assert run["status"] == "failed"
    assert "it has a fit method and was not fitted: fit a model first, and name it" in run["error_message"]
    assert run["model_id"] is None


async def test_a_backtest_of_what_it_has_seen_is_refused(caller, learning, fitting, window, refused):
    algorithm = await learning()
    ask = partial(caller.post, f"/algorithms/{algorithm['id']}/backtest")
    model = await fitting(algorithm, end_date="2025-06-09T12:00:00Z")
    answer = await ask({**window, "model_id": model["id"]})
    assert "has seen prices up to 2025-06-09T12:00:00+00:00" in refused(answer, 422, "VALIDATION_ERROR")["message"]
    just = {**window, "start_date": "2025-06-09T12:00:00Z", "model_id": model["id"]}
    refused(await ask(just), 422, "VALIDATION_ERROR")
    assert (await ask({**just, "start_date": "2025-06-09T12:00:00.000001Z"})).status_code == 202


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"penalty": 2.0}}, "penalty: 1.0 then, 2.0 now"),
        ({"coins": ["ETH", "BTC"]}, "fitted on BTC, ETH"),
        ({"coins": ["BTC"]}, "fitted on BTC, ETH"),
    ],
)
async def test_a_backtest_that_it_was_not_fitted_for_is_refused(
    caller, learning, fitting, window, refused, change, said
):
    algorithm = await learning()
    model = await fitting(algorithm)
    answer = await caller.post(f"/algorithms/{algorithm['id']}/backtest", {**window, "model_id": model["id"], **change})
    assert said in refused(answer, 422, "VALIDATION_ERROR")["message"]


async def test_a_model_of_older_code_is_refused_and_one_of_older_parameters_of_the_same_code_is_not(
    caller, learning, fitting, window, refused
):
    algorithm = await learning()
    path, model = f"/algorithms/{algorithm['id']}", await fitting(algorithm)
    await caller.put(path, {"parameters": {"penalty": 3.0}})
    same = {**window, "model_id": model["id"], "parameters": {"penalty": 1.0}}
    assert (await caller.post(f"{path}/backtest", same)).status_code == 202
    await caller.put(path, {"code": TREND.replace("> 0.5", "> 0.6")})
    assert "by other code" in refused(await caller.post(f"{path}/backtest", same), 422, "VALIDATION_ERROR")["message"]


async def test_a_model_of_another_algorithm_or_of_somebody_else_is_not_found(
    caller, other, learning, fitting, window, refused
):
    one, two = await learning(), await learning()
    model = await fitting(one)
    for model_id in (model["id"], str(uuid4())):
        answer = await caller.post(f"/algorithms/{two['id']}/backtest", {**window, "model_id": model_id})
        refused(answer, 404, "NOT_FOUND")
    for answer in (
        await other.get(f"/models/{model['id']}"),
        await other.delete(f"/models/{model['id']}"),
        await other.get(f"/algorithms/{one['id']}/models"),
        await other.post(f"/algorithms/{one['id']}/models", FIRST_DAY),
    ):
        refused(answer, 404, "NOT_FOUND")


async def test_a_queued_backtest_whose_model_was_deleted_fails_and_does_not_run_without(
    caller, learning, fitting, window, worker
):
    algorithm = await learning()
    model = await fitting(algorithm)
    asked = await caller.post(f"/algorithms/{algorithm['id']}/backtest", {**window, "model_id": model["id"]})
    assert (await caller.delete(f"/models/{model['id']}")).status_code == 200
    assert await worker.take_one()
    run = (await caller.get(f"/backtests/{asked.json()['data']['id']}")).json()["data"]
    assert (run["status"], run["error_message"]) == ("failed", f"there is no model {model['id']}")


async def test_content_that_is_not_what_was_stored_is_not_run(caller, ports, learning, fitting, window, worker):
    algorithm = await learning()
    model = await fitting(algorithm)
    record, content = ports.models.kept[UUID(model["id"])]
    ports.models.kept[record.id] = record, content[:-1] + b"\x00\x01"
    asked = await caller.post(f"/algorithms/{algorithm['id']}/backtest", {**window, "model_id": model["id"]})
    await worker.take_one()
    run = (await caller.get(f"/backtests/{asked.json()['data']['id']}")).json()["data"]
    assert run["status"] == "failed"
    assert "its hash is another" in run["error_message"]


async def test_a_model_is_deleted_unless_a_deployment_uses_it(caller, learning, fitting, refused):
    model = await fitting(await learning())
    DEPLOYED.add(UUID(model["id"]))
    assert "is not stopped" in refused(await caller.delete(f"/models/{model['id']}"), 409, "CONFLICT")["message"]
    DEPLOYED.clear()
    assert (await caller.delete(f"/models/{model['id']}")).status_code == 200
    refused(await caller.get(f"/models/{model['id']}"), 404, "NOT_FOUND")


NAN = LEVEL.replace(
    "        self.level_ = float(frame.last.mean()) / 1_000_000 * self.scale\n",
    "        from sklearn.linear_model import LinearRegression\n        import numpy as np\n"
    "        self.model_ = LinearRegression().fit(frame.last, frame.last[:, 0] * np.nan)\n",
)


@pytest.mark.parametrize(
    ("code", "change", "said"),
    [
        (LEVEL.replace("def fit", "def adapt"), {}, r"Level has no method fit(self, frame, labels=None) of its own"),
        (NAN, {}, "contains NaN"),
        (LEVEL.replace("float(frame.last.mean())", "frame.data"), {}, "TypeError"),
        (
            LEVEL.replace("self.level_ = ", "self.seen_ = frame.data('BTC')\n        self.level_ = "),
            {},
            "seen_ is a pandas.",
        ),
        (LEVEL, {"start_date": "2025-06-08T01:00:00Z", "end_date": "2025-06-08T02:00:00Z"}, "prices of BTC are stored"),
        (LEVEL, {"start_date": "2025-06-09T12:01:00Z", "end_date": "2025-06-09T12:04:00Z"}, "fewer bars are stored"),
        (LEVEL, {"start_date": "2025-06-09", "end_date": "2025-06-08"}, "is not before end_date"),
        (LEVEL, {"coins": ["NOPE"]}, "no prices of NOPE are stored"),
        (LEVEL, {"coins": []}, "coins"),
        (LEVEL, {"parameters": {"speed": 1}}, "no parameter 'speed'"),
        (LEVEL, {"more": 1}, "more"),
    ],
)
async def test_what_cannot_be_fitted_is_told_why(caller, learning, refused, code, change, said):
    algorithm = await learning(code)
    answer = await caller.post(f"/algorithms/{algorithm['id']}/models", {**FIRST_DAY, **change})
    error = refused(answer, 422, "VALIDATION_ERROR")
    assert said in str(error)


async def test_what_ships_with_the_platform_has_no_model(caller, creating, refused):
    algorithm = await creating()
    answer = await caller.post(f"/algorithms/{algorithm['id']}/models", FIRST_DAY)
    assert "learns as it goes along" in refused(answer, 422, "VALIDATION_ERROR")["message"]


async def test_a_sweep_takes_no_model(caller, learning, window, refused):
    algorithm = await learning()
    body = {**window, "space": {"back": [2, 3]}, "model_id": str(uuid4())}
    refused(await caller.post(f"/algorithms/{algorithm['id']}/sweeps", body), 422, "VALIDATION_ERROR")


async def test_what_fitting_computes_is_charged(caller, ports, learning, fitting, clock):
    algorithm = await learning()
    before = await ports.usage.used(caller.user_id, clock.now().date())
    await fitting(algorithm)
    assert await ports.usage.used(caller.user_id, clock.now().date()) > before


STEADY = """
import numpy as np

class Steady:
    memory_bars = 2

    def fit(self, frame, labels=None):
        self.share_ = 0.5 + min(0.4, float(np.nanmean(frame.last)) / 1_000_000)
        return self

    def predict(self, frame):
        rises = np.zeros(frame.last.shape)
        rises[1:] = np.nan_to_num(frame.last[1:]) > np.nan_to_num(frame.last[:-1])
        return np.where(np.isfinite(frame.last), rises * self.share_ / len(frame.coins), 0.0)
"""


async def test_code_that_learns_is_tried_out_and_promoted_with_its_model(caller, learning, fitting, testing, refused):
    algorithm = await learning(STEADY)
    path, model = f"/algorithms/{algorithm['id']}", await fitting(algorithm)
    without = (await caller.post(f"{path}/validate")).json()["data"]
    assert "fit a model first" in without["findings"][0]["message"]
    found = (await caller.post(f"{path}/validate?model_id={model['id']}")).json()["data"]
    assert found == {"valid": True, "findings": []}
    assert (await testing(algorithm, model_id=model["id"], initial_cash="100000"))["status"] == "completed"
    both = await caller.post(f"{path}/promote", {"model_id": model["id"], "sweep_id": str(uuid4())})
    assert "no model was fitted with them" in refused(both, 422, "VALIDATION_ERROR")["message"]
    step = (await caller.get(f"{path}/promotion", model_id=model["id"])).json()["data"]
    assert step["passed"]
    refused(await caller.post(f"{path}/promote"), 409, "GATE_NOT_PASSED")
    answer = await caller.post(f"{path}/promote", {"model_id": model["id"]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["algorithm"]["status"] == "validated"


async def test_a_model_of_another_algorithm_promotes_nothing(caller, learning, fitting, refused):
    one, two = await learning(STEADY), await learning(LEVEL)
    model = await fitting(one)
    for answer in (
        await caller.post(f"/algorithms/{two['id']}/validate?model_id={model['id']}"),
        await caller.post(f"/algorithms/{two['id']}/promote", {"model_id": model["id"]}),
    ):
        refused(answer, 404, "NOT_FOUND")


async def test_what_is_to_become_deployable_is_judged_without_a_model(caller, learning, fitting, ports, refused):
    algorithm = await learning(STEADY)
    model = await fitting(algorithm)
    await ports.algorithms.set_status(UUID(algorithm["id"]), caller.user_id, AlgorithmStatus.VALIDATED)
    path = f"/algorithms/{algorithm['id']}"
    for answer in (
        await caller.post(f"{path}/promote", {"model_id": model["id"]}),
        await caller.get(f"{path}/promotion", model_id=model["id"]),
    ):
        assert "a model proves nothing" in refused(answer, 422, "VALIDATION_ERROR")["message"]
    assert (await caller.get(path)).json()["data"]["status"] == "validated"


async def test_more_models_than_somebody_may_have_are_refused_until_one_is_deleted(
    caller, learning, fitting, ports, refused
):
    object.__setattr__(ports, "allowance", replace(ports.allowance, models=1))
    algorithm = await learning()
    model = await fitting(algorithm)
    assert await fitting(algorithm) == model
    path, other = f"/algorithms/{algorithm['id']}/models", {**FIRST_DAY, "parameters": {"back": 4}}
    error = refused(await caller.post(path, other), 429, "RATE_LIMITED")
    assert error["details"] == {"quota": "models", "limit": 1}
    shown = (await caller.get("/quota")).json()["data"]
    assert (shown["models"]["used"], shown["model_bytes"]["used"]) == (1, model["size_bytes"])
    assert (await caller.delete(f"/models/{model['id']}")).status_code == 200
    object.__setattr__(ports, "allowance", replace(ports.allowance, model_bytes=model["size_bytes"] // 2))
    error = refused(await caller.post(path, other), 413, "PAYLOAD_TOO_LARGE")
    assert "delete one that you do not need" in error["message"]
    assert (await caller.get(path)).json()["total"] == 0


async def test_no_prices_are_read_for_whoever_has_no_processor_time_left(
    caller, learning, ports, clock, refused, monkeypatch
):
    algorithm = await learning()
    await ports.usage.charge(caller.user_id, ports.allowance.cpu_s, clock.now())
    monkeypatch.setattr(type(ports.archive), "read", None)
    refused(await caller.post(f"/algorithms/{algorithm['id']}/models", FIRST_DAY), 429, "RATE_LIMITED")
