"""A deployment's account as rows: its cash, its positions, and the trades that moved them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.errors import Conflict, NotFound
from omc.market.money import eight_places
from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.trading.fill import Fill
from omc.trading.order import Order

# One statement, so that cash and positions are of one moment.
_ACCOUNT = text("""
    SELECT a.deposited, a.cash, p.coin_type, p.quantity, p.cost, p.realized_pnl, p.fees, p.opening_price
    FROM deployment_accounts a LEFT JOIN positions p USING (deployed_algorithm_id)
    WHERE a.deployed_algorithm_id = :id ORDER BY p.coin_type
""")
_LOCK = text("SELECT 1 FROM deployment_accounts WHERE deployed_algorithm_id = :id FOR NO KEY UPDATE")
_COUNTED = text("SELECT fill_id FROM trades WHERE deployed_algorithm_id = :id AND fill_id = ANY(:fill_ids)")
_TRADE = text("""
    INSERT INTO trades (
        id, user_id, deployed_algorithm_id, order_id, fill_id, coin_type, side, quantity, price, total_value, fees,
        realized_pnl, coinspot_order_id, executed_at
    ) VALUES (
        :id, :user_id, :deployment_id, :order_id, :fill_id, :coin, :side, :quantity, :price, :total, :fees,
        :realized, :venue_order_id, :executed_at
    )
""")
_CASH = text("UPDATE deployment_accounts SET cash = :cash, updated_at = now() WHERE deployed_algorithm_id = :id")
_POSITION = text("""
    INSERT INTO positions (
        user_id, deployed_algorithm_id, coin_type, quantity, avg_entry_price, current_price, unrealized_pnl,
        realized_pnl, fees, cost, opening_price
    ) VALUES (
        :user_id, :deployment_id, :coin, :quantity, :average, :price, :unrealized, :realized, :fees, :cost, :opening
    ) ON CONFLICT (user_id, deployed_algorithm_id, coin_type) DO UPDATE SET
        quantity = excluded.quantity, avg_entry_price = excluded.avg_entry_price,
        current_price = excluded.current_price, unrealized_pnl = excluded.unrealized_pnl,
        realized_pnl = excluded.realized_pnl, fees = excluded.fees, cost = excluded.cost,
        opening_price = excluded.opening_price, updated_at = now()
""")


@dataclass(frozen=True, slots=True)
class Books:
    """The account of one order's deployment, which nobody else moves until the transaction is over."""

    connection: AsyncConnection
    order_id: UUID
    order: Order

    async def fresh(self) -> tuple[Fill, ...]:
        """Those fills of the order that no order of the deployment has counted yet, after locking the account."""
        deployment_id = self.order.intent.deployment_id
        await self.connection.execute(_LOCK, {"id": deployment_id})
        named = {"id": deployment_id, "fill_ids": [fill.fill_id for fill in self.order.fills]}
        counted = set((await self.connection.execute(_COUNTED, named)).scalars())
        return tuple(fill for fill in self.order.fills if fill.fill_id not in counted)

    async def count(self, fills: tuple[Fill, ...]) -> None:
        """Store `fills` and move the cash and the positions by them. Conflict when one sells more than is held."""
        intent = self.order.intent
        account = await read(self.connection, intent.deployment_id)
        for fill in fills:
            before = account.position(fill.coin).realized_aud
            try:
                account = account.apply(fill, intent.quote_price_aud)
            except ValueError as error:
                raise Conflict(f"fill {fill.fill_id} does not fit the books: {error}") from None
            position = account.position(fill.coin)
            await self._trade(fill, position.realized_aud - before)
            await self._position(position, fill.price_aud)
        await self.connection.execute(_CASH, {"id": intent.deployment_id, "cash": account.cash_aud})

    async def _trade(self, fill: Fill, realized_aud: Decimal) -> None:
        intent = self.order.intent
        values = {
            "id": uuid5(intent.deployment_id, fill.fill_id),
            "user_id": intent.user_id,
            "deployment_id": intent.deployment_id,
            "order_id": self.order_id,
            "fill_id": fill.fill_id,
            "coin": fill.coin,
            "side": fill.side.value,
            "quantity": fill.quantity,
            "price": fill.price_aud,
            "total": fill.total_aud,
            "fees": fill.fee_aud,
            "realized": realized_aud,
            "venue_order_id": self.order.venue_order_id,
            "executed_at": fill.executed_at,
        }
        await self.connection.execute(_TRADE, values)

    async def _position(self, position: Position, price_aud: Decimal) -> None:
        values = {
            "user_id": self.order.intent.user_id,
            "deployment_id": self.order.intent.deployment_id,
            "coin": position.coin,
            "quantity": position.quantity,
            "average": position.average_price_aud,
            "price": price_aud,
            "unrealized": eight_places(position.unrealized_aud(price_aud)),
            "realized": position.realized_aud,
            "fees": position.fees_aud,
            "cost": position.cost_aud,
            "opening": position.opening_price_aud,
        }
        await self.connection.execute(_POSITION, values)


async def read(connection: AsyncConnection, deployment_id: UUID) -> Account:
    """NotFound when there is no such deployment."""
    rows = (await connection.execute(_ACCOUNT, {"id": deployment_id})).all()
    if not rows:
        raise NotFound(f"there is no deployment {deployment_id}")
    positions = {row.coin_type: _position(row) for row in rows if row.coin_type is not None}
    return Account(deposited_aud=rows[0].deposited, cash_aud=rows[0].cash, positions=positions)


def _position(row: Row[Any]) -> Position:
    return Position(row.coin_type, row.quantity, row.cost, row.realized_pnl, row.fees, row.opening_price)
