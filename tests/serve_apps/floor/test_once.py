"""Requests that come twice: to one replica, to two over one database, and after a crash."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from omc.access.once import HELD_FOR, Claim, MemoryRequests
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.requests import PostgresRequests
from omc.adapters.postgres.users import PostgresUsers
from omc.errors import Overtaken, Unavailable
from omc.trading.deployment import DeploymentStatus
from serve_apps.floor.app import PREFIX, build

KEY = {"Idempotency-Key": "one wish"}


@pytest.fixture
def wish(algorithm) -> Callable:
    async def of(**change: object) -> dict:
        return {
            "algorithm_id": str((await algorithm()).id),
            "deployment_name": "once",
            "coins": ["BTC"],
            "mode": "paper",
            "cash": "100",
            **change,
        }

    return of


class DiesBeforeAnswering(MemoryRequests):
    """Whoever carried it out has the effect, and never writes its answer down."""

    async def answer(self, claim, answer):
        raise Unavailable("the replica died")

    async def let_go(self, claim):
        raise Unavailable("the replica died")


@pytest.fixture
def dying(ports, clock, calling, caller):
    """A client, the same person, of a replica that dies after the effect; it shares everything that is durable."""
    requests = DiesBeforeAnswering(clock)
    requests.kept = ports.requests.kept
    return calling(build(replace(ports, requests=requests)), PREFIX, caller.user_id)


async def test_the_same_answer_again_is_marked(caller, wish, ports):
    body = await wish()
    first = await caller.post("/deploy", body, headers=KEY)
    again = await caller.post("/deploy", dict(reversed(body.items())), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(ports.deployments.kept) == 1


async def test_a_key_belongs_to_one_method_path_and_body(caller, deploying, refused):
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    assert (await caller.post(f"{path}/pause", headers=KEY)).status_code == 200
    refused(await caller.post(f"{path}/activate", headers=KEY), 409, "CONFLICT")
    refused(await caller.post(f"{path}/pause?x=1", headers=KEY), 409, "CONFLICT")
    refused(await caller.post(f"{path}/pause", {"a": 1}, headers=KEY), 409, "CONFLICT")
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"


async def test_two_persons_may_use_one_key(caller, other, deploying):
    made = await deploying()
    assert (await caller.post(f"/algorithms/{made['id']}/pause", headers=KEY)).status_code == 200
    assert (await other.post(f"/algorithms/{made['id']}/pause", headers=KEY)).status_code == 404


async def test_a_late_copy_undoes_nothing(caller, deploying):
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    await caller.post(f"{path}/pause")
    assert (await caller.post(f"{path}/activate", headers=KEY)).json()["data"]["status"] == "active"
    await caller.post(f"{path}/pause")
    late = await caller.post(f"{path}/activate", headers=KEY)
    assert late.json()["data"]["status"] == "active"
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["status"] == "paused"


async def test_a_refusal_is_an_answer_too(caller, deploying, refused):
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    await caller.post("/emergency-stop")
    refused(await caller.post(f"{path}/activate", headers=KEY), 409, "HALTED")
    await caller.post("/emergency-stop/reset")
    again = await caller.post(f"{path}/activate", headers=KEY)
    refused(again, 409, "HALTED")
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_request_that_breaks_a_rule_leaves_its_key_free(caller, wish, refused):
    body = await wish()
    refused(await caller.post("/deploy", {**body, "cash": "-1"}, headers=KEY), 422, "VALIDATION_ERROR")
    assert (await caller.post("/deploy", body, headers=KEY)).status_code == 201


async def test_what_was_overtaken_may_be_asked_for_again(caller, deploying, ports, monkeypatch):
    made = await deploying()
    path, body = f"/algorithms/{made['id']}/parameters", {"parameters": {"fast_bars": 5}}
    blotter = type(ports.blotter)
    real, calls = blotter.set_parameters, []

    async def overtaken(self, *arguments, **named):
        calls.append(named["once"])
        if len(calls) <= 10:
            raise Overtaken("somebody was faster")
        return await real(self, *arguments, **named)

    monkeypatch.setattr(blotter, "set_parameters", overtaken)
    assert (await caller.ask("PUT", path, json=body, headers=KEY)).status_code == 409
    assert (await caller.ask("PUT", path, json=body, headers=KEY)).status_code == 200
    assert len(set(calls)) == 1


async def test_a_deployment_whose_answer_was_lost_is_not_made_twice(caller, dying, wish, ports, clock, refused):
    body = await wish()
    first = await dying.post("/deploy", body, headers=KEY)
    assert first.status_code == 201
    clock.advance(HELD_FOR)
    # Meanwhile nothing could be deployed any more: it was, all the same.
    await caller.post("/emergency-stop")
    again = await caller.post("/deploy", body, headers=KEY)
    assert (again.status_code, again.json()["data"]["id"]) == (201, first.json()["data"]["id"])
    assert len(ports.deployments.kept) == 1


async def test_an_activation_whose_answer_was_lost_does_not_undo_a_newer_pause(caller, dying, deploying, ports, clock):
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    await caller.post(f"{path}/pause")
    assert (await dying.post(f"{path}/activate", headers=KEY)).json()["data"]["status"] == "active"
    await caller.post(f"{path}/pause")
    clock.advance(HELD_FOR)
    late = await caller.post(f"{path}/activate", headers=KEY)
    assert late.json()["data"]["status"] == "paused"
    assert (await ports.deployments.get(UUID(made["id"]))).status is DeploymentStatus.PAUSED


class DiesBeforeItsEffect(MemoryRequests):
    """Whoever carried it out died before anything was done."""

    async def claim(self, user_id, key, fingerprint):
        await MemoryRequests.claim(self, user_id, key, fingerprint)
        raise Unavailable("the replica died")


WORDS_SINCE = {
    "a pause": ("paused", "{path}/pause"),
    "a pause of what was paused already": ("paused", "{path}/pause"),
    "an end": ("stopped", "{path}/deactivate"),
    "a stop of everything": ("paused", "/emergency-stop"),
    "a stop of it alone": ("paused", "/emergency-stop"),
}


@pytest.fixture
async def unfinished(caller, deploying, ports, clock, calling) -> dict[str, Any]:
    """A paused deployment whose activation died long ago, before its effect."""
    made = await deploying()
    path = f"/algorithms/{made['id']}"
    await caller.post(f"{path}/pause")
    requests = DiesBeforeItsEffect(clock)
    requests.kept = ports.requests.kept
    dead = calling(build(replace(ports, requests=requests)), PREFIX, caller.user_id)
    assert (await dead.post(f"{path}/activate", headers=KEY)).status_code == 503
    clock.advance(HELD_FOR)
    return dict(made)


@pytest.mark.parametrize("since", WORDS_SINCE)
async def test_an_activation_that_died_before_its_effect_is_refused_after_a_newer_word(
    caller, unfinished, ports, refused, since
):
    path = f"/algorithms/{unfinished['id']}"
    if since == "a pause":
        await caller.post(f"{path}/activate")
    status, word = WORDS_SINCE[since]
    alone = {"deployment_id": unfinished["id"]} if since == "a stop of it alone" else {}
    assert (await caller.post(word.format(path=path), alone)).status_code == 200
    if "stop of" in since:
        assert (await caller.post("/emergency-stop/reset", alone)).status_code == 200
    for _ in range(2):
        refused(await caller.post(f"{path}/activate", headers=KEY), 409, "CONFLICT")
        assert (await ports.deployments.get(UUID(unfinished["id"]))).status == status


async def test_an_activation_that_died_before_its_effect_comes_to_pass_where_it_is_the_last_word(caller, unfinished):
    path = f"/algorithms/{unfinished['id']}"
    assert (await caller.post(f"{path}/activate", headers=KEY)).json()["data"]["status"] == "active"


async def test_limits_whose_answer_was_lost_do_not_undo_newer_ones(caller, dying, clock):
    old, new = ({"limits": {"gross_notional_aud": each}} for each in ("100", "50"))
    assert (await dying.ask("PUT", "/risk/limits", json=old, headers=KEY)).status_code == 200
    await caller.put("/risk/limits", new)
    clock.advance(HELD_FOR)
    late = await caller.ask("PUT", "/risk/limits", json=old, headers=KEY)
    assert late.json()["data"]["account"] == {"gross_notional_aud": "50.00000000"}


async def test_a_reset_whose_answer_was_lost_does_not_reset_a_newer_halt(caller, dying, clock):
    await caller.post("/emergency-stop")
    assert (await dying.post("/emergency-stop/reset", headers=KEY)).json()["data"]["halted"] is False
    clock.advance(HELD_FOR)
    await caller.post("/emergency-stop")
    late = await caller.post("/emergency-stop/reset", headers=KEY)
    assert late.json()["data"]["halted"] is True
    assert (await caller.get("/risk/status")).json()["data"]["halted"] is True


async def test_a_reset_says_which_halt_it_means(caller, clock):
    stopped = (await caller.post("/emergency-stop")).json()["data"]
    earlier = {"until": "2025-06-10T11:00:00Z"}
    assert (await caller.post("/emergency-stop/reset", earlier)).json()["data"]["halted"] is True
    meant = await caller.post("/emergency-stop/reset", {"until": stopped["since"]})
    assert meant.json()["data"]["halted"] is False


async def test_a_stop_is_made_whether_or_not_its_key_can_be_looked_up(ports, calling):
    class Away(MemoryRequests):
        async def claim(self, user_id, key, fingerprint):
            raise Unavailable("the database cannot be reached")

    caller = calling(build(replace(ports, requests=Away())), PREFIX)
    assert (await caller.post("/emergency-stop", headers=KEY)).status_code == 200
    assert (await caller.post("/emergency-stop/reset", headers=KEY)).status_code == 200
    assert (await caller.ask("PUT", "/risk/limits", json={}, headers=KEY)).status_code == 503


async def test_a_copy_of_what_is_under_way_is_told_to_ask_again(caller, wish, ports, monkeypatch, refused):
    body = await wish()
    monkeypatch.setattr("serve_apps.once._COPY_WAITS_S", 0.2)
    first = await caller.post("/deploy", body, headers=KEY)
    kept = ports.requests.kept[caller.user_id, "one wish"]
    kept.answer = None
    refused(await caller.post("/deploy", body, headers=KEY), 503, "UNAVAILABLE")
    assert isinstance(kept.claim, Claim)
    assert first.status_code == 201


@pytest.mark.postgres
async def test_two_replicas_over_one_database_have_one_effect_and_one_answer(
    ports, database: Database, calling, algorithm, wish
):
    owner = (await PostgresUsers(database).create(f"{uuid4().hex}@example.com", "hashed", None)).id
    await algorithm(user_id=owner)
    body = await wish(algorithm_id=str((await algorithm(user_id=owner)).id))
    apps = [build(replace(ports, requests=PostgresRequests(database))) for _ in range(2)]
    callers = [calling(app, PREFIX, owner) for app in apps]
    answers = await asyncio.gather(*(callers[at % 2].post("/deploy", body, headers=KEY) for at in range(6)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert sum("idempotency-replayed" in each.headers for each in answers) == 5
    assert len(ports.deployments.kept) == 1
