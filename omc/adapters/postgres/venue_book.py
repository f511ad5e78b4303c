"""The book of what venues showed besides our own orders, in PostgreSQL. Whoever changes an account's rows holds the
account's own row first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import external_rows, journal, jsonb, operations
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.held_json import amounts_of, json_of, match_of, reconciliation_of
from omc.errors import Conflict, NotFound
from omc.trading.floor import Reconciliation
from omc.trading.reconciliation.steps import AdoptMovement
from omc.trading.reconciliation.telling import Adoption, decided, tells_the_same, told_of, told_of_adopted
from omc.trading.reconciliation.venue_book import HeldOrder, Known, held_anew

_OPEN = text("""
    INSERT INTO venue_accounts (account, user_id, opening, opened_from)
    VALUES (:account, :user_id, CAST(:opening AS jsonb), :since) ON CONFLICT (account) DO NOTHING
""")
_BEFORE = text("""
    INSERT INTO external_before (account, name) SELECT :account, unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING
""")
# One statement, so that an account and what others changed of it are of one moment.
_KNOWN = text("""
    SELECT a.account, a.user_id, a.opening, a.movements, a.looked_until, a.compared, a.opened_from, (
        SELECT coalesce(jsonb_object_agg(c.coin_type, c.quantity::text), '{}') FROM external_changes c
        WHERE c.account = a.account AND c.quantity <> 0
    ) AS outside FROM venue_accounts a WHERE a.account = :account
""")
_LOCK = text("""
    SELECT user_id, movements, compared FROM venue_accounts WHERE account = :account FOR NO KEY UPDATE
""")
_EXTERNAL = text("""
    SELECT fill_id FROM external_fills WHERE account = :account AND executed_at >= :since
    UNION SELECT fill_id FROM external_fills WHERE account = :account AND fill_id = ANY(CAST(:named AS text[]))
    UNION SELECT venue_order_id FROM external_orders
        WHERE account = :account AND venue_order_id = ANY(CAST(:named AS text[]))
    UNION SELECT name FROM external_before WHERE account = :account
""")
_MOVEMENTS = text("UPDATE venue_accounts SET movements = :movements WHERE account = :account")
_HELD_COLUMNS = "order_id, client_order_id, user_id, deployment_id, account, held_at, candidates, resolution"
_BE_HELD = text(f"SELECT {_HELD_COLUMNS} FROM held_orders WHERE client_order_id = :client_order_id FOR UPDATE")  # noqa: S608
_HOLD = text("""
    INSERT INTO held_orders (client_order_id, order_id, user_id, deployment_id, account, candidates)
    VALUES (:client_order_id, :order_id, :user_id, :deployment_id, :account, CAST(:candidates AS jsonb))
    ON CONFLICT (client_order_id) DO UPDATE SET candidates = excluded.candidates, resolution = NULL
""")
_HELD = text(f"""
    SELECT {_HELD_COLUMNS} FROM held_orders WHERE resolution IS NULL
        AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
        AND (CAST(:account AS text) IS NULL OR account = :account)
    ORDER BY held_at, client_order_id
""")  # noqa: S608 - composed of the constant above
_HELD_ORDER = text(f"SELECT {_HELD_COLUMNS} FROM held_orders WHERE order_id = :order_id AND user_id = :user_id")  # noqa: S608
_LOCK_HELD = text("""
    SELECT user_id, deployment_id, resolution FROM held_orders WHERE client_order_id = :client_order_id FOR UPDATE
""")
_RESOLVE = text("""
    UPDATE held_orders SET resolution = CAST(:resolution AS jsonb) WHERE client_order_id = :client_order_id
""")
_COMPARE = text("""
    UPDATE venue_accounts SET compared = CAST(:compared AS jsonb), looked_until = coalesce(:looked_until, looked_until)
    WHERE account = :account
