"""Backtests: queued, run away from the request, read back."""

import asyncio
import csv
import io
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from omc.adapters import parquet
from omc.backtest.run import MemoryBacktestStore, RunStatus
from omc.backtest.study import study
from omc.errors import Unavailable
from omc.ledger.catalyst import Catalyst
from omc.promotion.trials import Tally
from serve_apps.envelope import Success
from serve_apps.lab import backtests
from serve_apps.lab.backtests import Curve
from serve_apps.lab.report import page_of
from serve_apps.window import window_of


async def test_a_backtest_is_answered_at_once_and_run_later(creating, caller, worker, window):
    made = await creating()
    answer = await caller.post(f"/algorithms/{made['id']}/backtest", window)
    assert answer.status_code == 202
    queued = answer.json()["data"]
    assert (queued["status"], queued["progress"], queued["metrics"]) == ("queued", 0.0, None)
    assert queued["end_date"] == "2025-06-10T23:59:59.999999Z"
    assert answer.headers["location"] == f"/api/v1/lab/backtests/{queued['id']}"
    assert await worker.take_one()
    assert not await worker.take_one()
    done = (await caller.get(f"/backtests/{queued['id']}")).json()["data"]
    assert (done["status"], done["progress"]) == ("completed", 1.0)
    assert done["trades"] > 10
    assert done["metrics"]["trades"] == done["trades"]
    assert done["execution_time_s"] >= 0
    assert (await caller.get(f"/algorithms/{made['id']}/backtests")).json()["items"] == [done]


async def test_trades_and_equity_are_those_of_the_study(creating, testing, caller, ports):
    done = await testing(await creating())
    run = await ports.backtests.get(UUID(done["id"]), caller.user_id)
    exact = study(run.spec, await window_of(ports.archive, run.spec), ports.terms)
    trades = (await caller.get(f"/backtests/{done['id']}/trades", per_page=200)).json()
    assert trades["total"] == len(exact.fills)
    assert [Decimal(each["quantity"]) for each in trades["items"]] == [fill.quantity for fill in exact.fills]
    assert [Decimal(each["total_aud"]) for each in trades["items"]] == [fill.total_aud for fill in exact.fills]
    curve = (await caller.get(f"/backtests/{done['id']}/equity")).json()["data"]
    assert curve["times"][0] == "2025-06-09T00:00:00Z"
    assert [float(each) for each in curve["equity_aud"]] == pytest.approx(exact.simulation.equity.tolist(), abs=1e-8)


async def test_the_history_before_the_start_warms_the_algorithm_up(creating, testing):
    warm = await testing(await creating())
    cold = await testing(await creating(), start_date="2025-06-08")
    assert warm["trades"] != cold["trades"]


async def test_equity_is_thinned_as_asked_and_whole_as_a_file(creating, testing, caller, ports, refused):
    done = await testing(await creating())
    path = f"/backtests/{done['id']}/equity"
    whole = await ports.curves.curves(UUID(done["id"]))
    thin = (await caller.get(path, points=20)).json()["data"]
    assert thin["rows"] == len(whole)
    assert len(thin["times"]) == len(thin["cash_aud"]) == len(thin["benchmark_aud"]) <= 20
    assert max(map(float, thin["equity_aud"])) == pytest.approx(whole.equity_aud.max(), abs=1e-8)
    for wrong in ({"points": 0}, {"points": 10**6}, {"format": "xml"}, {"page": 1}):
        refused(await caller.get(path, **wrong), 422, "VALIDATION_ERROR")
    rows = list(csv.DictReader(io.StringIO((await caller.get(path, format="csv")).text)))
    assert [float(row["equity_aud"]) for row in rows] == whole.equity_aud.tolist()
    assert rows[0]["time"] == "2025-06-09T00:00:00Z"
    answer = await caller.get(path, format="parquet")
    assert answer.headers["content-disposition"].endswith('.parquet"')
    assert parquet.decode(answer.content)["benchmark_aud"].tobytes() == whole.benchmark_aud.tobytes()


