"""What became of an order, with its fills, their cash and their coins: in two trips with those of others, or by itself.

On a lane it is read, reckoned here, and written where nothing of it has moved since: money is reckoned in one place.
None is the answer for whatever is out of the ordinary, and for what has moved meanwhile: `alone` then does the same
under locks, and says what is wrong.
"""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Sequence
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import account_rows, journal, order_rows
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lane import Astray
from omc.adapters.postgres.order_lanes import named
from omc.errors import Conflict, IllegalTransition
from omc.portfolio.account import Account
from omc.trading.blotter import order_told
from omc.trading.fill import Fill
from omc.trading.lease import Lease
from omc.trading.order import Order
from omc.trading.told import pnl_told, position_told

SETTLED = "SELECT at FROM orders_settled($1::jsonb) AS at"
# One statement, so that all is of one moment. An order that has fills, or slices, is left to `alone`; so is a fill that
# is counted.
_STANDS = f"""
    SELECT x.at, {order_rows.COLUMNS}, CAST(o.xmin AS text) AS order_version, CAST(a.xmin AS text) AS account_version,
        a.deposited, a.cash, p.coin_type AS held_coin, p.quantity AS held, p.cost, p.realized_pnl, p.fees,
        p.opening_price
    FROM jsonb_to_recordset($1::jsonb) AS x(at integer, name varchar, fill_ids jsonb)
    JOIN orders o ON o.client_order_id = x.name
    JOIN deployment_accounts a ON a.deployed_algorithm_id = o.deployed_algorithm_id
    LEFT JOIN positions p ON p.deployed_algorithm_id = o.deployed_algorithm_id
    WHERE o.plan IS NULL AND NOT EXISTS (
        SELECT FROM trades t WHERE t.order_id = o.id
    ) AND NOT EXISTS (
        SELECT FROM trades t WHERE t.deployed_algorithm_id = o.deployed_algorithm_id
            AND t.fill_id IN (SELECT jsonb_array_elements_text(x.fill_ids))
    )
    ORDER BY x.at, p.coin_type
"""


async def together(database: Database, order: Order, by: Lease | None) -> Order | None:
    """Store what an order has become, with those of others."""
    if order.plan is not None:
        return None
    asked = {"name": order.intent.client_order_id, "fill_ids": [fill.fill_id for fill in order.fills]}
    try:
        rows = await database.lane(_STANDS).ask(asked)
        if not rows:
            return None
        row = rows[0]
        before = order_rows.order_of(SimpleNamespace(**row), ())
        settled = _became(before, order, order.fills)
        if before.status.final or settled == before:
            return None
        held = [SimpleNamespace(**{**each, "coin_type": each["held_coin"], "quantity": each["held"]}) for each in rows]
        account, moves = account_rows.reckoned(account_rows.account_of(held), before.intent, order.fills)
        intent, lines = before.intent, _lines(settled, order, order.fills, account)
        wanted = {
            "id": row["id"],
            "name": intent.client_order_id,
            "order_version": row["order_version"],
            "account_version": row["account_version"],
            "deployment": intent.deployment_id,
            "owner": intent.user_id,
            "status": settled.status.value,
            "venue_order_id": settled.venue_order_id,
            "message": settled.message,
            "filled": settled.filled_quantity,
            "limit_price": settled.limit_aud,
            "cash": account.cash_aud if moves else None,
            "fills": [{"place": place, **each.trade(intent.deployment_id)} for place, each in enumerate(moves)],
            # Of each coin the last.
            "positions": list({each.position.coin: each.holding() for each in moves}.values()),
            "lines": [
                {"place": place, "kind": line.kind, "data": line.data, "event_time": line.event_time}
                for place, line in enumerate(lines)
            ],
        }
        if by is not None:
            wanted |= {"lease": by.name, "epoch": by.epoch}
        if not await database.lane(SETTLED).ask(wanted):
            return None
    except (Astray, Conflict, IllegalTransition):
        # It may have been written: then that is found, and nothing is counted twice.
        return None
    database.tell((intent.user_id,))
    return settled


async def alone(connection: AsyncConnection, order: Order) -> Order:
    """The same by itself, in a transaction that holds whatever lease it needs."""
    stored = await order_rows.locked(connection, order)
    before = stored.order
    books = account_rows.Books(connection, stored.id, replace(order, intent=before.intent))
    fresh = await books.fresh()
    settled = _became(before, order, fresh)
    if settled == before:
        return before
    account = await books.count(fresh) if fresh else None
    await order_rows.store(connection, stored, settled)
    await journal.write(connection, *_lines(settled, order, fresh, account))
    return settled


def _became(before: Order, order: Order, fresh: tuple[Fill, ...]) -> Order:
    """What is stored of `order`, of whose fills these are not counted yet."""
    if order.status is not before.status:
        before.become(order.status)
    if before.status.final:
        # It has ended, and why is told: only fills that come to light are added.
        return replace(before, fills=before.fills + fresh)
    return replace(order, intent=before.intent, fills=before.fills + fresh, plan=before.plan or order.plan)


def _lines(settled: Order, order: Order, fresh: Sequence[Fill], account: Account | None) -> list[journal.Line]:
    """What the journal says of it; `account` is the one after the fills."""
    intent = settled.intent
    fills = [asdict(fill) for fill in fresh]
    data: dict[str, Any] = {"fills": fills, "venue_order_id": order.venue_order_id, "message": order.message}
    at = fresh[-1].executed_at if fresh else intent.quoted_at
    told = named(intent, data | order_told(settled))
    lines = [journal.Line(intent.user_id, settled.status.value, told, intent.deployment_id, at)]
    if fresh and account is not None:
        moved = (("position", position_told(account, intent.coin)), ("pnl", pnl_told(account)))
        lines += [replace(lines[0], kind=kind, data=each) for kind, each in moved]
    return lines
