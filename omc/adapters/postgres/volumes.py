"""Volumes in PostgreSQL: a row for each coin and stretch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import text

from omc.adapters.postgres.database import Database
from omc.trading.volumes import DAYS, STRETCH, Traded, by_stretch, by_time_of_day

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('market_volumes'), hashtext(:coin))")
_NEWEST = text("SELECT max(newest) FROM market_volumes WHERE coin_type = :coin")
_ADD = text("""
    INSERT INTO market_volumes (coin_type, began_at, quantity, newest)
    SELECT :coin, unnest(CAST(:began AS timestamptz[])), unnest(CAST(:quantities AS numeric[])), :newest
    ON CONFLICT (coin_type, began_at) DO UPDATE SET
        quantity = market_volumes.quantity + excluded.quantity, newest = excluded.newest
""")
_FORGET = text("DELETE FROM market_volumes WHERE coin_type = :coin AND began_at < :before")
_RECENT = text("""
    SELECT began_at, quantity FROM market_volumes
    WHERE coin_type = :coin AND began_at >= :since AND began_at <= :last
""")


@dataclass(frozen=True, slots=True)
class PostgresVolumes:
    """A Volumes."""

    database: Database

    async def add(self, coin: str, trades: Sequence[Traded]) -> int:
        if not trades:
            return 0
        async with self.database.transaction() as connection:
            await connection.execute(_LOCK, {"coin": coin})
            last = (await connection.execute(_NEWEST, {"coin": coin})).scalar_one()
            fresh = [each for each in trades if last is None or each.at > last]
            if fresh:
                newest, stretches = max(each.at for each in fresh), by_stretch(fresh)
                values = {"began": list(stretches), "quantities": list(stretches.values()), "newest": newest}
                await connection.execute(_ADD, {"coin": coin, **values})
                await connection.execute(_FORGET, {"coin": coin, "before": newest - 2 * timedelta(days=DAYS)})
            return len(fresh)

    async def recent(self, coin: str, until: datetime) -> Sequence[tuple[datetime, Decimal]]:
        span = {"coin": coin, "since": until - timedelta(days=DAYS), "last": until - STRETCH}
        async with self.database.look() as connection:
            rows = (await connection.execute(_RECENT, span)).all()
        return by_time_of_day({row.began_at: row.quantity for row in rows}, until)
