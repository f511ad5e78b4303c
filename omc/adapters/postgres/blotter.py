"""The blotter in PostgreSQL: every method is one transaction, and takes its locks in one order.

That order is: leases, user, deployment, order, account, journal. Whoever takes several takes them in this order, so
nobody waits for somebody who waits for them.
"""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import account_rows, faults, journal, leases, memory_rows, order_rows
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.kill_switch import refuse_if_halted
from omc.errors import Conflict, NotFound
from omc.portfolio.account import Account
from omc.risk.verdict import Denied
from omc.trading.blotter import UNSETTLED, Decision, OrderRow, Trade, TraderMemory
from omc.trading.fill import Side
from omc.trading.journal import JournalEntry
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, OrderStatus

_STATUS = text("SELECT status FROM deployed_algorithms WHERE id = :id FOR SHARE")
_BEAT = text("""
    UPDATE deployed_algorithms SET heartbeat_at = now(), last_executed_at = now(),
        last_signal_at = CASE WHEN CAST(:signal AS boolean) THEN now() ELSE last_signal_at END,
        execution_count = execution_count + 1
    WHERE id = :id RETURNING user_id
""")
_UNSETTLED = text(f"SELECT {order_rows.COLUMNS} FROM orders o WHERE o.status = ANY(:statuses) ORDER BY o.seq")
_OF = "user_id = :user_id AND (CAST(:deployment_id AS uuid) IS NULL OR {deployment} = :deployment_id)"
_ORDERS_OF = "o." + _OF.format(deployment="o.deployed_algorithm_id")
_ORDERS = text(f"""
    SELECT {order_rows.COLUMNS} FROM orders o WHERE {_ORDERS_OF} ORDER BY o.seq DESC OFFSET :offset LIMIT :limit
""")
_COUNT_ORDERS = text(f"SELECT count(*) FROM orders o WHERE {_ORDERS_OF}")
_TRADES_OF = f"""
    t.{_OF.format(deployment="t.deployed_algorithm_id")}
    AND (CAST(:since AS timestamptz) IS NULL OR t.executed_at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR t.executed_at < :until)
"""
_TRADES = text(f"""
    SELECT {order_rows.TRADE_COLUMNS}, o.client_order_id, o.coinspot_order_id
    FROM trades t JOIN orders o ON o.id = t.order_id WHERE {_TRADES_OF}
    ORDER BY t.executed_at DESC, t.seq DESC OFFSET :offset LIMIT :limit
""")
_COUNT_TRADES = text(f"SELECT count(*) FROM trades t WHERE {_TRADES_OF}")
_JOURNAL_OF = f"""
    {_OF.format(deployment="deployment_id")} AND (kind = ANY(:kinds) OR cardinality(CAST(:kinds AS text[])) = 0)
"""
_JOURNAL = text(f"""
    SELECT seq, kind, deployment_id, recorded_at, data FROM journal WHERE {_JOURNAL_OF}
    ORDER BY seq DESC OFFSET :offset LIMIT :limit
""")
_COUNT_JOURNAL = text(f"SELECT count(*) FROM journal WHERE {_JOURNAL_OF}")
_FILL_IDS = text("SELECT fill_id FROM trades WHERE deployed_algorithm_id = :id AND executed_at >= :since")
_REALIZED = text("""
    SELECT coalesce(sum(realized_pnl - fees), 0) FROM trades
    WHERE deployed_algorithm_id = :id AND executed_at >= :since
""")


