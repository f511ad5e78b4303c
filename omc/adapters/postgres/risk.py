"""Limits, standings and holdings in PostgreSQL."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from omc.adapters.postgres import journal, jsonb, operations
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lane import Astray
from omc.errors import Overtaken
from omc.risk.limits import AccountLimits, Bounds
from omc.risk.standing import Sale, Standing
from omc.risk.store import BreachTold, Holdings, Place
from omc.trading.deployment import Mode

_LIMITS = text("SELECT limits, time_zone FROM risk_limits WHERE user_id = :user_id")
_LIMITS_TOGETHER = """
    SELECT x.at, r.limits, r.time_zone
    FROM jsonb_to_recordset($1::jsonb) AS x(at integer, user_id uuid) JOIN risk_limits r USING (user_id)
"""
_SET_LIMITS = text("""
    INSERT INTO risk_limits AS known (user_id, limits, time_zone) VALUES (:user_id, CAST(:limits AS jsonb), :time_zone)
    ON CONFLICT (user_id) DO UPDATE SET
        limits = excluded.limits, time_zone = excluded.time_zone, updated_at = now()
    WHERE CAST(:before AS jsonb) IS NULL
        OR (known.limits, known.time_zone) = (CAST(:before AS jsonb), CAST(:zone_before AS text))
""")
_STANDINGS = text("""
    SELECT place, day, opening, peak, capital, told, tripped FROM risk_standings WHERE place = ANY(:places)
""")
_REMEMBER = text("""
    INSERT INTO risk_standings (place, user_id, deployment_id, day, opening, peak, capital, told, tripped)
    VALUES (:place, :user_id, :deployment_id, :day, :opening, :peak, :capital, :told, :tripped)
    ON CONFLICT (place) DO UPDATE SET
        day = excluded.day, opening = excluded.opening, peak = excluded.peak, capital = excluded.capital,
        told = excluded.told, tripped = excluded.tripped, updated_at = now()
""")
# An account's reset takes what is inside with it, but everybody's leaves each account what it has.
_FORGET = text("""
    DELETE FROM risk_standings WHERE tripped AND CASE
        WHEN CAST(:user_id AS uuid) IS NULL THEN user_id IS NULL
        WHEN CAST(:deployment_id AS uuid) IS NULL THEN user_id = :user_id
        ELSE user_id = :user_id AND (deployment_id = :deployment_id OR (place = :on_paper AND EXISTS (
            SELECT 1 FROM deployed_algorithms d WHERE d.id = :deployment_id AND d.mode = 'paper'
        )))
    END
""")
_OF = """
    d.mode = :mode AND (CAST(:user_id AS uuid) IS NULL OR d.user_id = :user_id)
    AND (CAST(:deployment_id AS uuid) IS NULL OR d.id = :deployment_id)
"""
# In one statement, so that cash and coins are of one moment.
_HOLDINGS = text(f"""
    SELECT NULL AS coin_type, coalesce(sum(a.cash), 0) AS cash, coalesce(sum(a.deposited), 0) AS put_in,
        coalesce(sum(a.deposited) FILTER (WHERE d.status <> 'stopped'), 0) AS capital
    FROM deployed_algorithms d JOIN deployment_accounts a ON a.deployed_algorithm_id = d.id WHERE {_OF}
    UNION ALL
    SELECT p.coin_type, sum(p.quantity), sum(p.cost), 0
    FROM deployed_algorithms d JOIN positions p ON p.deployed_algorithm_id = d.id
    WHERE {_OF} AND p.quantity > 0 GROUP BY p.coin_type
