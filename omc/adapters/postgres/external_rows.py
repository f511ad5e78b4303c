"""What others did on an account, as rows. Whoever writes them holds the account's own row."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.trading.reconciliation.books import moved
from omc.trading.reconciliation.steps import AdoptFill, AdoptMovement, AdoptOrder
from omc.trading.reconciliation.telling import Adoption

_FILL = text("""
    INSERT INTO external_fills
        (account, fill_id, venue_order_id, coin_type, side, quantity, total_value, fees, executed_at)
    VALUES (:account, :fill_id, :venue_order_id, :coin, :side, :quantity, :total, :fees, :executed_at)
    ON CONFLICT DO NOTHING
""")
_ORDER = text("""
    INSERT INTO external_orders (account, venue_order_id, coin_type, side, quantity, price)
    VALUES (:account, :venue_order_id, :coin, :side, :quantity, :price) ON CONFLICT DO NOTHING
""")
_CHANGE = text("""
    INSERT INTO external_changes (account, coin_type, quantity) VALUES (:account, :coin, :quantity)
    ON CONFLICT (account, coin_type) DO UPDATE SET quantity = external_changes.quantity + excluded.quantity
""")


async def store(connection: AsyncConnection, account: str, each: AdoptFill | AdoptOrder) -> bool:
    """Whether it was not known yet."""
    match each:
        case AdoptFill(listed):
            fill = listed.fill
            values = {
                "account": account,
                "fill_id": fill.fill_id,
                "venue_order_id": listed.venue_order_id,
                "coin": fill.coin,
                "side": fill.side.value,
                "quantity": fill.quantity,
                "total": fill.total_aud,
                "fees": fill.fee_aud,
                "executed_at": fill.executed_at,
            }
            return (await connection.execute(_FILL, values)).rowcount == 1
        case AdoptOrder(order):
            values = {
                "account": account,
                "venue_order_id": order.venue_order_id,
                "coin": order.coin,
                "side": order.side.value,
                "quantity": order.quantity,
                "price": order.price_aud,
            }
            return (await connection.execute(_ORDER, values)).rowcount == 1


async def change(connection: AsyncConnection, account: str, each: Adoption) -> None:
    match each:
        case AdoptFill(listed):
            changes = moved([listed.fill])
        case AdoptMovement(coin, quantity):
            changes = {coin: quantity}
        case AdoptOrder():
            return
    for coin, quantity in sorted(changes.items()):
        await connection.execute(_CHANGE, {"account": account, "coin": coin, "quantity": quantity})
