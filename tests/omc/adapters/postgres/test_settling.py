"""What became of orders, settled together: to the last digit what each would have become by itself, or nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from omc.adapters.postgres import settling
from omc.adapters.postgres.database import Database, connect
from omc.errors import Conflict, StaleLease, Unavailable
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres, intent

pytestmark = pytest.mark.postgres
_ROWS = (
    """
    SELECT o.client_order_id, o.coinspot_order_id, o.status, o.filled_quantity, o.error_message, o.limit_price, o.plan,
        t.fill_id AS first_fill FROM orders o LEFT JOIN trades t ON t.id = o.trade_id
    WHERE o.deployed_algorithm_id = $1 ORDER BY o.seq
    """,
    """
    SELECT fill_id, coin_type, side, quantity, price, total_value, fees, realized_pnl, coinspot_order_id, status,
        executed_at FROM trades WHERE deployed_algorithm_id = $1 ORDER BY seq
    """,
    """
    SELECT coin_type, quantity, avg_entry_price, current_price, unrealized_pnl, realized_pnl, fees, cost, opening_price
    FROM positions WHERE deployed_algorithm_id = $1 ORDER BY coin_type
    """,
    "SELECT deposited, cash FROM deployment_accounts WHERE deployed_algorithm_id = $1",
    "SELECT kind, data::text, event_time FROM journal WHERE deployment_id = $1 AND kind <> 'submitted' ORDER BY seq",
)
EARLY, LATE = NOON + timedelta(minutes=5), NOON + timedelta(minutes=10)
BITS = (
    fill("b1", total_aud=Decimal("100.10000001"), fee_aud=Decimal("0.10000012")),
    fill("b2", quantity=Decimal("0.00033333"), total_aud=Decimal("33.37"), fee_aud=Decimal("0.03333337")),
)
SALE = fill("s1", Side.SELL, quantity=Decimal("0.00077777"), total_aud=Decimal("77.7"), fee_aud=Decimal("0.07770007"))
OUT = fill("s2", Side.SELL, quantity=Decimal("0.00055556"), total_aud=Decimal("55.5"), fee_aud=Decimal("0.05555"))


async def stored(database: Database, deployment: Deployment) -> str:
    """All that is on record of a deployment, in words that do not say whose it is."""
    connection = await connect(database.dsn_file)
    try:
        rows = [[tuple(row) for row in await connection.fetch(each, deployment.id)] for each in _ROWS]
    finally:
        await connection.close()
    return repr(rows).replace(str(deployment.id), "mine")


async def refused() -> asyncpg.Connection:
    raise ConnectionRefusedError("no lane")


class Deaf:
    """A connection whose answers are lost, whatever it has done."""

    def __init__(self, of: asyncpg.Connection) -> None:
        self._of = of

    async def fetch(self, *asked: Any) -> Any:
        await self._of.fetch(*asked)
        raise ConnectionResetError("the line was cut")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


async def life(house: House, deployment: Deployment, venue_ids: str) -> None:
    """Purchases, sales and ends of every kind that an order can come to at once."""

    async def send(at: int, side: Side = Side.BUY) -> Order:
        return await house.sent(deployment, side=side, quoted_at=NOON + timedelta(minutes=5 * at))

    bought = await send(0)
    await house.blotter.settle(
        replace(bought.become(OrderStatus.FILLED).filled_by(BITS), venue_order_id=f"{venue_ids}1")
    )
    await house.blotter.settle((await send(1, Side.SELL)).become(OrderStatus.CANCELLED).filled_by((SALE,)))
    await house.blotter.settle((await send(2)).become(OrderStatus.UNKNOWN, message="no answer"))
    working = replace((await send(3)).become(OrderStatus.ACCEPTED), venue_order_id=f"{venue_ids}2")
    await house.blotter.settle(replace(working, limit_aud=Decimal("99999.5")))
    await house.blotter.settle((await send(4)).become(OrderStatus.REJECTED, message="not enough"))
    await house.blotter.settle((await send(5, Side.SELL)).become(OrderStatus.FILLED).filled_by((OUT,)))
    await house.blotter.settle((await send(6)).become(OrderStatus.PARTIAL).filled_by((fill("again"),)))


async def test_what_is_settled_together_is_stored_to_the_last_digit_as_it_is_by_itself(database, monkeypatch):
    house = in_postgres(database)
    ours, theirs = await house.deployed(), await house.deployed()
    taken: list[Order | None] = []
    together = settling.together

    async def counted(*asked: Any) -> Order | None:
        taken.append(await together(*asked))
        return taken[-1]

    monkeypatch.setattr(settling, "together", counted)
    await life(house, ours, f"{ours.id}-")
    assert len(taken) == 7
    assert None not in taken
    monkeypatch.setattr(database.lane(settling.SETTLED), "_connect", refused)
    await database.lane(settling.SETTLED).close()
    await life(house, theirs, f"{theirs.id}-")
    assert taken[7:] == [None] * 7
    assert await stored(database, ours) == await stored(database, theirs)
    for order in taken[:7]:
        assert order is not None
        assert await house.blotter.order(order.intent.client_order_id) == order
    assert (await house.blotter.account(ours.id)).position("BTC").quantity == fill().quantity


async def test_of_those_that_are_settled_together_each_gets_its_own_answer(database):
    house = in_postgres(database)
    deployments = [await house.deployed() for _ in range(6)]
    orders = [await house.sent(each) for each in deployments]
    desks = [Lease(f"risk:{each.id}", await house.leases.current(f"risk:{each.id}")) for each in deployments]
    await house.leases.take(desks[1].name, "another")
    wanted = [each.become(OrderStatus.FILLED).filled_by((fill(),)) for each in orders]
    wanted[2] = replace(wanted[2], fills=(fill("f1", Side.SELL),))
    wanted[3] = replace(wanted[3], fills=(fill(total_aud=Decimal(10) ** 30),))
    settled = await asyncio.gather(
        *(house.blotter.settle(order, desk) for order, desk in zip(wanted, desks, strict=True)), return_exceptions=True
    )
    assert [type(each) for each in settled[1:3]] == [StaleLease, Conflict]
    assert isinstance(settled[3], Exception)
    for at, deployment in enumerate(deployments):
        done = at in (0, 4, 5)
        assert (await house.blotter.order(orders[at].intent.client_order_id)) == (wanted[at] if done else orders[at])
        held = (await house.blotter.account(deployment.id)).position("BTC").quantity
        assert held == (fill().quantity if done else 0)


async def test_several_of_one_account_at_once_all_count(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    times = [NOON + timedelta(minutes=5 * at) for at in range(5)]
    orders = [await house.sent(deployment, quoted_at=each) for each in times]
    fills = [fill(f"f{at}", total_aud=Decimal(100 + at)) for at in range(5)]
    wanted = [order.become(OrderStatus.FILLED).filled_by((each,)) for order, each in zip(orders, fills, strict=True)]
    assert await asyncio.gather(*map(house.blotter.settle, wanted)) == wanted
    account = await house.blotter.account(deployment.id)
    assert account.cash_aud == deployment.cash_aud - sum(each.total_aud for each in fills)
    assert account.position("BTC").quantity == 5 * fill().quantity


@pytest.mark.parametrize("moved", ["account", "order", "fill"])
async def test_what_has_moved_since_it_was_reckoned_is_reckoned_anew(database, moved: str, monkeypatch):
    house = in_postgres(database)
    deployment = await house.deployed()
    order, other = await house.sent(deployment), await house.sent(deployment, quoted_at=EARLY)
    mine, more = fill("mine"), fill("mine" if moved == "fill" else "more", total_aud=Decimal("50.00000001"))
    lane = database.lane(settling.SETTLED)
    ask, away = lane.ask, [True]

    async def meanwhile(asked: Any) -> Any:
        if away:
            away.clear()
            if moved == "order":
                await house.blotter.settle(order.become(OrderStatus.UNKNOWN, message="no answer"))
            else:
                await house.blotter.settle(other.become(OrderStatus.FILLED).filled_by((more,)))
        return await ask(asked)

    monkeypatch.setattr(lane, "ask", meanwhile)
    settled = await house.blotter.settle(order.become(OrderStatus.FILLED).filled_by((mine,)))
    assert settled.fills == (() if moved == "fill" else (mine,))
    paid = {"account": mine.total_aud + more.total_aud, "order": mine.total_aud, "fill": more.total_aud}[moved]
    assert (await house.blotter.account(deployment.id)).cash_aud == deployment.cash_aud - paid
    assert await house.blotter.order(order.intent.client_order_id) == settled


async def test_what_was_settled_and_not_answered_counts_once(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    order = (await house.sent(deployment)).become(OrderStatus.FILLED).filled_by(BITS)

    async def deaf() -> Any:
        return Deaf(await connect(database.dsn_file))

    await database.lane(settling.SETTLED).close()
    database.lane(settling.SETTLED)._connect = deaf
    assert await house.blotter.settle(order) == order
    paid = sum(each.total_aud for each in BITS)
    assert (await house.blotter.account(deployment.id)).cash_aud == deployment.cash_aud - paid
    entries, _ = await house.blotter.journal(deployment.user_id, deployment.id, ["filled", "pnl"], 0, 9)
    assert len(entries) == 2


async def test_an_order_that_nobody_stored_is_not_settled(database):
    house = in_postgres(database)
    deployment = await house.deployed()
    never = Order(intent(deployment), OrderStatus.FILLED, fills=(fill(),))
    assert await settling.together(database, never, None) is None
    part = await house.blotter.settle((await house.sent(deployment)).become(OrderStatus.PARTIAL).filled_by(BITS[:1]))
    # What has fills already is done by itself.
    assert await settling.together(database, part.become(OrderStatus.FILLED).filled_by(BITS), None) is None
    assert (await house.blotter.account(deployment.id)).position("BTC").quantity == BITS[0].quantity


async def test_a_settlement_that_no_database_answers_is_unavailable(database, tmp_path):
    house = in_postgres(database)
    order = (await house.sent(await house.deployed())).become(OrderStatus.CANCELLED)
    away = in_postgres(Database(tmp_path / "nowhere.dsn"))
    with pytest.raises(Unavailable):
        await away.blotter.settle(order)
