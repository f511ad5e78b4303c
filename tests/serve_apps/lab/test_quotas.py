"""Quotas: exact, told, and charged to whoever asked."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from omc.access.quota import Allowance
from omc.backtest.run import RunStatus
from omc.backtest.sweep import MemorySweepStore
from omc.errors import Unavailable
from serve_apps import metering
from tests.serve_apps.lab.coding import PLAIN, TWIN

ALLOWED = Allowance(algorithms=3, code_bytes=2_000, backtests=2, sweeps=1, cpu_s=100.0)
GRID = {"fast_bars": [3, 6], "slow_bars": [12, 24]}
TILL_MIDNIGHT_S = 12 * 60 * 60


@pytest.fixture
def ports(ports):
    return replace(ports, allowance=ALLOWED, maker=TWIN)


@pytest.fixture
def spent(ports, caller, clock):
    """`await spent(seconds)` has the caller use processor time."""

    async def spend(cpu_s: float) -> None:
        await ports.usage.charge(caller.user_id, cpu_s, clock.now())

    return spend


@pytest.fixture
def used(caller):
    async def read() -> dict:
        return (await caller.get("/quota")).json()["data"]

    return read


async def test_every_quota_shows_its_limit_and_what_is_used(creating, caller, other, window, used, spent):
    made = await creating()
    await caller.post(f"/algorithms/{made['id']}/backtest", window)
    await caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID})
    before_s = (await used())["cpu_s"]["used"]
    await spent(1.25)
    assert await used() == {
        "algorithms": {"limit": 3, "used": 1, "starts_anew_at": None},
        "code_bytes": {"limit": 2_000, "used": None, "starts_anew_at": None},
        "backtests": {"limit": 2, "used": 1, "starts_anew_at": None},
        "sweeps": {"limit": 1, "used": 1, "starts_anew_at": None},
        "models": {"limit": 100, "used": 0, "starts_anew_at": None},
        "model_bytes": {"limit": 1_073_741_824, "used": 0, "starts_anew_at": None},
        "cpu_s": {
            "limit": 100.0,
            "used": pytest.approx(before_s + 1.25, abs=0.002),
            "starts_anew_at": "2025-06-11T00:00:00Z",
        },
    }
    theirs = (await other.get("/quota")).json()["data"]
    assert [theirs[name]["used"] for name in ("algorithms", "backtests", "sweeps", "cpu_s")] == [0, 0, 0, 0]


async def test_one_algorithm_too_many_is_refused_until_one_is_deleted(creating, caller, refused):
    made = [await creating(name=f"{number}") for number in range(3)]
    body = {"name": "4", "algorithm_type": "moving_average_crossover"}
    answer = await caller.post("/algorithms", body)
    error = refused(answer, 429, "RATE_LIMITED")
    assert error["message"] == "you have 3 algorithms of the 3 that you may have: delete one that you do not need"
    assert error["details"] == {"quota": "algorithms", "limit": 3}
    assert (await caller.get("/algorithms")).json()["total"] == 3
    await caller.delete(f"/algorithms/{made[0]['id']}")
    assert (await caller.post("/algorithms", body)).status_code == 201


async def test_of_many_requests_at_once_as_many_pass_as_there_are_places(caller, other):
    body = {"name": "One", "algorithm_type": "moving_average_crossover"}
    answers = await asyncio.gather(*(who.post("/algorithms", body) for who in (caller, other) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [429] * 6


async def test_code_is_measured_in_bytes_and_too_much_of_it_is_too_large(caller, ports, refused):
    fits = PLAIN + "#" * (ALLOWED.code_bytes - len(PLAIN) - 2) + "é"
    body = {"name": "Mine", "algorithm_type": "custom", "code": fits}
    made = (await caller.post("/algorithms", body)).json()["data"]
    error = refused(await caller.post("/algorithms", {**body, "code": fits + "#"}), 413, "PAYLOAD_TOO_LARGE")
    assert "2,001 bytes in UTF-8 of the 2,000" in error["message"]
    refused(await caller.put(f"/algorithms/{made['id']}", {"code": fits + "é"}), 413, "PAYLOAD_TOO_LARGE")
    assert (await caller.get(f"/algorithms/{made['id']}")).json()["data"] == made
    assert len(ports.algorithms.kept) == 1


async def test_code_that_is_larger_than_what_may_be_kept_now_can_still_be_renamed(caller, ports, clock):
    body = {"name": "Mine", "algorithm_type": "custom", "code": PLAIN}
    made = (await caller.post("/algorithms", body)).json()["data"]
    record = ports.algorithms.kept[UUID(made["id"])]
    ports.algorithms.kept[record.id] = replace(record, code=PLAIN + "#" * 5_000)
    renamed = await caller.put(f"/algorithms/{made['id']}", {"name": "Yours"})
    assert renamed.json()["data"]["name"] == "Yours"


async def test_backtests_that_are_queued_or_running_take_a_place_until_they_are_over(
    creating, caller, worker, window, ports, refused
):
    path = f"/algorithms/{(await creating())['id']}/backtest"
    answers = await asyncio.gather(*(caller.post(path, window) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 202, 429, 429]
    answer = next(answer for answer in answers if answer.status_code == 429)
    error = refused(answer, 429, "RATE_LIMITED")
    assert "no more than 2 may be at once: wait until one has ended, or delete one" in error["message"]
    assert error["details"] == {"quota": "backtests", "limit": 2}
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert len(ports.backtests.kept) == 2
    assert await worker.take_one()
    assert (await caller.post(path, window)).status_code == 202


async def test_sweeps_take_a_place_until_they_are_over_and_ask_for_it_again_to_go_on(
    creating, caller, window, ports, refused
):
    path = f"/algorithms/{(await creating())['id']}/sweeps"
    first = (await caller.post(path, {**window, "space": GRID})).json()["data"]
    error = refused(await caller.post(path, {**window, "space": GRID}), 429, "RATE_LIMITED")
    assert "sweeps are queued or running, and no more than 1" in error["message"]
    assert ports.runner.submitted == [UUID(first["id"])]
    assert (await caller.post(f"/sweeps/{first['id']}/resume")).status_code == 202
    await ports.sweeps.finish(UUID(first["id"]), RunStatus.FAILED, "it fell over")
    second = (await caller.post(path, {**window, "space": GRID})).json()["data"]
    refused(await caller.post(f"/sweeps/{first['id']}/resume"), 429, "RATE_LIMITED")
    assert (await caller.get(f"/sweeps/{first['id']}")).json()["data"]["error_message"] == "it fell over"
    await caller.post(f"/sweeps/{second['id']}/cancel")
    assert (await caller.post(f"/sweeps/{first['id']}/resume")).status_code == 202


async def test_whoever_has_used_up_the_day_starts_nothing_until_the_next(
    creating, caller, window, spent, ports, clock, refused
):
    made = await creating()
    failed = (await caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID})).json()["data"]
    await ports.sweeps.finish(UUID(failed["id"]), RunStatus.FAILED)
    await spent(100.0)
    starts = [
        caller.post(f"/algorithms/{made['id']}/backtest", window),
        caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID}),
        caller.post(f"/sweeps/{failed['id']}/resume"),
        caller.post(f"/algorithms/{made['id']}/validate"),
        caller.get(f"/algorithms/{made['id']}/promotion"),
        caller.post(f"/algorithms/{made['id']}/promote"),
        caller.post("/algorithms", {"name": "Mine", "algorithm_type": "custom", "code": PLAIN}),
    ]
    for answer in await asyncio.gather(*starts):
        error = refused(answer, 429, "RATE_LIMITED")
        assert "of your 100 CPU seconds of 2025-06-10: wait, since it starts anew at 00:00 UTC" in error["message"]
        assert answer.headers["retry-after"] == str(TILL_MIDNIGHT_S)
        assert error["details"]["quota"] == "cpu_s"
        assert error["details"]["starts_anew_at"] == "2025-06-11T00:00:00Z"
    assert ports.backtests.kept == {}
    assert len(ports.sweeps.kept) == len(ports.algorithms.kept) == 1
    # What computes nothing is not held up.
    assert (await caller.get(f"/algorithms/{made['id']}")).status_code == 200
    assert (await caller.put(f"/algorithms/{made['id']}", {"name": "Other"})).status_code == 200
    clock.advance(timedelta(seconds=TILL_MIDNIGHT_S))
    assert await ports.usage.used(caller.user_id, clock.now().date()) == 0


async def test_nobody_pays_for_anybody_else(creating, other, window, spent):
    await creating()
    await spent(1_000.0)
    body = {"name": "Theirs", "algorithm_type": "moving_average_crossover"}
    made = (await other.post("/algorithms", body)).json()["data"]
    assert (await other.post(f"/algorithms/{made['id']}/backtest", window)).status_code == 202


async def test_backtests_and_validation_are_charged_to_whoever_asked(creating, testing, caller, used):
    made, before_s = await creating(), (await used())["cpu_s"]["used"]
    await testing(made)
    tested_s = (await used())["cpu_s"]["used"]
    assert tested_s > before_s
    assert (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["valid"]
    assert (await used())["cpu_s"]["used"] > tested_s


async def test_code_that_fails_is_charged_as_well(caller, testing, used):
    fails = """
