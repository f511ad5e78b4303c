"""Deployments that a fitted model decides for."""

from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import numpy as np
import pytest

from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.fitted_model import Lineage, ModelRecord, hash_of_bars, hash_of_code, hash_of_content, libraries
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from tests.omc.strategy.sandbox.fitting import LEVEL

# On its first use numpy imports what it computes a mean with, which code behind the first wall cannot.
np.zeros(1).mean()


@pytest.fixture
def ports(ports):
    return replace(ports, maker=Maker(partial(MemorySandbox, load=load)))


@pytest.fixture
async def learner(ports, caller, clock):
    """Code that learns, whose parameters are stored as far as they were named."""
    record = AlgorithmRecord(
        uuid4(),
        caller.user_id,
        "Level",
        None,
        CUSTOM,
        LEVEL,
        {},
        AlgorithmStatus.VALIDATED,
        1,
        clock.now(),
        clock.now(),
    )
    return await ports.algorithms.create(record)


@pytest.fixture
async def model(ports, learner, history, clock):
    frame, sandbox = history.select(("BTC", "ETH")), MemorySandbox(LEVEL, load)
    content = sandbox.export(sandbox.fit({"scale": 1.0}, frame))
    bounds = (frame.time(0), frame.time(-1))
    lineage = Lineage(
        hash_of_code(LEVEL),
        {"scale": 1.0},
        ("BTC", "ETH"),
        *bounds,
        *bounds,
        len(frame),
        hash_of_bars(frame),
        libraries(),
    )
    record = ModelRecord(
        uuid4(), learner.user_id, learner.id, 1, hash_of_content(content), len(content), lineage, clock.now()
    )
    return await ports.models.keep(record, content)


async def test_a_deployment_names_its_model_and_has_all_its_parameters(deploying, ports, learner, model):
    made = await deploying(algorithm_id=str(learner.id), model_id=str(model.id))
    assert (made["model_id"], made["parameters"]) == (str(model.id), {"scale": 1.0})
    assert (await ports.deployments.get(UUID(made["id"]))).model == model.id


async def test_one_without_names_none(deploying):
    assert (await deploying())["model_id"] is None


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"parameters": {"scale": 2.0}}, 422, "scale: 1.0 then, 2.0 now"),
        ({"coins": ["ETH", "BTC"]}, 422, "fitted on BTC, ETH"),
        ({"model_id": str(uuid4())}, 404, "no model"),
    ],
)
async def test_a_model_that_was_not_fitted_for_it_is_refused(
    caller, ports, refused, learner, model, change, status, said
):
    body = {"algorithm_id": str(learner.id), "deployment_name": "a", "coins": ["BTC", "ETH"], "mode": "paper"}
    answer = await caller.post("/deploy", {**body, "cash": "1000", "model_id": str(model.id), **change})
    error = refused(answer, status, "VALIDATION_ERROR" if status == 422 else "NOT_FOUND")
    assert said in error["message"]
    assert not ports.deployments.kept


async def test_what_ships_with_the_platform_takes_no_model(caller, algorithm, refused, learner, model):
    shipped = await algorithm()
    body = {"algorithm_id": str(shipped.id), "deployment_name": "a", "coins": ["BTC", "ETH"], "mode": "paper"}
    answer = await caller.post("/deploy", {**body, "cash": "1000", "model_id": str(model.id)})
    refused(answer, 404, "NOT_FOUND")


async def test_a_model_that_cannot_be_restored_is_known_before_it_is_deployed(caller, ports, refused, learner, model):
    content = b"not a model"
    broken = replace(model, id=uuid4(), content_hash=hash_of_content(content))
    await ports.models.keep(broken, content)
    body = {"algorithm_id": str(learner.id), "deployment_name": "a", "coins": ["BTC", "ETH"], "mode": "paper"}
    answer = await caller.post("/deploy", {**body, "cash": "1000", "model_id": str(broken.id)})
    assert "a stored model cannot be read" in refused(answer, 422, "VALIDATION_ERROR")["message"]
    assert not ports.deployments.kept


async def test_its_backtest_is_of_the_same_model(deploying, caller, ports, learner, model, history):
    made = await deploying(algorithm_id=str(learner.id), model_id=str(model.id))
    answer = await caller.get(f"/algorithms/{made['id']}/performance")
    assert answer.status_code == 200, answer.text


async def test_real_money_follows_no_model(caller, learner, model, ports, refused):
    await ports.algorithms.set_status(learner.id, learner.user_id, AlgorithmStatus.DEPLOYABLE)
    body = {"algorithm_id": str(learner.id), "deployment_name": "x", "coins": ["BTC", "ETH"], "cash": "100"}
    answer = await caller.post("/deploy", {**body, "mode": "live", "model_id": str(model.id)})
    assert "proven without a model" in refused(answer, 422, "VALIDATION_ERROR")["message"]
