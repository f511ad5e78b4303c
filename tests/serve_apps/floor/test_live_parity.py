"""Real money from the typed confirmation to the parity report: what the report lays beside the backtest is what an
exchange executed, over a socket, by its own record.

The exchange is a sandbox that stands in for the real one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from actors.supervisor import Supervisor
from omc.access.credential import COINSPOT
from omc.access.usage import MemoryUsageLedger
from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.plan import FaultPlan
from omc.clock import ManualClock
from omc.market.money import cents, eight_places
from omc.market.terms import Terms
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.registry import make
from omc.trading.deployment import DeploymentStatus
from omc.trading.paper.exchange import MemoryExchange
from serve_apps.floor.app import PREFIX, build
from serve_apps.floor.ports import FloorPorts
from serve_apps.wire import time_text
from tests.actors.mortal import START, TERMS, USER, House, market
from tests.actors.test_live import Live, trading_live, until

KIND = "mean_reversion"
PARAMETERS = {"window_bars": 6, "entry_z": 0.8, "exit_z": 0.1, "hold_bars": 6, "stop_loss": 0.03}
CASH = "10000.00"
LIMITS = {"order_notional_aud": "20000", "position_notional_aud": "20000", "daily_loss_aud": "9000"}
CHEAPER = Terms(market_fee_bps=4)


@dataclass
class Floor:
    live: Live
    caller: Any

    async def data(self, path: str, **query: object) -> Any:
        answer = await self.caller.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def deploy(self, name: str, **change: object) -> Any:
        record = AlgorithmRecord(
            uuid4(),
            USER,
            "Reverting",
            None,
            KIND,
            None,
            make(KIND, PARAMETERS).get_params(),
            AlgorithmStatus.DEPLOYABLE,
            1,
            START,
            START,
        )
        await self.live.house.algorithms.create(record)
        body = {
            "algorithm_id": str(record.id),
            "deployment_name": name,
            "coins": ["BTC", "ETH"],
            "mode": "live",
            "cash": CASH,
            "risk_limits": LIMITS,
            "confirmation": f"trade {name} with real money",
            **change,
        }
        return await self.caller.post("/deploy", body)

    async def played(self, made: Any) -> None:
        house = self.live.house

        async def at_its_end() -> bool:
            stored = await house.deployments.get(UUID(made["id"]))
            assert stored.status is DeploymentStatus.ACTIVE, stored.last_error
            return (await house.blotter.recall(stored.id)).done_until == house.tape.frame.time(-1)

        await until(at_its_end)


@pytest.fixture
def clock() -> ManualClock:
    """The house's, so that who is signed in there is so here."""
    return ManualClock(START)


@pytest.fixture
def trading(tmp_path, calling, signer):
    """`async with trading(terms)` is a floor whose exchange charges by those."""

    @asynccontextmanager
    async def begin(charges: Terms = TERMS) -> AsyncIterator[Floor]:
        tape, _ = market(60, seed=11, gaps=0.0)
        house = House(tape, make)
        house.exchange = MemoryExchange.playing(tape, charges)
        async with trading_live(house, tmp_path) as live:
            await live.venues.examine(USER, COINSPOT)
            house.supervisor = Supervisor(house.deployments, house.crew, house, every_s=0.002)
            ports = FloorPorts(
                algorithms=house.algorithms,
                deployments=house.deployments,
                blotter=house.blotter,
                kill_switch=house.kill_switch,
                limits=house.risk_store,
                risk=SimpleNamespace(balances=lambda wanted: house._desk("balances", wanted)),
                venue_book=house.venue_book,
                supervision=house.supervisor,
                archive=house.archive,
                hot=house.collector(),
                signer=signer,
                clock=house.clock,
                usage=MemoryUsageLedger(),
                terms=TERMS,
                credentials=live.store,
            )
            yield Floor(live, calling(build(ports), PREFIX, USER))

    return begin


