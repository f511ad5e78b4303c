"""Whether we live, whether we are ready, and how the collectors are."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from omc.errors import Unavailable
from serve_apps.gateway.app import build


async def test_we_live_whatever_else_does(stranger, hot):
    hot.reachable = False
    answer = await stranger.get("/api/v1/health")
    assert answer.json()["data"]["status"] == "ok"


async def test_ready_has_a_row_for_each_dependency(stranger):
    data = (await stranger.get("/api/v1/ready")).json()["data"]
    assert data["ready"] is True
    assert [(row["name"], row["ready"], row["detail"]) for row in data["dependencies"]] == [
        ("database", True, "answers"),
        ("collector:exchange", True, "answers"),
    ]


async def test_what_is_not_as_it_should_be_is_told_whether_ready_or_not(ports, calling, hot, clock):
    app = build(replace(ports, warnings=("people's code is refused",)))
    assert (await calling(app, signed_in=False).get("/api/v1/ready")).json()["data"]["warnings"] == [
        "people's code is refused"
    ]
    hot.reachable = False
    clock.advance(timedelta(seconds=1))
    answer = (await calling(app, signed_in=False).get("/api/v1/ready")).json()
    assert answer["error"]["details"]["warnings"] == ["people's code is refused"]


async def test_not_ready_says_which_and_why(stranger, hot, refused):
    hot.reachable = False
    error = refused(await stranger.get("/api/v1/ready"), 503, "UNAVAILABLE")
    assert "collector:exchange" in error["message"]
    rows = {row["name"]: row for row in error["details"]["dependencies"]}
    assert rows["database"]["ready"] is True
    assert rows["collector:exchange"]["detail"] == "the exchange collector does not answer"


async def test_a_probe_with_a_bug_hides_nothing_and_tells_nothing(ports, calling, refused):
    async def broken() -> None:
        raise RuntimeError("the secret is 1234")

    app = build(replace(ports, probes={**ports.probes, "risk:0": broken}))
    answer = await calling(app, signed_in=False).get("/api/v1/ready")
    error = refused(answer, 503, "UNAVAILABLE")
    assert [row["ready"] for row in error["details"]["dependencies"]] == [True, True, False]
    assert "1234" not in answer.text


@pytest.fixture
def counted(ports, calling):
    """Somebody who asks an app whose one dependency counts how often it is asked, and waits until it may answer."""

    class Counting:
        def __init__(self) -> None:
            self.times, self.there = 0, True
            self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

        async def __call__(self) -> None:
            self.times += 1
            self.asked.set()
            await self.may_answer.wait()
            if not self.there:
                raise Unavailable("it has gone")

    probe = Counting()
    probe.may_answer.set()
    return probe, calling(build(replace(ports, probes={"it": probe})), signed_in=False)


async def test_a_flood_of_probes_asks_once_a_second(counted, clock):
    probe, stranger = counted
    for _ in range(20):
        assert (await stranger.get("/api/v1/ready")).status_code == 200
    assert probe.times == 1
    probe.there = False
    clock.advance(timedelta(seconds=0.999))
    assert (await stranger.get("/api/v1/ready")).status_code == 200
    clock.advance(timedelta(seconds=0.001))
    for _ in range(20):
        assert (await stranger.get("/api/v1/ready")).status_code == 503
    assert probe.times == 2
    clock.advance(timedelta(seconds=-60))
    probe.there = True
    assert (await stranger.get("/api/v1/ready")).status_code == 200


async def test_probes_that_come_together_wait_for_one_answer_though_the_first_of_them_leaves(counted):
    probe, stranger = counted
    probe.may_answer.clear()
    first, *others = [asyncio.create_task(stranger.get("/api/v1/ready")) for _ in range(10)]
    await probe.asked.wait()
    first.cancel()
    await asyncio.wait((first,))
    probe.may_answer.set()
    assert {each.status_code for each in await asyncio.gather(*others)} == {200}
    assert probe.times == 1


async def test_a_collector_is_shown_with_its_faults_and_its_lag(caller):
    data = (await caller.get("/api/v1/collectors/exchange")).json()["data"]
    assert (data["state"], data["lag_s"], data["faults"]) == ("running", 2.0, {"not json": 2})
    assert (await caller.get("/api/v1/collectors")).json()["items"] == [data]


async def test_a_collector_that_does_not_answer_is_shown_as_that(caller, hot):
    hot.reachable = False
    row = (await caller.get("/api/v1/collectors")).json()["items"][0]
    assert (row["state"], row["last_error"]) == ("unreachable", "the exchange collector does not answer")


async def test_a_ledger_that_nobody_keeps_is_not_found(caller, refused):
    refused(await caller.get("/api/v1/collectors/tarot"), 404, "NOT_FOUND")
