"""Orders and their fills as rows of `orders` and `trades`."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import jsonb
from omc.errors import NotFound
from omc.market.terms import OrderKind
from omc.trading.blotter import OrderRow, Trade
from omc.trading.fill import Fill, Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.slicing import Plan

COLUMNS = """
    o.id, o.user_id, o.deployed_algorithm_id, o.client_order_id, o.coinspot_order_id, o.coin_type, o.side, o.quantity,
    o.price, o.kind, o.status, o.error_message, o.reason, o.quoted_at, o.decided_at, o.good_for_s, o.slice_of,
    o.limit_price, o.plan, o.created_at, o.updated_at
"""
TRADE_COLUMNS = """
    t.id AS trade_id, t.order_id, t.deployed_algorithm_id, t.fill_id, t.coin_type, t.side, t.quantity, t.total_value,
    t.fees, t.executed_at
"""
_INSERT = text("""
    INSERT INTO orders (
        id, user_id, deployed_algorithm_id, client_order_id, venue, coin_type, side, quantity, price, kind, status,
        reason, quoted_at, decided_at, good_for_s, slice_of
    )
    SELECT :id, d.user_id, d.id, :client_order_id, d.venue, :coin, :side, :quantity, :price, :kind, 'intent', :reason,
        :quoted_at, :decided_at, :good_for_s, :slice_of
    FROM deployed_algorithms d WHERE d.id = :deployment_id AND d.user_id = :user_id
    ON CONFLICT (client_order_id) DO NOTHING
""")
_GET = text(f"SELECT {COLUMNS} FROM orders o WHERE o.client_order_id = :client_order_id")
_LOCK = text(f"SELECT {COLUMNS} FROM orders o WHERE o.client_order_id = :client_order_id FOR NO KEY UPDATE")
_FILLS = text(f"SELECT {TRADE_COLUMNS} FROM trades t WHERE t.order_id = ANY(:ids) ORDER BY t.seq")
_SLICES_FILLS = text(f"""
    SELECT c.slice_of, {TRADE_COLUMNS} FROM orders c JOIN trades t ON t.order_id = c.id
    WHERE c.slice_of = ANY(:names) ORDER BY t.seq
""")
_UPDATE = text("""
    UPDATE orders SET status = :status, coinspot_order_id = :venue_order_id, error_message = :message,
        filled_quantity = :filled_quantity, limit_price = :limit_price, plan = CAST(:plan AS jsonb),
        updated_at = clock_timestamp(),
        trade_id = coalesce(trade_id, (SELECT id FROM trades WHERE order_id = :id ORDER BY seq LIMIT 1))
    WHERE id = :id
""")
_NAME_TRADES = text("""
    UPDATE trades SET coinspot_order_id = :venue_order_id
    WHERE order_id = :id AND coinspot_order_id IS DISTINCT FROM :venue_order_id
""")


@dataclass(frozen=True, slots=True)
class Stored:
    """An order with the id of its row."""

    id: UUID
    order: Order


async def insert(connection: AsyncConnection, intent: OrderIntent) -> bool:
    """Store a new intent; False when its client order id is known, or its deployment is not."""
    values = {
        "id": uuid5(intent.deployment_id, intent.client_order_id),
        "deployment_id": intent.deployment_id,
        "user_id": intent.user_id,
        "client_order_id": intent.client_order_id,
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
    }
    return (await connection.execute(_INSERT, values)).rowcount == 1


async def get(connection: AsyncConnection, client_order_id: str, *, lock: bool = False) -> Stored | None:
    """An order; with `lock`, nobody else changes it until the transaction is over."""
    row = (await connection.execute(_LOCK if lock else _GET, {"client_order_id": client_order_id})).first()
    return Stored(row.id, (await orders(connection, [row]))[0].order) if row else None


async def locked(connection: AsyncConnection, order: Order) -> Stored:
    """The stored state of `order`, kept for this transaction. NotFound when its intent was never stored."""
    client_order_id = order.intent.client_order_id
    if stored := await get(connection, client_order_id, lock=True):
        return stored
    raise NotFound(f"there is no order {client_order_id}")


async def store(connection: AsyncConnection, before: Stored, order: Order) -> None:
    values = {
        "id": before.id,
        "status": order.status.value,
        "venue_order_id": order.venue_order_id,
        "message": order.message,
        "filled_quantity": order.filled_quantity,
        "limit_price": order.limit_aud,
        "plan": jsonb.text(order.plan.as_json()) if order.plan else None,
    }
    await connection.execute(_UPDATE, values)
    if order.venue_order_id != before.order.venue_order_id:
        await connection.execute(_NAME_TRADES, {"id": before.id, "venue_order_id": order.venue_order_id})


async def orders(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[OrderRow]:
    """Order rows with their fills, or those of their slices, in the order of the rows."""
    fills: dict[UUID, list[Fill]] = {row.id: [] for row in rows}
    for trade in await connection.execute(_FILLS, {"ids": list(fills)}):
        fills[trade.order_id].append(fill(trade))
    in_slices = {row.client_order_id: row.id for row in rows if row.plan is not None}
    if in_slices:
        for trade in await connection.execute(_SLICES_FILLS, {"names": list(in_slices)}):
            fills[in_slices[trade.slice_of]].append(fill(trade))
    return [OrderRow(row.id, order_of(row, fills[row.id]), row.created_at, row.updated_at) for row in rows]


def fill(row: Row[Any]) -> Fill:
    return Fill(
        fill_id=row.fill_id,
        coin=row.coin_type,
        side=Side(row.side),
        quantity=row.quantity,
        total_aud=row.total_value,
        fee_aud=row.fees,
        executed_at=row.executed_at,
    )


def trade(row: Row[Any]) -> Trade:
    """A row of TRADE_COLUMNS, joined with its order's two ids."""
    return Trade(row.trade_id, row.deployed_algorithm_id, row.client_order_id, row.coinspot_order_id, fill(row))


def order_of(row: Any, fills: Iterable[Fill]) -> Order:
    """Of a row of COLUMNS, and its fills."""
    intent = OrderIntent(
        client_order_id=row.client_order_id,
        deployment_id=row.deployed_algorithm_id,
        user_id=row.user_id,
        coin=row.coin_type,
        side=Side(row.side),
        quantity=row.quantity,
        kind=OrderKind(row.kind),
        quote_price_aud=row.price,
        quoted_at=row.quoted_at,
        decided_at=row.decided_at,
        reason=row.reason,
        good_for_s=row.good_for_s,
        slice_of=row.slice_of,
    )
    return Order(
        intent,
        OrderStatus(row.status),
        row.coinspot_order_id,
        tuple(fills),
        row.error_message,
        limit_aud=row.limit_price,
        plan=Plan.told(row.plan) if row.plan is not None else None,
    )