""")
_SALES = text(f"""
    SELECT max(t.executed_at) AS at, sum(t.realized_pnl - t.fees) AS result
    FROM deployed_algorithms d JOIN trades t ON t.deployed_algorithm_id = d.id
    WHERE {_OF} AND t.side = 'sell' GROUP BY t.order_id ORDER BY max(t.executed_at) DESC, max(t.seq) DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class PostgresRiskStore:
    """A RiskStore."""

    database: Database

    async def limits(self, user_id: UUID) -> AccountLimits:
        try:
            for row in await self.database.lane(_LIMITS_TOGETHER).ask({"user_id": user_id}):
                return AccountLimits(Bounds.of(row["limits"]), row["time_zone"])
        except Astray:
            async with self.database.transaction() as connection:
                row = (await connection.execute(_LIMITS, {"user_id": user_id})).first()
                return AccountLimits(Bounds.of(row.limits), row.time_zone) if row else AccountLimits()
        return AccountLimits()

    async def set_limits(
        self, user_id: UUID, limits: AccountLimits, *, before: AccountLimits | None = None, once: UUID | None = None
    ) -> AccountLimits:
        told = limits.bounds.told()
        values = {
            "user_id": user_id,
            "limits": jsonb.text(told),
            "time_zone": limits.time_zone,
            "before": jsonb.text(before.bounds.told()) if before else None,
            "zone_before": before.time_zone if before else None,
        }
        async with self.database.transaction() as connection:
            if not await operations.first(connection, once):
                row = (await connection.execute(_LIMITS, {"user_id": user_id})).first()
                return AccountLimits(Bounds.of(row.limits), row.time_zone) if row else AccountLimits()
            if not (await connection.execute(_SET_LIMITS, values)).rowcount:
                raise Overtaken("the account's limits have been changed since they were read")
            await journal.write(connection, journal.Line(user_id, "limits", {**told, "time_zone": limits.time_zone}))
            return limits

    async def standings(self, places: Sequence[Place]) -> dict[Place, Standing]:
        by_key = {place.key: place for place in places}
        async with self.database.transaction() as connection:
            rows = await connection.execute(_STANDINGS, {"places": list(by_key)})
            return {
                by_key[row.place]: Standing(
                    row.day, row.opening, row.peak, row.capital, frozenset(row.told), row.tripped
                )
                for row in rows
            }

    async def remember(self, standings: Mapping[Place, Standing], breaches: Sequence[BreachTold] = ()) -> None:
        async with self.database.transaction() as connection:
            # In one order, so that two that remember the same queue up.
            for place in sorted(standings, key=lambda each: each.key):
                await connection.execute(_REMEMBER, _row(place, standings[place]))
            told = sorted(breaches, key=lambda each: each.user_id)
            lines = (journal.Line(each.user_id, "breach", each.data(), each.deployment_id) for each in told)
            await journal.write(connection, *lines)

    async def forget(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        async with self.database.transaction() as connection:
            on_paper = Place(Mode.PAPER, user_id).key
            at = {"user_id": user_id, "deployment_id": deployment_id, "on_paper": on_paper}
            await connection.execute(_FORGET, at)

    async def holdings(self, place: Place) -> Holdings:
        async with self.database.transaction() as connection:
            cash, *coins = (await connection.execute(_HOLDINGS, _whose(place))).all()
            held = {row.coin_type: (row.cash, row.put_in) for row in coins}
            return Holdings(cash.cash, cash.put_in, cash.capital, held)

    async def sales(self, place: Place, most: int) -> list[Sale]:
        async with self.database.transaction() as connection:
            rows = (await connection.execute(_SALES, _whose(place) | {"most": most})).all()
            return [Sale(row.at, Decimal(row.result)) for row in reversed(rows)]


def _whose(place: Place) -> dict[str, Any]:
    return {"mode": place.mode.value, "user_id": place.user_id, "deployment_id": place.deployment_id}


def _row(place: Place, standing: Standing) -> dict[str, Any]:
    return {
        "place": place.key,
        "user_id": place.user_id,
        "deployment_id": place.deployment_id,
        "day": standing.day,
        "opening": standing.opening_aud,
        "peak": standing.peak_aud,
        "capital": standing.capital_aud,
        "told": sorted(standing.told),
        "tripped": standing.tripped,
    }