async def test_a_curve_is_put_down_away_from_the_event_loop(creating, testing, caller, monkeypatch):
    done, places = await testing(await creating()), []

    def seen(whole, points):
        places.append(threading.current_thread() is threading.main_thread())
        return drawn(whole, points)

    drawn = backtests._drawn
    monkeypatch.setattr(backtests, "_drawn", seen)
    answer = await caller.get(f"/backtests/{done['id']}/equity", points=20_000)
    assert answer.headers["content-type"] == "application/json"
    assert Success[Curve].model_validate(answer.json()).data.rows == len(answer.json()["data"]["times"])
    assert places == [False]


async def test_trades_come_in_pages_or_as_a_file_and_say_why(creating, testing, caller):
    done = await testing(await creating())
    path = f"/backtests/{done['id']}/trades"
    page = (await caller.get(path, page=2, per_page=3)).json()
    assert (page["total"], len(page["items"])) == (done["trades"], 3)
    assert page["items"][0]["reason"] == "signal"
    rows = list(csv.DictReader(io.StringIO((await caller.get(path, format="csv")).text)))
    assert len(rows) == done["trades"]
    assert {name: rows[3][name] for name in page["items"][0]} == page["items"][0]
    whole = parquet.decode((await caller.get(path, format="parquet")).content)
    assert whole["quantity"] == [Decimal(row["quantity"]) for row in rows]


async def test_listing_backtests_reads_no_curve_and_no_trade(creating, testing, caller, ports):
    made = await creating()
    done = await testing(made)
    run = await ports.backtests.get(UUID(done["id"]), caller.user_id)
    assert run.results.keys() == {"metrics", "bar_s", "trades", "monte_carlo"}
    ports.curves.kept.clear()
    assert (await caller.get(f"/algorithms/{made['id']}/backtests")).json()["items"] == [done]


async def test_slippage_and_latency_are_told_and_cost_something(creating, testing):
    made = await creating()
    plain, worse = await testing(made), await testing(made, slippage_bps=20, latency_bars=1)
    assert (worse["slippage_bps"], worse["latency_bars"]) == (20.0, 1)
    assert plain["metrics"]["slippage_aud"] == pytest.approx(0.0, abs=1e-6)
    assert worse["metrics"]["slippage_aud"] > 10


async def test_the_report_is_a_page_that_loads_nothing(creating, testing, caller, ports):
    done = await testing(await creating(name="<script>alert(1)</script>"))
    answer = await caller.get(f"/backtests/{done['id']}/report")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1]
    assert 'id="chart-4"' in answer.text
    assert not re.search(r"\b(src|href)\s*=", answer.text)
    assert "http" not in answer.text.replace("http-equiv", "")
    assert "alert(1)" not in answer.text
    assert answer.text.count('<tr class="fill">') == done["trades"]
    first = (await ports.curves.trades(UUID(done["id"])))[0].fill
    shown = re.sub(r"</td><td[^>]*>", "|", answer.text)
    assert f"|{first.coin}|{first.side}|{first.quantity:,.8f}|{first.price_aud:,.8f}|{first.total_aud:,.2f}|" in shown
    for text in ("buy and hold", "Tried 1 time so far", "Probability of a loss"):
        assert text in answer.text


async def test_what_a_person_wrote_is_text_on_the_report(creating, testing, ports):
    done = await testing(await creating())
    run = next(iter(ports.backtests.kept.values()))
    named = replace(run, spec=replace(run.spec, parameters={"note": "<script>alert(1)</script>"}))
    page = page_of(named, ports.curves.kept[run.id], None, Tally())
    assert "<script>alert" not in page
    assert "note &lt;script&gt;" in page
    assert done["id"] in page


