"""Limits of a deployment, an account and the platform: shown, changed, and refused by name."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.risk.limits import Bounds, Limits
from omc.risk.standing import Standing
from omc.risk.store import BreachTold, Place
from omc.risk.verdict import Breach
from omc.trading.deployment import Mode
from serve_apps.floor.app import PREFIX, build


async def test_an_account_has_no_limits_until_its_owner_sets_some(caller, other, ports):
    before = (await caller.get("/risk/limits")).json()["data"]
    assert (before["account"], before["time_zone"], before["platform"]) == ({}, "UTC", {})
    wanted = {"daily_loss_aud": "250.00", "drawdown": 0.2, "orders_a_minute": 30, "cool_down_s": 3600}
    answer = await caller.put("/risk/limits", {"limits": wanted, "time_zone": "Australia/Sydney"})
    data = answer.json()["data"]
    assert data["account"] == {**wanted, "daily_loss_aud": "250.00000000", "cool_down_s": 3600.0}
    assert data["time_zone"] == "Australia/Sydney"
    assert (await ports.limits.limits(caller.user_id)).bounds.drawdown == Decimal("0.2")
    assert (await other.get("/risk/limits")).json()["data"]["account"] == {}
    less = (await caller.put("/risk/limits", {"limits": {"drawdown": None}})).json()["data"]
    assert set(less["account"]) == {"daily_loss_aud", "orders_a_minute", "cool_down_s"}
    assert less["time_zone"] == "Australia/Sydney"
    kinds = [each["kind"] for each in (await caller.get("/risk/events")).json()["items"]]
    assert kinds == ["limits", "limits"]


async def test_a_deployments_limits_change_one_by_one(deploying, caller, ports):
    made = await deploying()
    body = {"deployment_id": made["id"], "limits": {"daily_loss_aud": "5.00", "losses_in_a_row": 3}}
    (row,) = (await caller.put("/risk/limits", body)).json()["data"]["deployments"]
    assert row["risk_limits"] == {**made["risk_limits"], "daily_loss_aud": "5.00000000", "losses_in_a_row": 3}
    assert (await ports.deployments.get(UUID(made["id"]))).limits.losses_in_a_row == 3
    gone = {"deployment_id": made["id"], "limits": {"losses_in_a_row": None}}
    (row,) = (await caller.put("/risk/limits", gone)).json()["data"]["deployments"]
    assert row["risk_limits"] == {**made["risk_limits"], "daily_loss_aud": "5.00000000"}


async def test_a_deployment_begins_within_all_limits_that_it_asks_for(deploying):
    made = await deploying(risk_limits={"drawdown": 0.1, "price_band_bps": 50})
    assert (made["risk_limits"]["drawdown"], made["risk_limits"]["price_band_bps"]) == (0.1, 50.0)


async def test_nothing_is_wider_than_the_platform_allows(deploying, ports, calling, caller, refused):
    made = await deploying()
    ours = replace(
        ports, most=Limits(Decimal(100), Decimal(200), Decimal(50)), platform=Bounds(drawdown=Decimal("0.5"))
    )
    caller.http = calling(build(ours), PREFIX).http
    body = {"deployment_id": made["id"], "limits": {"order_notional_aud": "100.01", "position_notional_aud": "1"}}
    error = refused(await caller.put("/risk/limits", body), 422, "VALIDATION_ERROR")
    assert "limits.order_notional_aud is 100.01: at most 100 is allowed here" in str(error)
    data = (await caller.get("/risk/limits")).json()["data"]
    assert data["platform"] == {"drawdown": 0.5}
    assert data["deployments"][0]["risk_limits"] == made["risk_limits"]


@pytest.mark.parametrize(
    "body",
    [
        {"limits": {"drawdown": 1.5}},
        {"limits": {"drawdown": "0.2"}},
        {"limits": {"orders_a_minute": 1.5}},
        {"limits": {"daily_loss_aud": 0}},
        {"limits": {"daily_loss_aud": 1.5}},
        {"limits": {"dayly_loss_aud": "5"}},
        {"limits": []},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": ""},
        {"limits": {"cool_down_s": -1}},
    ],
    ids=str,
)
async def test_what_is_no_limit_is_refused(caller, refused, body):
    refused(await caller.put("/risk/limits", body), 422, "VALIDATION_ERROR")
    assert (await caller.get("/risk/limits")).json()["data"]["account"] == {}


@pytest.mark.parametrize("change", [{"limits": {"daily_loss_aud": None}}, {"time_zone": "UTC"}], ids=str)
async def test_what_a_deployment_always_has_or_never_has_is_refused(deploying, caller, refused, change):
    made = await deploying()
    refused(await caller.put("/risk/limits", {"deployment_id": made["id"], **change}), 422, "VALIDATION_ERROR")


async def test_somebody_elses_limits_cannot_be_changed(deploying, caller, other, refused):
    made = await deploying()
    body = {"deployment_id": made["id"], "limits": {"daily_loss_aud": "1.00"}}
    refused(await other.put("/risk/limits", body), 404, "NOT_FOUND")
    (row,) = (await caller.get("/risk/limits")).json()["data"]["deployments"]
    assert row["risk_limits"] == made["risk_limits"]


async def test_risk_shows_limits_their_use_and_the_halt(deploying, playing, caller, ports):
    made = await deploying()
    deployment = await playing(made["id"], 20, 300)
    limits = (await caller.get("/risk/limits")).json()["data"]
    assert limits["most"] is None
    assert limits["deployments"][0]["risk_limits"] == made["risk_limits"]
    status = (await caller.get("/risk/status")).json()["data"]
    assert (status["halted"], status["since"], status["reason"], status["halts"]) == (False, None, None, [])
    (row,), (account,) = status["deployments"], status["account"]
    assert row["deployment_id"] == made["id"]
    assert Decimal(row["largest_position_aud"]) >= 0
    assert row["equity_aud"] == account["equity_aud"]
    assert (row["day_result_aud"], row["drawdown"]) == (None, None)
    place = Place.all_of(deployment)[0]
    begun = Standing.begun(date.fromisoformat(status["day"]), Decimal(10**6), Decimal(10**4))
    await ports.limits.remember({place: begun.told_of("daily_loss_aud")})
    (row,) = (await caller.get("/risk/status")).json()["data"]["deployments"]
    assert Decimal(row["day_result_aud"]) == Decimal(row["equity_aud"]) - 10**6
    assert Decimal(row["highest_equity_aud"]) == 10**6
    assert row["drawdown"] == pytest.approx(1 - float(row["equity_aud"]) / 10**6)
    assert row["broken_today"] == ["daily_loss_aud"]
    await caller.post("/emergency-stop")
    assert (await caller.get("/risk/status")).json()["data"]["halted"] is True


async def test_another_days_result_is_not_told_as_todays(deploying, caller, ports):
    made = await deploying()
    place = Place.all_of(await ports.deployments.get(UUID(made["id"])))[0]
    day = date.fromisoformat((await caller.get("/risk/status")).json()["data"]["day"])
    begun = Standing.begun(
        day - timedelta(days=5), Decimal(10**6), (await ports.deployments.get(UUID(made["id"]))).cash_aud
    )
    await ports.limits.remember({place: begun.told_of("daily_loss_aud")})
    (row,) = (await caller.get("/risk/status")).json()["data"]["deployments"]
    assert (row["day_result_aud"], row["broken_today"]) == (None, [])
    assert Decimal(row["highest_equity_aud"]) == 10**6


async def test_new_cash_is_told_as_nobodys_profit(deploying, caller, ports):
    await deploying()
    status = (await caller.get("/risk/status")).json()["data"]
    equity = Decimal(status["account"][0]["equity_aud"])
    begun = Standing.begun(date.fromisoformat(status["day"]), equity, equity)
    await ports.limits.remember({Place(Mode.PAPER, caller.user_id): begun})
    await deploying()
    (account,) = (await caller.get("/risk/status")).json()["data"]["account"]
    assert Decimal(account["equity_aud"]) > equity
    assert (Decimal(account["day_result_aud"]), account["drawdown"]) == (0, 0)


async def test_limits_that_two_change_at_once_are_both_kept(deploying, caller, ports, monkeypatch):
    made = await deploying()
    for about, read in (
        ({}, (type(ports.limits), "limits")),
        ({"deployment_id": made["id"]}, (type(ports.deployments), "get")),
    ):
        real, met = getattr(*read), asyncio.Barrier(2)

        async def together(self, *whose, real=real, met=met):
            found = await real(self, *whose)
            if met.n_waiting < 2 and not met.broken:
                with suppress(asyncio.BrokenBarrierError):
                    await met.wait()
                await met.abort()
            return found

        monkeypatch.setattr(*read, together)
        changes = [{**about, "limits": each} for each in ({"drawdown": 0.2}, {"daily_loss_aud": "5.00"})]
        answers = await asyncio.gather(*(caller.put("/risk/limits", each) for each in changes))
        monkeypatch.undo()
        assert [each.status_code for each in answers] == [200, 200]
        data = (await caller.get("/risk/limits")).json()["data"]
        kept = data["deployments"][0]["risk_limits"] if about else data["account"]
        assert (kept["drawdown"], kept["daily_loss_aud"]) == (0.2, "5.00000000")


async def test_breaches_are_listed_with_their_figures(deploying, caller, other, ports):
    made = await deploying()
    breach = Breach("deployment", "daily_loss_aud", Decimal("51.20"), Decimal(50))
    await ports.limits.remember({}, [BreachTold(caller.user_id, UUID(made["id"]), breach)])
    page = (await caller.get("/risk/events", kind="breach", deployment_id=made["id"])).json()
    assert page["total"] == 1
    assert page["items"][0]["data"] == {
        "level": "deployment",
        "limit": "daily_loss_aud",
        "figure": "51.20",
        "threshold": "50",
    }
    assert (await other.get("/risk/events")).json()["total"] == 0
