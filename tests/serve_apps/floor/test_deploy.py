"""Putting an algorithm to work, and everything that is refused on the way."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from omc.risk.limits import Limits
from serve_apps.floor.app import PREFIX, build


async def test_a_deployment_is_active_at_once_and_shows_all_its_terms(deploying, ports, caller):
    made = await deploying(deployment_name=" Trend 1 ", coins=["btc", "ETH"])
    assert made["status"] == "active"
    assert made["deployment_name"] == "Trend 1"
    assert made["coins"] == ["BTC", "ETH"]
    assert made["cash"] == "10000.00000000"
    assert made["rebalance_band"] == 0.02
    assert made["parameters"]["fast_bars"] == 4
    assert made["risk_limits"] == {
        "order_notional_aud": "20000.00000000",
        "position_notional_aud": "20000.00000000",
        "daily_loss_aud": "2000.00000000",
    }
    assert ports.supervision.nudges == 1
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"] == made
    assert (await caller.get("/deployments")).json()["items"] == [made]


async def test_limits_and_parameters_that_are_named_replace_the_defaults(deploying):
    made = await deploying(parameters={"fast_bars": 6}, risk_limits={"order_notional_aud": "500"}, rebalance_band=0.1)
    assert (made["parameters"]["fast_bars"], made["parameters"]["slow_bars"]) == (6, 12)
    assert made["risk_limits"]["order_notional_aud"] == "500.00000000"
    assert made["risk_limits"]["daily_loss_aud"] == "2000.00000000"
    assert made["rebalance_band"] == 0.1


async def test_one_key_deploys_once(caller, algorithm, ports, refused):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "once",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "100",
    }
    key = {"headers": {"Idempotency-Key": "key-1"}}
    answers = await asyncio.gather(*(caller.post("/deploy", body, **key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert len(ports.deployments.kept) == 1
    refused(await caller.post("/deploy", {**body, "cash": "200"}, **key), 409, "CONFLICT")
    refused(await caller.post("/deploy", body), 409, "CONFLICT")
    for wrong in ("", " ", "x" * 256, "a\tb"):
        answer = await caller.post("/deploy", body, headers={"Idempotency-Key": wrong})
        refused(answer, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "change",
    [
        {"coins": []},
        {"coins": ["BTC", "btc"]},
        {"coins": ["NOPE"]},
        {"coins": "BTC"},
        {"cash": "0"},
        {"cash": "-5"},
        {"cash": "10.001"},
        {"cash": 10.5},
        {"cash": "NaN"},
        {"cash": "1e5"},
        {"cash": None},
        {"cash": "9" * 40},
        {"cash": "90000000.01"},
        {"deployment_name": ""},
        {"deployment_name": "../trader"},
        {"deployment_name": "a\nb"},
        {"deployment_name": "x" * 65},
        {"mode": "real"},
        {"parameters": {"fast_bars": 0}},
        {"parameters": {"fast_bars": 50}},
        {"parameters": {"exposure": 1.5}},
        {"parameters": {"speed": 5}},
        {"parameters": {"fast_bars": "4"}},
        {"rebalance_band": -0.1},
        {"rebalance_band": 1},
        {"risk_limits": {"order_notional_aud": "0"}},
        {"risk_limits": {"daily_loss": "5"}},
        {"version": 0},
        {"algorithm_id": "1"},
        {"leverage": 10},
    ],
    ids=str,
)
async def test_a_deployment_that_makes_no_sense_is_refused_and_nothing_is_half_done(
    caller, algorithm, ports, refused, change
):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "wrong",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "100",
        **change,
    }
    refused(await caller.post("/deploy", body), 422, "VALIDATION_ERROR")
    assert ports.deployments.kept == {}
    assert ports.supervision.nudges == 0


async def test_an_algorithm_that_decides_on_two_coins_is_not_put_to_work_on_one(caller, algorithm, ports, refused):
    record = await algorithm()
    ports.algorithms.kept[record.id] = replace(record, algorithm_type="pairs", parameters={})
    body = {
        "algorithm_id": str(record.id),
        "deployment_name": "half a pair",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "100",
    }
    error = refused(await caller.post("/deploy", body), 422, "VALIDATION_ERROR")
    assert "pairs needs exactly 2 coins, not 1" in error["message"]
    assert ports.deployments.kept == {}


async def test_weights_that_promise_more_than_all_the_cash_cannot_be_asked_for(caller, algorithm, refused):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "greedy",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "100",
        "parameters": {"exposure": 2.0},
    }
    error = refused(await caller.post("/deploy", body), 422, "VALIDATION_ERROR")
    assert "exposure" in error["message"]


@pytest.mark.parametrize(("status", "mode"), [("draft", "paper"), ("draft", "live"), ("validated", "live")])
async def test_an_algorithm_that_has_not_passed_its_gate_is_refused(caller, algorithm, refused, status, mode):
    body = {"algorithm_id": str((await algorithm(status)).id), "deployment_name": "x", "coins": ["BTC"]}
    refused(await caller.post("/deploy", {**body, "mode": mode, "cash": "100"}), 409, "GATE_NOT_PASSED")


async def test_live_trading_says_what_it_lacks(caller, algorithm, refused):
    body = {"algorithm_id": str((await algorithm("deployable")).id), "deployment_name": "x", "coins": ["BTC"]}
    error = refused(await caller.post("/deploy", {**body, "mode": "live", "cash": "100"}), 409, "CONFLICT")
    assert "credentials" in error["message"]


async def test_only_the_version_that_passed_is_deployed(caller, algorithm, refused):
    body = {"algorithm_id": str((await algorithm()).id), "deployment_name": "x", "coins": ["BTC"], "version": 2}
    refused(await caller.post("/deploy", {**body, "mode": "paper", "cash": "100"}), 409, "GATE_NOT_PASSED")


async def test_nobody_deploys_somebody_elses_algorithm(caller, algorithm, refused):
    foreign = await algorithm(user_id=uuid4())
    body = {"algorithm_id": str(foreign.id), "deployment_name": "x", "coins": ["BTC"], "mode": "paper", "cash": "100"}
    refused(await caller.post("/deploy", body), 404, "NOT_FOUND")
    refused(await caller.post("/deploy", {**body, "algorithm_id": str(uuid4())}), 404, "NOT_FOUND")


async def test_algorithms_that_passed_a_gate_are_available(caller, algorithm):
    await algorithm("draft")
    validated, deployable = await algorithm("validated"), await algorithm("deployable")
    items = (await caller.get("/available-algorithms")).json()["items"]
    assert {item["id"]: item["modes"] for item in items} == {
        str(validated.id): ["paper"],
        str(deployable.id): ["paper", "live"],
    }


async def test_a_halted_account_deploys_nothing(caller, algorithm, refused):
    await caller.post("/emergency-stop")
    body = {"algorithm_id": str((await algorithm()).id), "deployment_name": "x", "coins": ["BTC"]}
    refused(await caller.post("/deploy", {**body, "mode": "paper", "cash": "100"}), 409, "HALTED")


async def test_the_verbs_do_what_they_say_and_may_be_asked_twice(deploying, caller, ports, refused):
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    for verb, status in [("pause", "paused"), ("pause", "paused"), ("activate", "active"), ("activate", "active")]:
        answer = await caller.post(f"{path}/{verb}", {}, headers={"Idempotency-Key": verb})
        assert answer.json()["data"]["status"] == status
    changes = [entry.data["status"] for _, entry in ports.deployments.journal.lines]
    assert changes == ["active", "paused", "active"]
    for _ in range(2):
        assert (await caller.post(f"{path}/deactivate")).json()["data"]["status"] == "stopped"
    refused(await caller.post(f"{path}/activate"), 409, "CONFLICT")
    refused(await caller.post(f"{path}/pause"), 409, "CONFLICT")


async def test_a_supervisor_that_is_away_delays_nothing_and_fails_nothing(deploying, caller, ports):
    ports.supervision.reachable = False
    made = await deploying()
    assert (await caller.post(f"/algorithms/{made['id']}/pause")).json()["data"]["status"] == "paused"


async def test_limits_of_the_house_bound_every_deployment(ports, calling, caller, algorithm, refused):
    bounded = build(replace(ports, most=Limits(Decimal(150), Decimal(500), Decimal(50))))
    there = calling(bounded, PREFIX, caller.user_id)
    body = {"algorithm_id": str((await algorithm()).id), "coins": ["BTC"], "mode": "paper", "cash": "100"}
    made = await there.post("/deploy", {**body, "deployment_name": "within"})
    assert made.json()["data"]["risk_limits"] == {
        "order_notional_aud": "150.00000000",
        "position_notional_aud": "200.00000000",
        "daily_loss_aud": "20.00000000",
    }
    beyond = {**body, "deployment_name": "beyond", "risk_limits": {"daily_loss_aud": "50.01"}}
    refused(await there.post("/deploy", beyond), 422, "VALIDATION_ERROR")