@pytest.mark.parametrize(
    "change",
    [
        {"start_date": "2025-06-10T00:00:00Z", "end_date": "2025-06-10T00:04:00Z"},
        {"start_date": "2025-06-10T00:01:00Z", "end_date": "2025-06-10T00:04:00Z"},
        {"start_date": "2010-01-01", "end_date": "2010-02-01"},
        {"start_date": "2030-01-01", "end_date": "2030-02-01"},
    ],
)
async def test_a_window_with_too_few_bars_is_refused_before_anything_is_queued(
    creating, caller, ports, window, refused, change
):
    made = await creating()
    answer = await caller.post(f"/algorithms/{made['id']}/backtest", {**window, **change})
    assert "stored" in refused(answer, 422, "VALIDATION_ERROR")["message"]
    assert not ports.backtests.kept


async def test_a_coin_whose_prices_all_lie_beyond_the_window_is_refused_by_name(
    creating, caller, ports, window, refused
):
    made = await creating()
    late = {np.datetime64("2025-07-01T00:00:00", "us"): (1.0, 1.1, 1.05)}
    ports.archive.bars["NEW"] = late
    answer = await caller.post(f"/algorithms/{made['id']}/backtest", {**window, "coins": ["BTC", "NEW"]})
    assert "prices of NEW are stored from 2025-07-01" in refused(answer, 422, "VALIDATION_ERROR")["message"]


async def test_results_are_refused_until_there_are_any(creating, caller, window, refused):
    made = await creating()
    queued = (await caller.post(f"/algorithms/{made['id']}/backtest", window)).json()["data"]
    for path in ("trades", "equity", "report"):
        refused(await caller.get(f"/backtests/{queued['id']}/{path}"), 409, "CONFLICT")


