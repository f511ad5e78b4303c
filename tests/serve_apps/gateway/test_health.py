"""Whether we live, whether we are ready, and how the collectors are."""

import asyncio
from dataclasses import replace

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


async def test_what_is_not_as_it_should_be_is_told_whether_ready_or_not(ports, calling, hot):
    app = build(replace(ports, warnings=("people's code is refused",)))
    assert (await calling(app, signed_in=False).get("/api/v1/ready")).json()["data"]["warnings"] == [
        "people's code is refused"
    ]
    hot.reachable = False
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


async def test_of_many_who_ask_at_once_one_asks_the_dependencies(ports, calling):
    asked = 0

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    stranger = calling(build(replace(ports, probes={"risk:0": counted})), signed_in=False)
    answers = await asyncio.gather(*(stranger.get("/api/v1/ready") for _ in range(50)))
    assert ({each.status_code for each in answers}, asked) == ({200}, 1)
    await stranger.get("/api/v1/ready")
    assert asked == 2, "nothing is kept for later"


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