class It:
    memory_bars = 1

    def predict(self, frame):
        for n in range(10**6):
            n
        1 / 0
"""
    made = (await caller.post("/algorithms", {"name": "It", "algorithm_type": "custom", "code": fails})).json()["data"]
    before_s = (await used())["cpu_s"]["used"]
    done = await testing(made)
    assert done["status"] == "failed"
    assert "ZeroDivisionError" in done["error_message"]
    assert (await used())["cpu_s"]["used"] > before_s + 0.01


async def test_work_whose_client_has_gone_is_finished_and_charged(creating, caller, ports, used):
    made = await creating()
    before_s = (await used())["cpu_s"]["used"]
    asking = asyncio.create_task(caller.post(f"/algorithms/{made['id']}/validate"))
    for _ in range(10_000):
        if caller.user_id in metering._desks:
            break
        await asyncio.sleep(0.001)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    for _ in range(12_000):
        if (await used())["cpu_s"]["used"] > before_s:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody paid")


async def test_a_ledger_that_is_away_for_a_moment_spoils_no_answer(creating, caller, ports, monkeypatch, caplog):
    made = await creating()

    async def away(*_: object) -> float:
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(type(ports.usage), "charge", away)
    assert (await caller.post(f"/algorithms/{made['id']}/validate")).status_code == 200
    assert "not charged" in caplog.text


async def test_somebody_who_asks_without_end_waits_and_is_refused_in_the_end(
    creating, caller, other, refused, monkeypatch
):
    made = await creating()
    going, go_on = asyncio.Event(), asyncio.Event()
    page = MemorySweepStore.page

    async def slowly(self, *arguments: object) -> object:
        going.set()
        await go_on.wait()
        return await page(self, *arguments)

    monkeypatch.setattr(MemorySweepStore, "page", slowly)
    asking = [asyncio.create_task(caller.get(f"/algorithms/{made['id']}/promotion")) for _ in range(8)]
    await going.wait()
    async with asyncio.timeout(120):
        while metering._desks[caller.user_id].there < len(asking):  # noqa: ASYNC110 - a desk tells nobody
            await asyncio.sleep(0.001)
    answer = await caller.get(f"/algorithms/{made['id']}/promotion")
    assert "8 of your requests" in refused(answer, 429, "RATE_LIMITED")["message"]
    body = {"name": "Theirs", "algorithm_type": "moving_average_crossover"}
    theirs = (await other.post("/algorithms", body)).json()["data"]
    assert (await other.post(f"/algorithms/{theirs['id']}/validate")).status_code == 200
    go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}
