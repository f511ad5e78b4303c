"""What an order waits for before it is sent, each in one trip with those of others: two commits, and what its verdict
depends on.

None is the answer for whatever is out of the ordinary: a lease that was taken, a halt, an order that is known already,
a server that was lost. `PostgresBlotter` then does the same by itself, statement by statement, and says what is wrong.
"""

from collections.abc import Mapping
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

from omc.adapters.postgres import memory_rows, nonces
from omc.adapters.postgres.account_rows import account_of
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import deployment_of
from omc.adapters.postgres.lane import Astray
from omc.portfolio.account import Account
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus

BEGUN = "SELECT at FROM orders_begun($1::jsonb) AS at"
AHEAD = "SELECT place AS at, account, drawn FROM orders_ahead($1::jsonb)"
_TOLD = ("quantity", "kind", "quote_price_aud", "quoted_at", "decided_at", "reason")
# One statement, so that all is of one moment.
_BRIEF = """
    SELECT x.at, d.*, a.deposited, a.cash AS account_cash,
        p.coin_type, p.quantity, p.cost, p.realized_pnl, p.fees, p.opening_price
    FROM jsonb_to_recordset($1::jsonb) AS x(at integer, deployment uuid)
    JOIN deployed_algorithms d ON d.id = x.deployment
    JOIN deployment_accounts a ON a.deployed_algorithm_id = d.id
    LEFT JOIN positions p ON p.deployed_algorithm_id = d.id ORDER BY x.at, p.coin_type
"""


def told_of(intent: OrderIntent) -> dict[str, Any]:
    """What the journal says of an intent."""
    return {name: getattr(intent, name) for name in _TOLD}


def named(intent: OrderIntent, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal says of an order, with which it is."""
    return {"client_order_id": intent.client_order_id, "coin": intent.coin, "side": intent.side.value, **data}


async def begin(
    database: Database, intent: OrderIntent, trader: Lease | None, memory: TraderMemory | None
) -> Order | None:
    """Journal an intent under its trader's lease, with what the trader then remembers."""
    asked: dict[str, Any] = {
        "id": uuid5(intent.deployment_id, intent.client_order_id),
        "name": intent.client_order_id,
        "deployment": intent.deployment_id,
        "owner": intent.user_id,
        "coin": intent.coin,
        "side": intent.side.value,
        "quantity": intent.quantity,
        "price": intent.quote_price_aud,
        "kind": intent.kind.value,
        "reason": intent.reason,
        "quoted_at": intent.quoted_at,
        "decided_at": intent.decided_at,
        "good_for_s": intent.good_for_s,
        "slice_of": intent.slice_of,
        "told": named(intent, told_of(intent)),
    }
    if trader is not None:
        asked |= {"lease": trader.name, "epoch": trader.epoch}
    if memory is not None:
        asked["memory"] = memory_rows.as_json(memory)
        if memory.rebalance is not None:
            asked["rebalance"] = asdict(memory.rebalance)
    try:
        begun = await database.lane(BEGUN).ask(asked)
    except Astray:
        return None
    if not begun:
        return None
    database.tell((intent.user_id,))
    return Order(intent)


async def brief(database: Database, deployment_id: UUID) -> tuple[Deployment, Account] | None:
    """A deployment and its account."""
    try:
        rows = await database.lane(_BRIEF).ask({"deployment": deployment_id})
    except Astray:
        return None
    if not rows:
        return None
    deployment = deployment_of(SimpleNamespace(**rows[0]))
    return deployment, account_of([SimpleNamespace(**{**row, "cash": row["account_cash"]}) for row in rows])


async def ahead(database: Database, order: Order, trader: Lease, risk: Lease) -> Order | None:
    """Write ahead that an intent is about to be sent, and draw its number at the venue. Astray when it may be written,
    though nothing says so."""
    intent = order.intent
    asked = {
        "name": intent.client_order_id,
        "deployment": intent.deployment_id,
        "owner": intent.user_id,
        "coin": intent.coin,
        "quoted_at": intent.quoted_at,
        "trader": trader.name,
        "trader_epoch": trader.epoch,
        "risk": risk.name,
        "risk_epoch": risk.epoch,
        "told": named(intent, {"leases": {trader.name: trader.epoch, risk.name: risk.epoch}, "again": False}),
    }
    written = await database.lane(AHEAD).ask(asked)
    if not written:
        return None
    if written[0]["drawn"] is not None:
        nonces.keep(database, written[0]["account"], risk, written[0]["drawn"])
    database.tell((intent.user_id,))
    return order.become(OrderStatus.SUBMITTED)