def record(live: Live) -> list[tuple[object, ...]]:
    """The exchange's own, by order: what it executed, when, for what price and fee."""
    found: dict[str, list[Any]] = {}
    for each in live.wallet.executions:
        found.setdefault(each.order_id, []).append(each.fill)
    return [
        (
            fills[0].coin,
            fills[0].side.value,
            eight_places(sum(fill.quantity for fill in fills)),
            eight_places(sum(fill.value_aud for fill in fills) / sum(fill.quantity for fill in fills)),
            cents(sum(fill.fee_aud for fill in fills)),
            time_text(max(fill.executed_at for fill in fills)),
        )
        for fills in found.values()
    ]


def told(rows: list[Any], of: str) -> list[tuple[object, ...]]:
    return [
        (
            row["coin"],
            row["side"],
            Decimal(row[of]["quantity"]),
            Decimal(row[of]["price_aud"]),
            cents(Decimal(row[of]["fee_aud"])),
            row[of]["executed_at"],
        )
        for row in rows
        if row[of] is not None
    ]


async def test_what_the_exchange_executed_is_what_the_backtest_says_trade_by_trade(trading):
    async with trading() as floor:
        refused = await floor.deploy("first", confirmation="yes")
        assert refused.status_code == 422
        answer = await floor.deploy("first")
        assert answer.status_code == 201, answer.text
        made = answer.json()["data"]
        await floor.played(made)
        summary = (await floor.data(f"/algorithms/{made['id']}/parity"))["data"]
        page = await floor.data(f"/algorithms/{made['id']}/parity/trades", per_page=200)
        assert summary["differences"] == []
        assert summary["floor_trades"] == summary["paired"] == page["total"] > 10
        rows = page["items"]
        assert sorted(told(rows, "floor")) == sorted(told(rows, "backtest")) == sorted(record(floor.live))
        assert [row["floor"]["reason"] for row in rows] == [row["backtest"]["reason"] for row in rows]
        assert {row["floor"]["reason"] for row in rows} == {"signal", "stop_loss"}
        assert floor.live.books()["AUD"] == floor.live.wallet.cash_aud - (Decimal("25000.00") - Decimal(CASH))


async def test_an_exchange_that_differs_is_told_by_how_much(trading):
    async with trading(CHEAPER) as floor:
        skewed = FaultPlan(3, 0.5, frozenset({FaultKind.CLOCK_SKEW}))
        floor.live.exchange.control.faults.begin(skewed, [])
        made = (await floor.deploy("first")).json()["data"]
        await floor.played(made)
        summary = (await floor.data(f"/algorithms/{made['id']}/parity"))["data"]
        rows = (await floor.data(f"/algorithms/{made['id']}/parity/trades", per_page=200))["items"]
        # Saved fees are traded with, so now and then one side trades where the band keeps the other still.
        pairs = [row for row in rows if row["backtest"] and row["floor"]]
        assert summary["paired"] == len(pairs) > 15
        assert summary["different"] == len(rows)
        keys = [[(row["bar"], row["coin"], row["side"]) for row in rows if row[of]] for of in ("backtest", "floor")]
        assert len(set(keys[0]) & set(keys[1])) == len(pairs)
        # Its lists are stamped by a clock that is wrong now and then; all else is as it keeps it itself.
        assert sorted(each[:-1] for each in told(rows, "floor")) == sorted(each[:-1] for each in record(floor.live))
        said = {each.split(": ", 1)[1].split(" is ", 1)[0] for row in pairs for each in row["differences"]}
        assert said - {"price"} == {"time", "quantity", "fee"}
        # Six of ten basis points are saved, and no price is another but for the cents that values are rounded to.
        assert summary["cost_bps"] == pytest.approx(-6, abs=0.1)
        assert max(abs(row["price_bps"]) for row in pairs) < 0.1
        assert 0 < max(abs(row["later_s"]) for row in pairs) < 60
        assert Decimal(summary["cost_aud"]) == sum(Decimal(row["cost_aud"]) for row in pairs) < 0
        assert {row["floor"]["reason"] for row in pairs} == {"signal", "stop_loss"}
