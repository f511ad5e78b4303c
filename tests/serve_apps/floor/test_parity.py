"""The floor beside its backtest, trade by trade: the same on a tape, and priced where an exchange differs."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from omc.market.money import SATOSHI
from omc.risk.verdict import DenialReason, Denied
from omc.trading.deployment import Mode
from omc.trading.fill import Side
from omc.trading.floor import Reconciliation
from omc.trading.reconciliation.books import ours
from serve_apps.floor import compared, life
from serve_apps.floor.owned import everything
from tests.omc.adapters.postgres.house import NOON, fill, in_memory

FIRST, LAST = 20, 520


@pytest.fixture
async def traded(deploying, playing):
    made = await deploying(deployment_name="Trend")
    await playing(made["id"], FIRST, LAST)
    return made


@pytest.fixture
def agreeing(ports, monkeypatch):
    """A desk whose venue has our books."""

    async def reconcile(deployment_id):
        books = ours(await ports.blotter.account(deployment_id))
        return Reconciliation(deployment_id, ports.clock.now(), books, books, ())

    monkeypatch.setattr(ports.risk, "reconcile", reconcile)


@pytest.fixture
def elsewhere(ports):
    """`elsewhere(change)` has every fill of the floor as `change` makes it."""

    def moved(change) -> int:
        rows = ports.blotter._rows
        for name, row in rows.items():
            fills = tuple(change(fill) for fill in row.order.fills)
            rows[name] = replace(row, order=replace(row.order, fills=fills))
        return sum(len(row.order.fills) for row in rows.values())

    return moved


def real(ports, made) -> None:
    known = ports.deployments.kept[UUID(made["id"])]
    ports.deployments.kept[known.id] = replace(known, mode=Mode.LIVE)


def worse(fill):
    """Half a percent worse, two seconds later."""
    loss = fill.value_aud / 200
    total = fill.total_aud + loss if fill.side is Side.BUY else fill.total_aud - loss
    return replace(fill, total_aud=total, executed_at=fill.executed_at + timedelta(seconds=2))


async def summary(caller, made) -> dict:
    return (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]


async def pairs(caller, made, **query) -> dict:
    return (await caller.get(f"/algorithms/{made['id']}/parity/trades", **query)).json()


async def test_a_tape_is_traded_to_the_cent(traded, caller):
    told = await summary(caller, traded)
    assert told["differences"] == []
    assert told["backtest_trades"] == told["floor_trades"] == told["paired"] > 20
    assert (told["different"], told["only_backtest"], told["only_floor"]) == (0, 0, 0)
    assert (told["cost_aud"], told["cost_bps"], told["latest_s"]) == ("0.00000000", 0.0, 0.0)
    page = await pairs(caller, traded, per_page=200)
    assert page["total"] == told["paired"]
    for row in page["items"]:
        assert row["backtest"] == row["floor"]
        assert row["floor"]["reason"] == "signal"
        assert row["differences"] == []
    assert [row["bar"] for row in page["items"]] == sorted(row["bar"] for row in page["items"])
    assert (await pairs(caller, traded, only="different"))["total"] == 0


async def test_a_worse_price_is_told_with_its_size_and_its_cost(traded, caller, ports, elsewhere):
    real(ports, traded)
    fills = elsewhere(worse)
    told = await summary(caller, traded)
    assert told["paired"] == told["different"] == fills
    assert told["cost_bps"] == pytest.approx(50, abs=1)
    assert told["latest_s"] == 2.0
    page = await pairs(caller, traded, only="different", per_page=200)
    assert page["total"] == fills
    for row in page["items"]:
        assert row["price_bps"] == pytest.approx(50, abs=0.5)
        assert row["later_s"] == 2.0
        assert float(row["cost_aud"]) > 0
        assert any("bps of cost" in each for each in row["differences"])
    assert sum(Decimal(row["cost_aud"]) for row in page["items"]) == Decimal(told["cost_aud"])
    assert len(told["differences"]) == 2 * fills


async def test_several_fills_of_one_order_are_one_trade(traded, caller, ports):
    rows = ports.blotter._rows
    for name, row in rows.items():
        whole = row.order.fills[0]
        half = replace(
            whole,
            quantity=whole.quantity / 2,
            total_aud=whole.total_aud / 2,
            fee_aud=whole.fee_aud / 2,
        )
        halves = (half, replace(half, fill_id=f"{half.fill_id}#2"))
        rows[name] = replace(row, order=replace(row.order, fills=halves))
    told = await summary(caller, traded)
    assert told["differences"] == []
    assert told["floor_trades"] == len(rows)


async def test_a_trade_that_one_side_lacks_has_no_twin_and_no_price(traded, caller, ports):
    gone = next(row for row in ports.blotter._rows.values() if row.order.intent.side is Side.SELL)
    del ports.blotter._rows[gone.order.intent.client_order_id]
    told = await summary(caller, traded)
    assert (told["only_backtest"], told["only_floor"], told["different"]) == (1, 0, 1)
    (row,) = (await pairs(caller, traded, only="different"))["items"]
    assert (row["floor"], row["cost_aud"], row["price_bps"]) == (None, None, None)
    assert row["differences"][0].endswith("the floor has no such trade")


async def test_pages_cut_the_pairs(traded, caller):
    whole = (await pairs(caller, traded, per_page=200))["items"]
    page = await pairs(caller, traded, page=2, per_page=7)
    assert page["items"] == whole[7:14]


async def test_who_turns_the_pages_has_the_backtest_run_once(traded, caller, ports, monkeypatch, elsewhere):
    runs = []

    async def backtest_of(*arguments):
        runs.append(1)
        return await life.backtest_of(*arguments)

    monkeypatch.setattr(compared, "backtest_of", backtest_of)
    whole = await summary(caller, traded)
    for page in range(1, 5):
        await pairs(caller, traded, page=page, per_page=7)
    assert len(runs) == 1
    # A fill that comes to light later is in the next answer.
    elsewhere(worse)
    assert (await summary(caller, traded))["different"] == whole["paired"]
    ports.clock.advance(timedelta(minutes=5))
    await summary(caller, traded)
    assert len(runs) == 3


async def test_before_anything_was_lived_there_is_nothing_to_compare(deploying, caller):
    made = await deploying()
    told = await summary(caller, made)
    assert (told["start"], told["floor_trades"], told["cost_aud"]) == (None, 0, "0.00000000")
    assert (await pairs(caller, made))["total"] == 0


async def test_nobody_compares_somebody_elses(traded, other, refused):
    for path in ("parity", "parity/trades"):
        refused(await other.get(f"/algorithms/{traded['id']}/{path}"), 404, "NOT_FOUND")


async def test_the_page_prices_what_real_money_lost(traded, caller, ports, elsewhere, agreeing):
    elsewhere(worse)
    page = f"/algorithms/{traded['id']}/report"
    assert '<p class="verdict broken">' in (await caller.get(page)).text
    real(ports, traded)
    shown = (await caller.get(page)).text
    assert '<p class="verdict">The floor made the' in shown
    assert "2.0 s later at most, and for A$" in shown
    assert "more than at the backtest" in shown
    assert shown.count(" bps of cost</li>") >= 20


async def test_a_trade_that_is_made_while_the_trades_are_read_counts_none_twice():
    house = in_memory()
    ours = await house.deployed()

    async def trade(number: int) -> None:
        house.clock.advance(timedelta(seconds=1))
        at = NOON + timedelta(seconds=number)
        made = replace(
            fill(f"f{number}"), executed_at=at, quantity=SATOSHI, total_aud=Decimal("0.01"), fee_aud=Decimal(0)
        )
        await house.filled(ours, made, client_order_id=f"o{number}", quoted_at=at)

    for number in range(1_001):
        await trade(number)

    async def page(offset, limit):
        found = await house.blotter.trades(ours.user_id, ours.id, offset, limit)
        if offset == 0:
            await trade(5_000)
        return found

    names = [each.fill.fill_id for each in await everything(page)]
    assert names == [f"f{number}" for number in reversed(range(1_001))]


async def test_what_a_limit_kept_the_floor_from_is_named(deploying, playing, caller, ports, monkeypatch):
    """The kernel knows no limits; whoever reads the report is told which one it was."""
    made = await deploying()
    stops_at = (await ports.deployments.get(UUID(made["id"]))).limits
    submit = type(ports.risk).submit
    denied = []

    async def lost(self, intent, lease):
        if intent.side is Side.BUY and not denied:
            no = Denied(
                intent, DenialReason.DAILY_LOSS, f"60.00 AUD are lost today, the limit is {stops_at.daily_loss_aud}"
            )
            order = await ports.blotter.deny(await ports.blotter.begin(intent), no)
            denied.append(intent)
            return order
        return await submit(self, intent, lease)

    monkeypatch.setattr(type(ports.risk), "submit", lost)
    await playing(made["id"], FIRST, LAST)
    (intent,) = denied
    found = [each for each in (await summary(caller, made))["differences"] if "daily_loss" in each]
    assert len(found) == 1
    assert "the floor has no such trade, its order was denied: daily_loss: 60.00 AUD are lost today" in found[0]
    assert intent.coin in found[0]
