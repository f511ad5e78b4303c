"""The blotter in PostgreSQL: every method is one transaction, and takes its locks in one order.

That order is: leases, user, deployment, order, account, journal. Whoever takes several takes them in this order, so
nobody waits for somebody who waits for them.
"""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import (
    account_rows,
    adjustments,
    deployments,
    faults,
    journal,
    leases,
    memory_rows,
    notices,
    order_lanes,
    order_rows,
    settling,
    tuning,
)
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.kill_switch import refuse_if_halted
from omc.adapters.postgres.lane import Astray
from omc.errors import Conflict, NotFound, Overtaken
from omc.portfolio.account import Account
from omc.risk.verdict import Denied
from omc.trading import outcome
from omc.trading.blotter import Decision, OrderRow, Trade, TraderMemory
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.journal import JournalEntry
from omc.trading.lease import Lease
from omc.trading.notice import Notice, NoticeKind
from omc.trading.order import STANDING, UNSETTLED, Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.acceptance import Adjustment

_STATUS = text("""
    SELECT status, EXISTS (
        SELECT 1 FROM trader_notices n JOIN trader_memory m USING (deployed_algorithm_id)
        WHERE n.deployed_algorithm_id = d.id AND n.number > m.heard AND n.kind = 'out' AND :coin = ANY(n.coins)
    ) AS sold FROM deployed_algorithms d WHERE id = :id FOR SHARE OF d
""")
_BEAT = text("""
    UPDATE deployed_algorithms SET heartbeat_at = now(), last_executed_at = now(),
        last_signal_at = CASE WHEN CAST(:signal AS boolean) THEN now() ELSE last_signal_at END,
        execution_count = execution_count + 1
    WHERE id = :id RETURNING user_id
""")
_ALL_IN = text(f"SELECT {order_rows.COLUMNS} FROM orders o WHERE o.status = ANY(:statuses) ORDER BY o.seq")
_STANDING = text(f"""
    SELECT {order_rows.COLUMNS} FROM orders o WHERE o.user_id = :user_id AND o.status = ANY(:statuses)
    ORDER BY o.seq DESC
""")
_PLACED_AS = text(f"SELECT {order_rows.COLUMNS} FROM orders o WHERE o.coinspot_order_id = ANY(:ids) ORDER BY o.seq")
_ROW = text(f"SELECT {order_rows.COLUMNS} FROM orders o WHERE o.id = :id AND o.user_id = :user_id")
_SLICES = text(f"SELECT {order_rows.COLUMNS} FROM orders o WHERE o.slice_of = :name ORDER BY o.seq")
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
_FILL_IDS = text("SELECT fill_id FROM trades WHERE deployed_algorithm_id = ANY(:ids) AND executed_at >= :since")
_REALIZED = text("""
    SELECT coalesce(sum(realized_pnl - fees), 0) FROM trades
    WHERE deployed_algorithm_id = :id AND executed_at >= :since
""")


