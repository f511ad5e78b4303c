"""The emergency stop, and what risk shows."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest

from omc.errors import Halted, Unavailable
from omc.risk.kill_switch import MemoryKillSwitch


async def test_a_stop_halts_pauses_and_cancels_and_says_what_it_could_not_do(deploying, caller, ports):
    made = await deploying()
    stopped = (await caller.post("/emergency-stop", {"liquidate": True, "reason": "a bad feeling"})).json()["data"]
    assert stopped["halted"] is True
    assert stopped["reason"] == "a bad feeling"
    assert stopped["paused_deployments"] == [made["id"]]
    assert stopped["cancelled_orders"] == 2
    assert stopped["problems"] == ["one sentence of what could not be done"]
    assert ports.risk.halts == [(caller.user_id, True)]
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"
    assert await ports.kill_switch.halted(caller.user_id)


async def test_a_stop_holds_though_the_risk_desk_and_the_supervisor_are_away(deploying, caller, ports):
    await deploying()
    ports.risk.reachable = ports.supervision.reachable = False
    answer = await caller.post("/emergency-stop")
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert len(data["paused_deployments"]) == 1
    assert "risk:0 is away" in data["problems"][0]
    assert await ports.kill_switch.halted(caller.user_id)


async def test_a_stop_whose_flag_cannot_be_set_says_so_and_pretends_nothing(caller, ports, refused, monkeypatch):
    async def away(*_: object) -> None:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(MemoryKillSwitch, "trip", away)
    refused(await caller.post("/emergency-stop"), 503, "UNAVAILABLE")
    assert ports.risk.halts == []


async def test_a_stop_goes_on_when_its_caller_has_gone(deploying, caller, ports, monkeypatch):
    made = await deploying()
    begun, go_on = asyncio.Event(), asyncio.Event()
    pause_all = type(ports.deployments).pause_all

    async def slowly(self, *given):
        begun.set()
        await go_on.wait()
        return await pause_all(self, *given)

    monkeypatch.setattr(type(ports.deployments), "pause_all", slowly)
    asking = asyncio.create_task(caller.post("/emergency-stop"))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert (await ports.deployments.get(UUID(made["id"]))).status == "paused"
    assert ports.risk.halts == [(caller.user_id, False)]


async def test_a_halted_account_activates_nothing_until_it_is_reset(deploying, caller, refused):
    made = await deploying()
    await caller.post("/emergency-stop")
    refused(await caller.post(f"/algorithms/{made['id']}/activate"), 409, "HALTED")
    assert (await caller.post("/emergency-stop/reset")).json()["data"] == {"halted": False}
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"
    assert (await caller.post(f"/algorithms/{made['id']}/activate")).json()["data"]["status"] == "active"


async def test_an_activation_that_crosses_an_emergency_stop_comes_to_nothing(
    deploying, caller, ports, refused, monkeypatch
):
    made = await deploying()
    await caller.post(f"/algorithms/{made['id']}/pause")
    set_status = type(ports.deployments).set_status

    async def crossed(self, *given):
        monkeypatch.undo()
        await caller.post("/emergency-stop")
        return await set_status(self, *given)

    monkeypatch.setattr(type(ports.deployments), "set_status", crossed)
    refused(await caller.post(f"/algorithms/{made['id']}/activate"), 409, "HALTED")
    await caller.post("/emergency-stop/reset")
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"


async def test_a_deployment_that_crosses_an_emergency_stop_begins_paused(deploying, caller, ports, monkeypatch):
    create = type(ports.deployments).create

    async def crossed(self, *given):
        monkeypatch.undo()
        await caller.post("/emergency-stop")
        return await create(self, *given)

    monkeypatch.setattr(type(ports.deployments), "create", crossed)
    assert (await deploying())["status"] == "paused"
    assert await ports.deployments.active() == []


async def test_stopping_again_keeps_the_first_halt(caller):
    first = (await caller.post("/emergency-stop", {"reason": "first"})).json()["data"]
    second = (await caller.post("/emergency-stop", {"reason": "second"})).json()["data"]
    assert (second["since"], second["reason"]) == (first["since"], "first")


async def test_a_stop_is_for_ones_own_account(deploying, caller, other, ports):
    made = await deploying()
    await other.post("/emergency-stop")
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "active"
    assert await ports.kill_switch.halted(caller.user_id) is None


@pytest.mark.parametrize(
    "body",
    [{"liquidate": "yes"}, {"liquidate": 1}, {"liquidate": None}, {"sell": True}, [], {"reason": ""}],
    ids=str,
)
async def test_a_stop_that_cannot_be_read_is_refused(caller, refused, body):
    refused(await caller.post("/emergency-stop", body), 422, "VALIDATION_ERROR")


async def test_risk_shows_limits_their_use_and_the_halt(deploying, playing, caller):
    made = await deploying()
    await playing(made["id"], 20, 300)
    limits = (await caller.get("/risk/limits")).json()["data"]
    assert limits["most"] is None
    assert limits["deployments"][0]["risk_limits"] == made["risk_limits"]
    status = (await caller.get("/risk/status")).json()["data"]
    assert (status["halted"], status["since"], status["reason"]) == (False, None, None)
    (row,) = status["deployments"]
    assert row["deployment_id"] == made["id"]
    assert Decimal(row["largest_position_aud"]) >= 0
    await caller.post("/emergency-stop")
    assert (await caller.get("/risk/status")).json()["data"]["halted"] is True


async def test_reconciliation_lists_every_difference_and_every_failure(deploying, caller, ports, refused):
    made = await deploying()
    (row,) = (await caller.get("/reconciliation")).json()["items"]
    assert row["deployment_id"] == made["id"]
    assert row["ours"] == {"AUD": "10000.00000000"}
    assert row["venue"] == {"AUD": "10000.00000000", "DOGE": "5.00000000"}
    assert row["differences"] == ["DOGE: our books say 0, the venue says 5"]
    ports.risk.reachable = False
    page = (await caller.get("/reconciliation", deployment_id=made["id"])).json()
    assert (page["total"], page["items"][0]["error"]) == (1, "risk:0 is away")


async def test_a_halted_account_cannot_send_an_order(deploying, playing, caller):
    made = await deploying()
    await caller.post("/emergency-stop")
    with pytest.raises(Halted):
        await playing(made["id"], 20, 300)