""")


@dataclass(frozen=True, slots=True)
class PostgresVenueBook:
    """A VenueBook."""

    database: Database

    async def open(
        self,
        account: str,
        user_id: UUID,
        opening: Mapping[str, Decimal],
        before: frozenset[str],
        since: datetime | None = None,
    ) -> None:
        values = {"account": account, "user_id": user_id, "opening": jsonb.text(dict(opening)), "since": since}
        async with self.database.transaction() as connection:
            if (await connection.execute(_OPEN, values)).rowcount and before:
                await connection.execute(_BEFORE, {"account": account, "names": sorted(before)})

    async def known(self, account: str) -> Known | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_KNOWN, {"account": account})).first()
        if row is None:
            return None
        return Known(
            account=row.account,
            user_id=row.user_id,
            opening=amounts_of(row.opening),
            outside=amounts_of(row.outside),
            movements=row.movements,
            looked_until=row.looked_until,
            compared=reconciliation_of(row.compared) if row.compared else None,
            opened_from=row.opened_from,
        )

    async def external(self, account: str, since: datetime, named: Collection[str]) -> frozenset[str]:
        values = {"account": account, "since": since, "named": sorted(named)}
        async with self.database.transaction() as connection:
            return frozenset((await connection.execute(_EXTERNAL, values)).scalars())

    async def adopt(self, account: str, found: Sequence[Adoption], *, movements: int) -> int:
        async with self.database.transaction() as connection:
            row = await _locked(connection, account)
            fresh: list[Adoption] = []
            number = row.movements
            for each in found:
                if isinstance(each, AdoptMovement):
                    new = row.movements == movements
                    number += new
                else:
                    new = await external_rows.store(connection, account, each)
                if new:
                    await external_rows.change(connection, account, each)
                    fresh.append(each)
            if number != row.movements:
                await connection.execute(_MOVEMENTS, {"account": account, "movements": number})
            lines = [journal.Line(row.user_id, "external", told_of_adopted(account, each)) for each in fresh]
            await journal.write(connection, *lines)
            return len(fresh)

    async def hold(self, held: HeldOrder) -> None:
        values = {
            "client_order_id": held.client_order_id,
            "order_id": held.order_id,
            "user_id": held.user_id,
            "deployment_id": held.deployment_id,
            "account": held.account,
            "candidates": jsonb.text([json_of(each) for each in held.candidates]),
        }
        which = {"client_order_id": held.client_order_id}
        async with self.database.transaction() as connection:
            row = (await connection.execute(_BE_HELD, which)).first()
            before = _held(row) if row else None
            if held_anew(before, held) != before:
                await connection.execute(_HOLD, values)

    async def held(self, *, user_id: UUID | None = None, account: str | None = None) -> list[HeldOrder]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_HELD, {"user_id": user_id, "account": account})
            return [_held(row) for row in rows]

    async def held_order(self, order_id: UUID, user_id: UUID) -> HeldOrder:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_HELD_ORDER, {"order_id": order_id, "user_id": user_id})).first()
        if row is None:
            raise NotFound(f"no order {order_id} waits for a person")
        return _held(row)

    async def resolve(self, client_order_id: str, resolution: Mapping[str, Any]) -> None:
        which = {"client_order_id": client_order_id}
        async with self.database.transaction() as connection:
            row = (await connection.execute(_LOCK_HELD, which)).first()
            if row is None:
                raise NotFound(f"order {client_order_id} does not wait for a person")
            if row.resolution is not None:
                if row.resolution != dict(resolution):
                    raise Conflict(f"order {client_order_id} was decided already: {decided(row.resolution)}")
                return
            await connection.execute(_RESOLVE, which | {"resolution": jsonb.text(dict(resolution))})
            told = {"client_order_id": client_order_id, **resolution}
            await journal.write(connection, journal.Line(row.user_id, "resolved", told, row.deployment_id))

    async def compare(self, account: str, compared: Reconciliation, looked_until: datetime | None) -> None:
        values = {"account": account, "compared": jsonb.text(json_of(compared)), "looked_until": looked_until}
        async with self.database.transaction() as connection:
            row = await _locked(connection, account)
            await connection.execute(_COMPARE, values)
            before = reconciliation_of(row.compared) if row.compared else None
            if not tells_the_same(before, compared):
                await journal.write(connection, journal.Line(row.user_id, "reconciliation", told_of(compared)))

    async def answer(self, operation: UUID, compared: Reconciliation) -> None:
        async with self.database.transaction() as connection:
            await operations.first(connection, operation, json_of(compared))

    async def answered(self, operation: UUID) -> Reconciliation | None:
        async with self.database.transaction() as connection:
            said = await operations.answered(connection, operation)
        return reconciliation_of(said) if said else None


async def _locked(connection: AsyncConnection, account: str) -> Row[Any]:
    row = (await connection.execute(_LOCK, {"account": account})).first()
    if row is None:
        raise NotFound(f"account {account} was never looked at")
    return row


def _held(row: Row[Any]) -> HeldOrder:
    return HeldOrder(**{**row._asdict(), "candidates": tuple(match_of(each) for each in row.candidates)})