@dataclass(frozen=True, slots=True)
class PostgresBlotter:
    """A Blotter."""

    database: Database

    async def begin(
        self, intent: OrderIntent, trader: Lease | None = None, memory: TraderMemory | None = None
    ) -> Order:
        begun = await order_lanes.begin(self.database, intent, trader, memory)
        return begun or await self._begin_alone(intent, trader, memory)

    async def _begin_alone(self, intent: OrderIntent, trader: Lease | None, memory: TraderMemory | None) -> Order:
        async with self.database.transaction() as connection:
            await _hold(connection, trader)
            known = await order_rows.get(connection, intent.client_order_id)
            if known is None:
                lines = await _remembered(connection, intent.deployment_id, memory) if memory is not None else []
                if await order_rows.insert(connection, intent):
                    order = Order(intent)
                    await journal.write(connection, *lines, _line(order, order_lanes.told_of(intent)))
                    return order
                known = await order_rows.get(connection, intent.client_order_id)
            if known is None or known.order.intent.deployment_id != intent.deployment_id:
                raise NotFound(f"there is no deployment {intent.deployment_id}")
            return known.order

    async def deny(self, order: Order, denied: Denied, by: Lease | None = None) -> Order:
        async with self.database.transaction() as connection:
            await _hold(connection, by)
            stored = await order_rows.locked(connection, order)
            refused = denied.of(stored.order)
            await order_rows.store(connection, stored, refused)
            await _tell(connection, refused, {"reason": denied.reason.value, "message": denied.message})
            return refused

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        intent = order.intent
        outcome.check_trader(intent, trader)
        unsure = False
        if trader is not None and order.status is OrderStatus.INTENT:
            try:
                if (sent := await order_lanes.ahead(self.database, order, trader, risk)) is not None:
                    return sent
            except Astray as fault:
                unsure = fault.unsure
        async with self.database.transaction() as connection:
            if trader is None:
                await leases.hold(connection, risk)
            else:
                await _hold_everything(connection, intent, (trader, risk))
            stored = await order_rows.locked(connection, order)
            if unsure and stored.order.status is OrderStatus.SUBMITTED:
                # Nobody else writes that while this desk's lease is in force.
                return stored.order
            sent = stored.order.become(OrderStatus.SUBMITTED)
            await order_rows.store(connection, stored, sent)
            epochs = {lease.name: lease.epoch for lease in (trader, risk) if lease}
            await _tell(connection, sent, {"leases": epochs, "again": stored.order.status is OrderStatus.UNKNOWN})
            return sent

    async def settle(self, order: Order, by: Lease | None = None) -> Order:
        if (settled := await settling.together(self.database, order, by)) is not None:
            return settled
        try:
            async with self.database.transaction() as connection:
                await _hold(connection, by)
                return await settling.alone(connection, order)
        except IntegrityError as error:
            if faults.constraint(error) == "orders_venue_order":
                raise Conflict(f"the venue's order {order.venue_order_id} belongs to another intent") from None
            raise

    async def order(self, client_order_id: str) -> Order | None:
        async with self.database.transaction() as connection:
            stored = await order_rows.get(connection, client_order_id)
            return stored.order if stored else None

    async def row(self, order_id: UUID, user_id: UUID) -> OrderRow:
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_ROW, {"id": order_id, "user_id": user_id})).all()
            if not rows:
                raise NotFound(f"there is no order {order_id}")
            return (await order_rows.orders(connection, rows))[0]

    async def slices(self, client_order_id: str) -> list[Order]:
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_SLICES, {"name": client_order_id})).all()
            return [row.order for row in await order_rows.orders(connection, rows)]

    async def sliced(self) -> list[Order]:
        return await self._all_in((OrderStatus.SLICED,))

    async def unsettled(self) -> list[Order]:
        return await self._all_in(UNSETTLED)

    async def standing(self, user_id: UUID) -> list[OrderRow]:
        which = {"user_id": user_id, "statuses": [status.value for status in STANDING]}
        async with self.database.transaction() as connection:
            return await order_rows.orders(connection, (await connection.execute(_STANDING, which)).all())

    async def placed_as(self, venue_order_ids: Collection[str]) -> list[Order]:
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_PLACED_AS, {"ids": list(venue_order_ids)})).all()
            return [row.order for row in await order_rows.orders(connection, rows)]

    async def adjust(self, before: Account, adjustment: Adjustment, reason: str) -> Account:
        async with self.database.transaction() as connection:
            return await adjustments.adjust(connection, before, adjustment, reason)

    async def _all_in(self, statuses: Iterable[OrderStatus]) -> list[Order]:
        async with self.database.transaction() as connection:
            which = {"statuses": [status.value for status in statuses]}
            rows = (await connection.execute(_ALL_IN, which)).all()
            return [row.order for row in await order_rows.orders(connection, rows)]

    async def fill_ids(self, deployment_ids: Collection[UUID], since: datetime) -> frozenset[str]:
        async with self.database.transaction() as connection:
            which = {"ids": list(deployment_ids), "since": since}
            return frozenset((await connection.execute(_FILL_IDS, which)).scalars())

    async def account(self, deployment_id: UUID) -> Account:
        async with self.database.transaction() as connection:
            return await account_rows.read(connection, deployment_id)

    async def accounts(self, user_id: UUID) -> dict[UUID, Account]:
        async with self.database.transaction() as connection:
            return await account_rows.read_all(connection, user_id)

    async def brief(self, deployment_id: UUID) -> tuple[Deployment, Account]:
        if (told := await order_lanes.brief(self.database, deployment_id)) is not None:
            return told
        async with self.database.transaction() as connection:
            deployment = await deployments.read(connection, deployment_id)
            return deployment, await account_rows.read(connection, deployment_id)

    async def recall(self, deployment_id: UUID) -> TraderMemory:
        async with self.database.transaction() as connection:
            return await memory_rows.read(connection, deployment_id)

    async def remember(
        self,
        deployment_id: UUID,
        memory: TraderMemory,
        decision: Decision | None = None,
        *,
        trader: Lease | None = None,
    ) -> None:
        async with self.database.transaction() as connection:
            if trader is not None:
                await leases.hold(connection, trader)
            await journal.write(connection, *await _remembered(connection, deployment_id, memory, decision))

    async def notify(
        self, deployment_id: UUID, kind: NoticeKind, coins: Sequence[str], key: str | None = None
    ) -> Notice:
        async with self.database.transaction() as connection:
            return await notices.notify(connection, deployment_id, kind, coins, key)

    async def set_parameters(
        self,
        deployment_id: UUID,
        parameters: Mapping[str, Any],
        *,
        before: Mapping[str, Any],
        once: UUID | None = None,
    ) -> Deployment:
        async with self.database.transaction() as connection:
            return await tuning.set_parameters(connection, deployment_id, parameters, before, once)

    async def noticed(self, deployment_id: UUID, key: str) -> Notice | None:
        async with self.database.transaction() as connection:
            return await notices.noticed(connection, deployment_id, key)

    async def done(self, notice: Notice) -> None:
        async with self.database.transaction() as connection:
            await notices.done(connection, notice)

    async def unfinished(self) -> list[Notice]:
        async with self.database.transaction() as connection:
            return await notices.unfinished(connection)

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
        async with self.database.look() as connection:
            rows = await connection.execute(_TRADES, which | {"offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT_TRADES, which)).scalar_one()
            return [order_rows.trade(row) for row in rows], total

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        which = {"user_id": user_id, "deployment_id": deployment_id, "kinds": list(kinds)}
        async with self.database.look() as connection:
            rows = await connection.execute(_JOURNAL, which | {"offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT_JOURNAL, which)).scalar_one()
            return [JournalEntry(*row) for row in rows], total

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        async with self.database.transaction() as connection:
            return Decimal((await connection.execute(_REALIZED, {"id": deployment_id, "since": since})).scalar_one())


async def _remembered(
    connection: AsyncConnection, deployment_id: UUID, memory: TraderMemory, decision: Decision | None = None
) -> list[journal.Line]:
    """Store a trader's memory and stamp its heartbeat; what the journal says of it."""
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
    return lines


async def _hold(connection: AsyncConnection, lease: Lease | None) -> None:
    if lease is not None:
        await leases.hold(connection, lease)


async def _hold_everything(connection: AsyncConnection, intent: OrderIntent, held: Sequence[Lease]) -> None:
    """Keep the kill switch off, the deployment active and the leases in force until the order is written."""
    # Leases first: a desk that lost its lease is told so, whatever else stands in its way.
    await leases.hold(connection, *held)
    await refuse_if_halted(connection, intent.user_id, intent.deployment_id, adding=intent.side is Side.BUY)
    row = (await connection.execute(_STATUS, {"id": intent.deployment_id, "coin": intent.coin})).first()
    if row is None:
        raise NotFound(f"there is no deployment {intent.deployment_id}")
    if row.status != "active":
        raise Conflict(f"the deployment is {row.status}")
    if row.sold and intent.side is Side.BUY:
        raise Overtaken(f"{intent.coin} was sold at its owner's wish")


async def _tell(connection: AsyncConnection, order: Order, data: Mapping[str, Any]) -> None:
    await journal.write(connection, _line(order, data))


def _line(order: Order, data: Mapping[str, Any]) -> journal.Line:
    intent = order.intent
    told = order_lanes.named(intent, data)
    return journal.Line(intent.user_id, order.status.value, told, intent.deployment_id, intent.quoted_at)
