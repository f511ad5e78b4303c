"""When an algorithm is asked, as it is wished for and shown."""

from uuid import UUID

import pytest

from omc.strategy.trigger import Crossing, Direction, Every

WISHED = [
    {"on": "price", "coin": "BTC", "level_aud": 100000, "direction": "up"},
    {"on": "schedule", "every_s": 3600},
]


async def test_triggers_are_kept_and_shown(deploying, caller, ports):
    made = await deploying(triggers=WISHED)
    stored = await ports.deployments.get(UUID(made["id"]))
    assert stored.triggers == (Crossing("BTC", 100_000.0, Direction.UP), Every(3600))
    shown = (await caller.get(f"/deployments/{made['id']}")).json()["data"]["triggers"]
    assert shown == [{**WISHED[0], "level_aud": 100000.0}, WISHED[1]]


@pytest.mark.parametrize(
    "triggers",
    [
        [{"on": "moon"}],
        [{"on": "price", "coin": "DOGE", "level_aud": 1}],
        [{"on": "schedule", "every_s": 7}],
        [{"on": "schedule", "at": "9"}, {}],
        [WISHED[1]] * 11,
        "every hour",
    ],
)
async def test_what_is_no_trigger_of_its_is_refused(algorithm, caller, refused, triggers):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "trend",
        "coins": ["BTC", "ETH"],
        "mode": "paper",
        "cash": "10000.00",
        "triggers": triggers,
    }
    refused(await caller.post("/deploy", body), 422, "VALIDATION_ERROR")


async def test_one_key_with_other_triggers_is_another_deployment(algorithm, caller, refused):
    body = {
        "algorithm_id": str((await algorithm()).id),
        "deployment_name": "trend",
        "coins": ["BTC"],
        "mode": "paper",
        "cash": "10000.00",
    }
    headers = {"Idempotency-Key": "k"}
    assert (await caller.post("/deploy", body, headers=headers)).status_code == 201
    refused(await caller.post("/deploy", {**body, "triggers": WISHED}, headers=headers), 409, "CONFLICT")
