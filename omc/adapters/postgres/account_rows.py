"""A deployment's account as rows: its cash, its positions, and the trades that moved them."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.errors import Conflict, NotFound
from omc.market.money import eight_places
from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.trading.fill import Fill
from omc.trading.order import Order, OrderIntent

# One statement, so that cash and positions are of one moment.
_ACCOUNTS = """
    SELECT deployed_algorithm_id, a.deposited, a.cash,
        p.coin_type, p.quantity, p.cost, p.realized_pnl, p.fees, p.opening_price
    FROM deployment_accounts a LEFT JOIN positions p USING (deployed_algorithm_id)
"""
_ACCOUNT = text(f"{_ACCOUNTS} WHERE deployed_algorithm_id = :id ORDER BY p.coin_type")
_ACCOUNTS_OF = text(f"""
    {_ACCOUNTS} WHERE deployed_algorithm_id IN (SELECT id FROM deployed_algorithms WHERE user_id = :user_id)
    ORDER BY deployed_algorithm_id, p.coin_type
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
        await lock(self.connection, deployment_id)
        named = {"id": deployment_id, "fill_ids": [fill.fill_id for fill in self.order.fills]}
        counted = set((await self.connection.execute(_COUNTED, named)).scalars())
        return tuple(fill for fill in self.order.fills if fill.fill_id not in counted)

    async def count(self, fills: tuple[Fill, ...]) -> Account:
        """Store `fills` and move the cash and the positions by them; the account afterwards. Conflict when one sells
        more than is held."""
        intent = self.order.intent
        account, moves = reckoned(await read(self.connection, intent.deployment_id), intent, fills)
        for move in moves:
            whose = {"user_id": intent.user_id, "deployment_id": intent.deployment_id}
            bought = {"order_id": self.order_id, "venue_order_id": self.order.venue_order_id}
            await self.connection.execute(_TRADE, move.trade(intent.deployment_id) | whose | bought)
            await self.connection.execute(_POSITION, move.holding() | whose)
        await self.connection.execute(_CASH, {"id": intent.deployment_id, "cash": account.cash_aud})
        return account


@dataclass(frozen=True, slots=True)
class Move:
    """What one fill does: what it realizes, and the position afterwards."""

    fill: Fill
    realized_aud: Decimal
    position: Position

    def trade(self, deployment_id: UUID) -> dict[str, Any]:
        """As a row of `trades`, but for whose it is."""
        fill = self.fill
        return {
            "id": uuid5(deployment_id, fill.fill_id),
            "fill_id": fill.fill_id,
            "coin": fill.coin,
            "side": fill.side.value,
            "quantity": fill.quantity,
            "price": fill.price_aud,
            "total": fill.total_aud,
            "fees": fill.fee_aud,
            "realized": self.realized_aud,
            "executed_at": fill.executed_at,
        }

    def holding(self) -> dict[str, Any]:
        """As a row of `positions`, but for whose it is."""
        position, price_aud = self.position, self.fill.price_aud
        return {
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


def reckoned(account: Account, intent: OrderIntent, fills: Iterable[Fill]) -> tuple[Account, list[Move]]:
    """An account after `fills` of an order, and what each of them did. Conflict when one sells more than is held."""
    moves = []
    for fill in fills:
        before = account.position(fill.coin).realized_aud
        try:
            account = account.apply(fill, intent.quote_price_aud)
        except ValueError as error:
            raise Conflict(f"fill {fill.fill_id} does not fit the books: {error}") from None
        position = account.position(fill.coin)
        moves.append(Move(fill, position.realized_aud - before, position))
    return account, moves


async def lock(connection: AsyncConnection, deployment_id: UUID) -> None:
    """Keep anybody else from moving the account until the transaction is over."""
    await connection.execute(_LOCK, {"id": deployment_id})


async def read(connection: AsyncConnection, deployment_id: UUID) -> Account:
    """NotFound when there is no such deployment."""
    rows = (await connection.execute(_ACCOUNT, {"id": deployment_id})).all()
    if not rows:
        raise NotFound(f"there is no deployment {deployment_id}")
    return account_of(rows)


async def read_all(connection: AsyncConnection, user_id: UUID) -> dict[UUID, Account]:
    """Of all of a person's deployments."""
    rows = (await connection.execute(_ACCOUNTS_OF, {"user_id": user_id})).all()
    return {of: account_of(list(each)) for of, each in groupby(rows, key=attrgetter("deployed_algorithm_id"))}


def account_of(rows: Sequence[Any]) -> Account:
    """Of the rows of an account: one for each position, or one without any."""
    positions = {row.coin_type: _position(row) for row in rows if row.coin_type is not None}
    return Account(deposited_aud=rows[0].deposited, cash_aud=rows[0].cash, positions=positions)


def _position(row: Row[Any]) -> Position:
    return Position(row.coin_type, row.quantity, row.cost, row.realized_pnl, row.fees, row.opening_price)