async def test_a_backtest_that_was_deleted_is_not_run(creating, caller, worker, window, refused):
    made = await creating()
    queued = (await caller.post(f"/algorithms/{made['id']}/backtest", window)).json()["data"]
    assert (await caller.delete(f"/backtests/{queued['id']}")).status_code == 200
    assert not await worker.take_one()
    refused(await caller.get(f"/backtests/{queued['id']}"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "change",
    [
        {"coins": []},
        {"coins": ["BTC", "BTC"]},
        {"coins": ["NOPE"]},
        {"start_date": "2025-06-11", "end_date": "2025-06-10"},
        {"start_date": "2024-01-01", "end_date": "2024-02-01"},
        {"start_date": "2026-01-01", "end_date": "2026-02-01"},
        {"start_date": 1749427200},
        {"start_date": "2025-06-31"},
        {"end_date": None},
        {"initial_cash": "0"},
        {"initial_cash": "-1"},
        {"initial_cash": "0.001"},
        {"initial_cash": 100.5},
        {"initial_cash": "1e9"},
        {"initial_cash": "90000000.01"},
        {"rebalance_band": 1.0},
        {"rebalance_band": -0.5},
        {"parameters": {"exposure": 3}},
        {"parameters": {"window": 3}},
        {"slippage_bps": -1},
        {"slippage_bps": 10_000},
        {"latency_bars": 1.5},
        {"latency_bars": -1},
        {"fees": 0},
    ],
    ids=str,
)
async def test_a_backtest_that_makes_no_sense_is_refused(creating, caller, ports, window, refused, change):
    made = await creating()
    answer = await caller.post(f"/algorithms/{made['id']}/backtest", {**window, **change})
    refused(answer, 422, "VALIDATION_ERROR")
    assert ports.backtests.kept == {}


async def test_a_backtest_that_turns_out_impossible_has_failed_and_says_why(creating, testing, ports):
    kept = ports.archive.bars["ETH"]
    ports.archive.bars["ETH"] = {time: quote for time, quote in kept.items() if time < np.datetime64("2025-06-10")}
    ports.archive.bars["ETH"][max(kept)] = kept[max(kept)]
    done = await testing(await creating(), start_date="2025-06-10T01:00:00Z", end_date="2025-06-10T02:00:00Z")
    assert done["status"] == "failed"
    assert "no prices of ETH" in done["error_message"]
    assert done["metrics"] is None


async def test_a_fault_of_ours_fails_the_run_and_keeps_its_words(creating, testing, ports, monkeypatch, caplog):
    monkeypatch.setattr("serve_apps.lab.worker.study", lambda *_, **__: 1 / 0)
    done = await testing(await creating())
    assert done["status"] == "failed"
    assert "division" not in done["error_message"]
    assert "ZeroDivisionError" in caplog.text


async def test_a_store_that_is_away_leaves_the_run_for_later(
    creating, caller, worker, ports, window, clock, monkeypatch
):
    made = await creating()
    queued = (await caller.post(f"/algorithms/{made['id']}/backtest", window)).json()["data"]

    async def away(*_: object) -> None:
        raise Unavailable("the database does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(type(ports.archive), "read", away)
        with pytest.raises(Unavailable):
            await worker.take_one()
    assert (await ports.backtests.get(UUID(queued["id"]), caller.user_id)).status is RunStatus.RUNNING
    assert not await worker.take_one()
    clock.advance(timedelta(hours=1))
    assert await worker.take_one()
    assert (await ports.backtests.get(UUID(queued["id"]), caller.user_id)).status is RunStatus.COMPLETED


async def test_a_caller_who_leaves_while_asking_has_asked(creating, caller, ports, window, monkeypatch):
    made = await creating()
    begun, go_on = asyncio.Event(), asyncio.Event()
    create = MemoryBacktestStore.create

    async def slowly(self, run, most=None):
        begun.set()
        await go_on.wait()
        return await create(self, run, most)

    monkeypatch.setattr(MemoryBacktestStore, "create", slowly)
    asking = asyncio.create_task(caller.post(f"/algorithms/{made['id']}/backtest", window))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(ports.backtests.kept) == 1


async def test_the_worker_works_while_its_app_runs(app, creating, caller, window):
    made = await creating()
    async with app.router.lifespan_context(app):
        queued = (await caller.post(f"/algorithms/{made['id']}/backtest", window)).json()["data"]
        for _ in range(12_000):
            if (await caller.get(f"/backtests/{queued['id']}")).json()["data"]["status"] == "completed":
                return
            await asyncio.sleep(0.01)
    pytest.fail("nobody ran the backtest")


async def test_history_is_read_as_the_gateways_prices_are(caller):
    page = (await caller.get("/data/historical", coin="BTC", interval="1h", per_page=2)).json()
    assert set(page["items"][0]) == {"coin", "timestamp", "open", "high", "low", "close", "quotes", "gap", "complete"}


async def test_an_algorithm_that_waits_for_a_catalyst_is_asked_when_it_became_known(creating, testing, caller, ports):
    seen = [datetime(2025, 6, 9, hour, 1, tzinfo=UTC) for hour in (3, 9, 15)]
    # One is about another coin, and one became known before the window.
    others = [("DOGE", seen[0] + timedelta(hours=2)), ("BTC", datetime(2025, 6, 8, 1, tzinfo=UTC))]
    await ports.catalysts.record(
        [
            Catalyst("listing", "listed", (coin,), "wire", str(at), at, at)
            for coin, at in [*(("BTC", at) for at in seen), *others]
        ]
    )
    algorithm = await creating()
    asked = await testing(algorithm, triggers=[{"on": "catalyst", "type": "listing", "coin": "BTC"}])
    trades = (await caller.get(f"/backtests/{asked['id']}/trades", per_page=200)).json()["items"]
    # Known a minute past the hour, decided five past it, filled at the next bar.
    filled = {at.replace(minute=10).strftime("%Y-%m-%dT%H:%M:%SZ") for at in seen}
    assert min(trade["executed_at"] for trade in trades) in filled
    unasked = await testing(algorithm, triggers=[{"on": "catalyst", "type": "halving"}])
    assert unasked["trades"] == 0
