"""`forceexit`, `stopentry` and `locks`, as freqtrade's users know them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.risk.kill_switch import HaltLevel
from omc.risk.limits import AccountLimits, Bounds
from tests.serve_apps.floor.test_reconciliation import held, remembered

FIRST, LAST = 20, 430
# Fixtures of another test.
fixtures = (held, remembered)


async def locks(caller, **query: object) -> list[dict]:
    answer = await caller.get("/locks", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_coin_is_forced_out_and_kept_out_until_its_owner_lifts_that(deploying, caller, ports):
    made = await deploying()
    answer = await caller.post("/forceexit", {"deployment_id": made["id"], "coin": "btc"})
    assert answer.json()["data"] == {"deployment_id": made["id"], "sold": [], "problems": ["BTC: not quoted"]}
    memory = await ports.blotter.recall(UUID(made["id"]))
    assert memory.stopped == (True, False)
    (lock,) = await locks(caller)
    assert (lock["kind"], lock["stops"], lock["coin"], lock["until"]) == ("kept_out", "adding", "BTC", None)
    lifted = await caller.delete(f"/locks/{lock['id']}")
    assert lifted.status_code == 200, lifted.text
    assert await locks(caller) == []
    assert (await ports.blotter.recall(UUID(made["id"]))).stopped == (False, False)


async def test_everything_goes_when_that_is_said_and_one_key_is_one_wish(deploying, caller, ports, refused):
    made = await deploying()
    headers = {"Idempotency-Key": "k1"}
    for _ in range(2):
        answer = await caller.post("/forceexit", {"deployment_id": made["id"], "all": True}, headers=headers)
        assert answer.status_code == 200, answer.text
    other = {"deployment_id": made["id"], "coin": "BTC"}
    refused(await caller.post("/forceexit", other, headers=headers), 409, "CONFLICT")
    assert (await ports.blotter.recall(UUID(made["id"]))).stopped == (True, True)
    assert len(await ports.blotter.unfinished()) == 0


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"coin": "BTC", "all": True}, {"coin": "DOGE"}, {"coin": "BTC", "amount": 1}]
)
async def test_what_names_no_coin_of_its_is_refused(deploying, caller, refused, body):
    made = await deploying()
    refused(await caller.post("/forceexit", {"deployment_id": made["id"], **body}), 422, "VALIDATION_ERROR")


async def test_a_desk_that_is_away_says_so(deploying, caller, ports, refused):
    made = await deploying()
    ports.risk.reachable = False
    refused(await caller.post("/forceexit", {"deployment_id": made["id"], "all": True}), 503, "UNAVAILABLE")


async def test_somebody_elses_is_not_there(deploying, caller, other, refused):
    made = await deploying()
    refused(await other.post("/forceexit", {"deployment_id": made["id"], "all": True}), 404, "NOT_FOUND")
    refused(await other.post("/stopentry", {"deployment_id": made["id"]}), 404, "NOT_FOUND")
    refused(await other.get("/locks", deployment_id=made["id"]), 404, "NOT_FOUND")
    await caller.post("/forceexit", {"deployment_id": made["id"], "all": True})
    await caller.post("/stopentry")
    assert await locks(other) == []
    for lock in await locks(caller):
        refused(await other.delete(f"/locks/{lock['id']}"), 404, "NOT_FOUND")


@pytest.mark.parametrize("whole", [True, False])
async def test_stopentry_halts_what_adds_until_it_is_lifted(deploying, caller, ports, whole):
    made = await deploying()
    deployment_id = None if whole else UUID(made["id"])
    stopped = (await caller.post("/stopentry", {} if whole else {"deployment_id": made["id"]})).json()["data"]
    assert (stopped["level"], stopped["paused_deployments"]) == ("adding", [])
    halt = await ports.kill_switch.halted(caller.user_id, UUID(made["id"]))
    assert halt is not None
    assert (halt.level, halt.deployment_id) == (HaltLevel.ADDING, deployment_id)
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "active"
    (lock,) = await locks(caller)
    assert (lock["kind"], lock["stops"]) == ("halt", "adding")
    assert (await caller.delete(f"/locks/{lock['id']}")).status_code == 200
    assert await ports.kill_switch.halted(caller.user_id, UUID(made["id"])) is None
    assert await locks(caller) == []


async def test_only_the_operator_lifts_what_halts_everybody(caller, ports, refused):
    await ports.kill_switch.trip(None, "maintenance")
    (lock,) = await locks(caller)
    assert (lock["reason"], lock["lift"]) == ("maintenance", None)
    refused(await caller.delete(f"/locks/{lock['id']}"), 409, "CONFLICT")
    assert await ports.kill_switch.halted(caller.user_id) is not None


async def test_an_order_that_waits_and_an_account_that_is_closed_are_locks_that_say_what_helps(
    caller, held, remembered, refused
):
    found = {each["kind"]: each for each in await locks(caller)}
    assert found["held_order"]["coin"] == "DOGE"
    assert found["held_order"]["lift"] == f"POST /reconciliation/{held.order_id}/resolve"
    assert found["account_closed"]["deployment_id"] == remembered["id"]
    for lock in found.values():
        refused(await caller.delete(f"/locks/{lock['id']}"), 409, "CONFLICT")
    only = await locks(caller, deployment_id=remembered["id"])
    assert [each["kind"] for each in only] == ["account_closed"]


async def test_a_cool_down_is_told_with_its_end(deploying, playing, caller, ports, history):
    made = await deploying()
    await playing(made["id"], FIRST, LAST)
    deployment = await ports.deployments.get(UUID(made["id"]))
    limits = replace(deployment.limits, cool_down_s=Decimal(30 * 86_400))
    ports.deployments.kept[deployment.id] = replace(deployment, limits=limits)
    await ports.limits.set_limits(caller.user_id, AccountLimits(Bounds(losses_in_a_row=Decimal(1_000))))
    (lock,) = await locks(caller)
    assert (lock["kind"], lock["stops"], lock["deployment_id"]) == ("cool_down", "adding", made["id"])
    assert lock["until"] > (history.time(len(history) - 1) + timedelta(days=20)).isoformat()


async def test_a_lock_that_is_not_there_cannot_be_lifted(caller, refused):
    refused(await caller.delete(f"/locks/{uuid4()}"), 404, "NOT_FOUND")