@dataclass(frozen=True, slots=True)
class PostgresBlotter:
    """A Blotter."""

    database: Database

    async def begin(self, intent: OrderIntent) -> Order:
        async with self.database.transaction() as connection:
            if not await order_rows.insert(connection, intent):
                known = await order_rows.get(connection, intent.client_order_id)
                if known is None or known.order.intent.deployment_id != intent.deployment_id:
                    raise NotFound(f"there is no deployment {intent.deployment_id}")
                return known.order
            order = Order(intent)
            told = ("quantity", "kind", "quote_price_aud", "quoted_at", "decided_at", "reason")
            await _tell(connection, order, {name: getattr(intent, name) for name in told})
            return order

    async def deny(self, order: Order, denied: Denied) -> Order:
        async with self.database.transaction() as connection:
            stored = await order_rows.locked(connection, order)
            refused = denied.of(stored.order)
            await order_rows.store(connection, stored, refused)
            await _tell(connection, refused, {"reason": denied.reason.value, "message": denied.message})
            return refused

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        intent = order.intent
        if trader is None and intent.side is not Side.SELL:
            raise Conflict(f"{intent.client_order_id}: only a sale needs no trader")
        async with self.database.transaction() as connection:
            if trader is None:
                await leases.hold(connection, risk)
            else:
                await _hold_everything(connection, intent, (trader, risk))
            stored = await order_rows.locked(connection, order)
            sent = stored.order.become(OrderStatus.SUBMITTED)
            await order_rows.store(connection, stored, sent)
            epochs = {lease.name: lease.epoch for lease in (trader, risk) if lease}
            await _tell(connection, sent, {"leases": epochs, "again": stored.order.status is OrderStatus.UNKNOWN})
            return sent

    async def settle(self, order: Order) -> Order:
        try:
            async with self.database.transaction() as connection:
                return await _settle(connection, order)
        except IntegrityError as error:
            if faults.constraint(error) == "orders_venue_order":
                raise Conflict(f"the venue's order {order.venue_order_id} belongs to another intent") from None
            raise

    async def order(self, client_order_id: str) -> Order | None:
        async with self.database.transaction() as connection:
            stored = await order_rows.get(connection, client_order_id)
            return stored.order if stored else None

    async def unsettled(self) -> list[Order]:
        async with self.database.transaction() as connection:
            statuses = {"statuses": [status.value for status in UNSETTLED]}
            rows = (await connection.execute(_UNSETTLED, statuses)).all()
            return [row.order for row in await order_rows.orders(connection, rows)]

    async def fill_ids(self, deployment_id: UUID, since: datetime) -> frozenset[str]:
        async with self.database.transaction() as connection:
            return frozenset((await connection.execute(_FILL_IDS, {"id": deployment_id, "since": since})).scalars())

    async def account(self, deployment_id: UUID) -> Account:
        async with self.database.transaction() as connection:
            return await account_rows.read(connection, deployment_id)

    async def recall(self, deployment_id: UUID) -> TraderMemory:
        async with self.database.transaction() as connection:
            return await memory_rows.read(connection, deployment_id)

    async def remember(self, deployment_id: UUID, memory: TraderMemory, decision: Decision | None = None) -> None:
        async with self.database.transaction() as connection:
            beat = {"id": deployment_id, "signal": decision is not None}
            owner = (await connection.execute(_BEAT, beat)).scalar_one_or_none()
            if owner is None:
                raise NotFound(f"there is no deployment {deployment_id}")
            await memory_rows.write(connection, deployment_id, memory)
            lines = []
            if (rebalance := memory.rebalance) is not None:
                lines.append(journal.Line(owner, "rebalance", asdict(rebalance), deployment_id, rebalance.quoted_at))
            if decision is not None:
                lines.append(journal.Line(owner, "decision", asdict(decision), deployment_id, decision.decided_at))
            await journal.write(connection, *lines)

    async def orders(
        self, user_id: UUID, deployment_id: UUID | None, offset: int, limit: int
    ) -> tuple[list[OrderRow], int]:
        which = {"user_id": user_id, "deployment_id": deployment_id}
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_ORDERS, which | {"offset": offset, "limit": limit})).all()
            total = (await connection.execute(_COUNT_ORDERS, which)).scalar_one()
            return await order_rows.orders(connection, rows), total

    async def trades(
        self,
        user_id: UUID,
        deployment_id: UUID | None,
        offset: int,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[list[Trade], int]:
        which = {"user_id": user_id, "deployment_id": deployment_id, "since": since, "until": until}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_TRADES, which | {"offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT_TRADES, which)).scalar_one()
            return [order_rows.trade(row) for row in rows], total

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        which = {"user_id": user_id, "deployment_id": deployment_id, "kinds": list(kinds)}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_JOURNAL, which | {"offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT_JOURNAL, which)).scalar_one()
            return [JournalEntry(*row) for row in rows], total

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        async with self.database.transaction() as connection:
            return Decimal((await connection.execute(_REALIZED, {"id": deployment_id, "since": since})).scalar_one())


async def _hold_everything(connection: AsyncConnection, intent: OrderIntent, held: Sequence[Lease]) -> None:
    """Keep the kill switch off, the deployment active and the leases in force until the order is written."""
    # Leases first: a desk that lost its lease is told so, whatever else stands in its way.
    await leases.hold(connection, *held)
    await refuse_if_halted(connection, intent.user_id)
    status = (await connection.execute(_STATUS, {"id": intent.deployment_id})).scalar_one_or_none()
    if status is None:
        raise NotFound(f"there is no deployment {intent.deployment_id}")
    if status != "active":
        raise Conflict(f"the deployment is {status}")


async def _settle(connection: AsyncConnection, order: Order) -> Order:
    stored = await order_rows.locked(connection, order)
    before = stored.order
    if order.status is not before.status:
        before.become(order.status)
    books = account_rows.Books(connection, stored.id, replace(order, intent=before.intent))
    fresh = await books.fresh()
    settled = replace(order, intent=before.intent, fills=before.fills + fresh)
    if settled == before:
        return before
    if fresh:
        await books.count(fresh)
    await order_rows.store(connection, stored, settled)
    data = {"fills": [asdict(fill) for fill in fresh], "venue_order_id": order.venue_order_id, "message": order.message}
    await _tell(connection, settled, data, at=fresh[-1].executed_at if fresh else None)
    return settled


async def _tell(
    connection: AsyncConnection, order: Order, data: Mapping[str, Any], *, at: datetime | None = None
) -> None:
    intent = order.intent
    told = {"client_order_id": intent.client_order_id, "coin": intent.coin, "side": intent.side.value, **data}
    await journal.write(
        connection,
        journal.Line(intent.user_id, order.status.value, told, intent.deployment_id, at or intent.quoted_at),
    )
