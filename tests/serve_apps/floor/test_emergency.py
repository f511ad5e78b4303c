"""The emergency stop, and what risk shows."""

import asyncio
from uuid import UUID

import pytest

from omc.errors import Halted, Unavailable
from omc.risk.kill_switch import Halt, HaltLevel
from omc.trading.floor import HaltReport


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


async def away(*_: object, **__: object) -> None:
    raise Unavailable("the database does not answer")


async def test_a_stop_holds_by_its_file_while_the_database_is_away(deploying, caller, ports, refused, monkeypatch):
    made = await deploying()
    for store, methods in (
        (type(ports.kill_switch), ("trip", "halted", "reset")),
        (type(ports.deployments), ("pause_all", "get")),
    ):
        for method in methods:
            monkeypatch.setattr(store, method, away)
    data = (await caller.post("/emergency-stop", {"liquidate": True})).json()["data"]
    assert data["kept_in"] == ["file", "risk desk"]
    assert data["problems"][:2] == [
        "the halt is kept in the file and the risk desk, and not in the database: the database does not answer",
        "deployments could not be paused: the database does not answer; they can send nothing all the same",
    ]
    assert [halt.user_id for halt in ports.risk.tripped] == [caller.user_id]
    assert ports.risk.halts == [(caller.user_id, True)]
    refused(await caller.post("/emergency-stop/reset"), 503, "UNAVAILABLE")
    assert [halt.user_id for halt in ports.halt_files.on()] == [caller.user_id]
    monkeypatch.undo()
    refused(await caller.post(f"/algorithms/{made['id']}/activate"), 409, "HALTED")


async def test_a_stop_is_carried_out_while_a_database_hangs_and_that_is_waited_for_once(
    deploying, caller, ports, monkeypatch
):
    await deploying()
    asked, goes_on, carried_out = [], asyncio.Event(), asyncio.Event()
    halt = type(ports.risk).halt

    async def hanging(*_: object, **__: object) -> None:
        asked.append("the row")
        await goes_on.wait()
        raise Unavailable("the database does not answer")

    async def pausing(*_: object, **__: object) -> None:
        asked.append("whom to pause")

    async def halting(*given: object) -> HaltReport:
        report = await halt(*given)
        carried_out.set()
        return report

    monkeypatch.setattr(type(ports.kill_switch), "trip", hanging)
    monkeypatch.setattr(type(ports.deployments), "pause_all", pausing)
    monkeypatch.setattr(type(ports.risk), "halt", halting)
    answering = asyncio.create_task(caller.post("/emergency-stop"))
    await carried_out.wait()
    assert not answering.done()
    assert [each.user_id for each in ports.halt_files.on()] == [caller.user_id]
    goes_on.set()
    data = (await answering).json()["data"]
    assert data["kept_in"] == ["file", "risk desk"]
    assert "deployments could not be paused: the database does not answer" in data["problems"][1]
    assert asked == ["the row"]


async def test_a_stop_that_nobody_can_keep_says_so_and_is_told_all_the_same(caller, ports, refused, monkeypatch):
    monkeypatch.setattr(type(ports.kill_switch), "trip", away)
    monkeypatch.setattr(type(ports.halt_files), "trip", away)
    data = (await caller.post("/emergency-stop")).json()["data"]
    assert data["kept_in"] == ["risk desk"]
    assert data["problems"][0].endswith("it ends with the risk desk: ask again")
    ports.risk.reachable = False
    refused(await caller.post("/emergency-stop"), 503, "UNAVAILABLE")


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
    answer = (await caller.post("/emergency-stop/reset")).json()["data"]
    assert answer == {"halted": False, "still": None, "problems": []}
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"
    assert (await caller.post(f"/algorithms/{made['id']}/activate")).json()["data"]["status"] == "active"


async def test_an_activation_that_crosses_an_emergency_stop_comes_to_nothing(
    deploying, caller, ports, refused, monkeypatch
):
    made = await deploying()
    await caller.post(f"/algorithms/{made['id']}/pause")
    set_status = type(ports.deployments).set_status

    async def crossed(self, *given, **named):
        monkeypatch.undo()
        await caller.post("/emergency-stop")
        return await set_status(self, *given, **named)

    monkeypatch.setattr(type(ports.deployments), "set_status", crossed)
    refused(await caller.post(f"/algorithms/{made['id']}/activate"), 409, "HALTED")
    await caller.post("/emergency-stop/reset")
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"


async def test_a_deployment_that_crosses_an_emergency_stop_begins_paused(deploying, caller, ports, monkeypatch):
    create = type(ports.deployments).create

    async def crossed(self, *given, **named):
        monkeypatch.undo()
        await caller.post("/emergency-stop")
        return await create(self, *given, **named)

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


