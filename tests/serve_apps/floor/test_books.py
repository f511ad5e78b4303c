"""Orders, trades, decisions, positions, P&L, equity and parity of a deployment that traded."""

from decimal import Decimal
from uuid import UUID

import pytest

from omc.trading.fill import Side

FIRST, LAST = 20, 520


@pytest.fixture
async def traded(deploying, playing):
    made = await deploying()
    await playing(made["id"], FIRST, LAST)
    return made


async def everything(caller, path: str, **query: object) -> list[dict]:
    items, page, pages = [], 1, 1
    while page <= pages:
        answer = (await caller.get(path, page=page, per_page=200, **query)).json()
        items, page, pages = items + answer["items"], page + 1, answer["pages"]
    assert len(items) == answer["total"]
    return items


async def test_the_floor_made_the_trades_that_the_backtest_makes(traded, caller, history):
    parity = (await caller.get(f"/algorithms/{traded['id']}/parity")).json()["data"]
    assert parity["differences"] == []
    assert parity["backtest_trades"] == parity["floor_trades"] > 20
    assert parity["start"] == history.time(FIRST).isoformat().replace("+00:00", "Z")
    assert parity["end"] == history.time(LAST - 1).isoformat().replace("+00:00", "Z")


async def test_a_trade_that_the_backtest_does_not_make_is_a_difference(traded, caller, ports):
    row = next(row for row in ports.blotter._rows.values() if row.order.intent.side is Side.SELL)
    del ports.blotter._rows[row.order.intent.client_order_id]
    parity = (await caller.get(f"/algorithms/{traded['id']}/parity")).json()["data"]
    assert parity["floor_trades"] == parity["backtest_trades"] - 1
    assert len(parity["differences"]) == 1
    assert "the floor has no such trade" in parity["differences"][0]


async def test_a_coin_that_was_never_quoted_in_a_deployments_life_does_not_hide_its_parity(
    traded, caller, ports, history
):
    bars = ports.archive.bars["ETH"]
    for time in [time for time in bars if time >= history.times[FIRST]]:
        del bars[time]
    answer = await caller.get(f"/algorithms/{traded['id']}/parity")
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["differences"]


async def test_trades_and_orders_are_listed_newest_first_and_paged(traded, caller):
    trades = await everything(caller, f"/algorithms/{traded['id']}/trades")
    assert trades == await everything(caller, "/trades")
    times = [trade["executed_at"] for trade in trades]
    assert times == sorted(times, reverse=True)
    orders = await everything(caller, "/orders")
    assert orders == await everything(caller, f"/algorithms/{traded['id']}/orders")
    assert {order["status"] for order in orders} == {"filled"}
    assert all(order["quantity"] == order["filled_quantity"] for order in orders)
    assert [order["client_order_id"] for order in orders] == [trade["client_order_id"] for trade in trades]
    money = ("quantity", "price_aud", "total_aud", "fee_aud")
    assert all(len(trade[name].partition(".")[2]) == 8 for trade in trades for name in money)


async def test_trades_are_chosen_by_time(traded, caller, refused):
    path = f"/algorithms/{traded['id']}/trades"
    trades = await everything(caller, path)
    chosen = await everything(caller, path, start="2025-06-09", end="2025-06-09")
    assert chosen == [trade for trade in trades if trade["executed_at"].startswith("2025-06-09")] != []
    refused(await caller.get(path, start="2025-06-10", end="2025-06-09"), 422, "VALIDATION_ERROR")


async def test_decisions_say_why(traded, caller):
    decisions = await everything(caller, f"/algorithms/{traded['id']}/decisions")
    assert len(decisions) > 20
    assert set(decisions[0]) == {"decided_at", "recorded_at", "targets", "why", "printed", "trigger"}
    assert set(decisions[0]["targets"]) == set(decisions[0]["why"]) == {"BTC", "ETH"}
    assert "the algorithm wants" in decisions[0]["why"]["BTC"]


async def test_positions_are_marked_at_the_bid(traded, caller, hot, ports):
    rows = await everything(caller, "/positions")
    assert rows == await everything(caller, f"/algorithms/{traded['id']}/positions")
    account = await ports.blotter.account(UUID(traded["id"]))
    for row in rows:
        held = account.positions[row["coin"]].quantity
        assert Decimal(row["quantity"]) == held
        assert row["mark_aud"] == (f"{hot.board.quotes[row['coin']].bid_aud:.8f}" if held else None)
        assert Decimal(row["value_aud"]) == Decimal(row["cost_aud"]) + Decimal(row["unrealized_pnl_aud"])