async def test_one_deployment_is_stopped_and_the_others_go_on(deploying, caller, ports, refused):
    one, other = await deploying(), await deploying()
    data = (await caller.post("/emergency-stop", {"deployment_id": one["id"]})).json()["data"]
    assert (data["scope"], data["paused_deployments"]) == ("deployment", [one["id"]])
    assert (await caller.get(f"/deployments/{other['id']}")).json()["data"]["status"] == "active"
    refused(await caller.post(f"/algorithms/{one['id']}/activate"), 409, "HALTED")
    await caller.post(f"/algorithms/{other['id']}/pause")
    assert (await caller.post(f"/algorithms/{other['id']}/activate")).status_code == 200
    assert (await deploying())["status"] == "active"
    answer = (await caller.post("/emergency-stop/reset")).json()["data"]
    assert answer["halted"] is False
    refused(await caller.post(f"/algorithms/{one['id']}/activate"), 409, "HALTED")
    await caller.post("/emergency-stop/reset", {"deployment_id": one["id"], "reason": "looked at"})
    assert (await caller.post(f"/algorithms/{one['id']}/activate")).status_code == 200
    assert ports.risk.released[-1] == (caller.user_id, UUID(one["id"]))


async def test_a_halt_of_what_adds_pauses_nobody(deploying, caller, ports):
    made = await deploying()
    data = (await caller.post("/emergency-stop", {"level": "adding"})).json()["data"]
    assert (data["level"], data["paused_deployments"]) == ("adding", [])
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "active"
    assert (await deploying())["status"] == "active"
    assert (await caller.get("/risk/status")).json()["data"]["halts"][0]["level"] == "adding"
    await caller.post("/emergency-stop")
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"


async def test_somebody_elses_deployment_can_be_neither_stopped_nor_reset(deploying, other, refused, ports):
    made = await deploying()
    refused(await other.post("/emergency-stop", {"deployment_id": made["id"]}), 404, "NOT_FOUND")
    refused(await other.post("/emergency-stop/reset", {"deployment_id": made["id"]}), 404, "NOT_FOUND")
    refused(await other.get("/risk/events", deployment_id=made["id"]), 404, "NOT_FOUND")
    assert ports.halt_files.on() == []


async def test_the_platforms_halt_is_shown_and_no_account_can_reset_it(deploying, caller, ports, clock, refused):
    made = await deploying()
    await ports.halt_files.trip(Halt(None, clock.now(), "maintenance"))
    refused(await caller.post(f"/algorithms/{made['id']}/activate"), 409, "HALTED")
    answer = (await caller.post("/emergency-stop/reset")).json()["data"]
    assert answer["halted"] is True
    assert (answer["still"]["scope"], answer["still"]["reason"]) == ("platform", "maintenance")
    status = (await caller.get("/risk/status")).json()["data"]
    assert (status["halted"], status["reason"], status["deployments"][0]["halted"]) == (True, "maintenance", True)


async def test_a_reset_that_the_risk_desk_did_not_hear_of_says_so(caller, ports):
    await caller.post("/emergency-stop")
    ports.risk.reachable = False
    data = (await caller.post("/emergency-stop/reset")).json()["data"]
    assert data["halted"] is False
    assert "has not heard of it" in data["problems"][0]


async def test_who_reset_it_and_why_is_on_record(caller):
    await caller.post("/emergency-stop", {"reason": "a bad feeling"})
    await caller.post("/emergency-stop/reset", {"reason": "it was the coffee"})
    reset, halt = (await caller.get("/risk/events")).json()["items"]
    assert (halt["kind"], halt["data"]["reason"], halt["data"]["scope"]) == ("halt", "a bad feeling", "account")
    assert (reset["kind"], reset["data"]["why"], reset["data"]["by"]) == (
        "reset",
        "it was the coffee",
        str(caller.user_id),
    )
    page = (await caller.get("/risk/events", kind="reset")).json()
    assert (page["total"], [each["kind"] for each in page["items"]]) == (1, ["reset"])


async def test_a_halt_that_stops_more_than_before_says_so(caller, ports):
    first = (await caller.post("/emergency-stop", {"level": "adding", "reason": "first"})).json()["data"]
    second = (await caller.post("/emergency-stop", {"reason": "second"})).json()["data"]
    assert (first["level"], second["level"], second["reason"]) == ("adding", "all", "second")
    assert [halt.level for halt in ports.halt_files.on()] == [HaltLevel.ALL]


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


async def test_what_leaves_sales_alone_sells_nothing(caller, ports, refused):
    refused(await caller.post("/emergency-stop", {"liquidate": True, "level": "adding"}), 422, "VALIDATION_ERROR")
    assert (ports.halt_files.on(), ports.risk.halts) == ([], [])