async def test_profit_and_loss_adds_up_to_what_the_account_is_worth(traded, caller, ports, hot):
    account = await ports.blotter.account(UUID(traded["id"]))
    marks = {coin: quote.bid_aud for coin, quote in hot.board.quotes.items()}
    summary = (await caller.get("/pnl/summary")).json()["data"]
    assert abs(Decimal(summary["equity_aud"]) - account.equity_aud(marks)) < Decimal("0.00000002")
    assert Decimal(summary["net_pnl_aud"]) == Decimal(summary["equity_aud"]) - account.deposited_aud
    performance = (await caller.get(f"/algorithms/{traded['id']}/performance")).json()["data"]
    assert performance["equity_aud"] == summary["equity_aud"]
    earned = [Decimal(summary[name]) for name in ("realized_pnl_aud", "unrealized_pnl_aud", "fees_aud")]
    assert earned[0] + earned[1] - earned[2] == Decimal(summary["net_pnl_aud"])
    assert Decimal(summary["fees_aud"]) == account.fees_aud
    assert summary["deployments"] == 1
    assert summary["trades"] == len(await everything(caller, "/trades"))
    for path in ("/pnl/by-coin", "/pnl/by-algorithm"):
        rows = await everything(caller, path)
        assert sum(Decimal(row["net_pnl_aud"]) for row in rows) == Decimal(summary["net_pnl_aud"])
        assert sum(row["trades"] for row in rows) == summary["trades"]


async def test_windows_of_profit_and_loss_add_up(traded, caller):
    whole = (await caller.get("/pnl/summary")).json()["data"]
    parts = [
        (await caller.get("/pnl/summary", **window)).json()["data"]
        for window in ({"end": "2025-06-08"}, {"start": "2025-06-09", "end": "2025-06-09"}, {"start": "2025-06-10"})
    ]
    for figure in ("realized_pnl_aud", "fees_aud"):
        assert sum(Decimal(part[figure]) for part in parts) == Decimal(whole[figure])
    assert sum(part["trades"] for part in parts) == whole["trades"]
    assert parts[0]["equity_aud"] is None


async def test_the_equity_curve_begins_with_the_cash_and_follows_the_bids(traded, caller, ports, history):
    curve = (await caller.get(f"/algorithms/{traded['id']}/equity")).json()["data"]
    assert len(curve["times"]) == len(curve["equity_aud"]) == LAST - FIRST
    assert Decimal(curve["equity_aud"][0]) == 10_000
    account = await ports.blotter.account(UUID(traded["id"]))
    bids = {coin: Decimal(repr(float(history.bid[LAST - 1, at]))) for at, coin in enumerate(history.coins)}
    assert abs(Decimal(curve["equity_aud"][-1]) - account.equity_aud(bids)) < Decimal("0.000001")


async def test_performance_is_null_where_there_is_nothing_to_say(traded, deploying, caller):
    figures = (await caller.get(f"/algorithms/{traded['id']}/performance")).json()["data"]
    assert figures["bars"] == LAST - FIRST
    assert -1 < figures["max_drawdown"] < 0
    assert figures["sharpe"] is not None
    idle = (await caller.get(f"/algorithms/{(await deploying())['id']}/performance")).json()["data"]
    assert (idle["trades"], idle["bars"], idle["sharpe"], idle["max_drawdown"]) == (0, 0, None, None)
    assert idle["equity_aud"] == "10000.00000000"


async def test_a_deployment_that_has_done_nothing_shows_nothing(deploying, playing, caller):
    idle = await deploying()
    path = f"/algorithms/{idle['id']}"
    for _ in range(2):
        parity = (await caller.get(f"{path}/parity")).json()["data"]
        assert (parity["backtest_trades"], parity["floor_trades"], parity["differences"]) == (0, 0, [])
        assert (await caller.get(f"{path}/equity")).json()["data"] == {"times": [], "equity_aud": []}
        assert (await caller.get(f"{path}/trades")).json()["items"] == []
        await playing(idle["id"], FIRST, FIRST + 1)


async def test_status_shows_the_pulse_the_lag_and_the_speed(traded, caller, clock, history):
    status = (await caller.get(f"/algorithms/{traded['id']}/status")).json()["data"]
    assert status["deployment"]["id"] == traded["id"]
    assert status["halted"] is False
    assert status["trader"]["state"] == "running"
    assert status["heartbeat_age_s"] == 0.0
    assert status["lag_s"] == (len(history) - LAST) * 300.0
    assert status["counts"]["trades"] == len(await everything(caller, "/trades"))
    assert status["counts"]["denied"] == 0
    assert (status["decision_to_order_ms"]["p50"], status["decision_to_order_ms"]["p99"]) == (1.0, 3.0)


async def test_status_is_shown_though_everyone_else_is_away(traded, caller, ports):
    ports.supervision.reachable = ports.hot.reachable = False
    status = (await caller.get(f"/algorithms/{traded['id']}/status")).json()["data"]
    assert (status["trader"], status["lag_s"]) == (None, None)
    assert status["counts"]["trades"] > 0


async def test_marks_come_from_the_archive_when_the_collector_is_away(traded, caller, ports):
    there = (await caller.get("/pnl/summary")).json()["data"]
    ports.hot.reachable = False
    away = (await caller.get("/pnl/summary")).json()["data"]
    assert away == there
