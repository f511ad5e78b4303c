"""The ledger of processor time in PostgreSQL: a row for each user and day."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from omc.access.usage import KEPT, check_charge
from omc.adapters.postgres.database import Database
from omc.clock import utc
from omc.errors import NotFound

# One statement: what others charge at the same moment is added before or after, and never lost.
_CHARGE = text("""
    WITH old AS (DELETE FROM cpu_usage WHERE user_id = :user_id AND day < :oldest)
    INSERT INTO cpu_usage (user_id, day, cpu_s) VALUES (:user_id, :day, :cpu_s)
    ON CONFLICT (user_id, day) DO UPDATE SET cpu_s = cpu_usage.cpu_s + excluded.cpu_s
    RETURNING cpu_s
""")
_USED = text("SELECT cpu_s FROM cpu_usage WHERE user_id = :user_id AND day = :day")


@dataclass(frozen=True, slots=True)
class PostgresUsage:
    """A UsageLedger."""

    database: Database

    async def charge(self, user_id: UUID, cpu_s: float, at: datetime) -> float:
        check_charge(cpu_s)
        day = utc(at).date()
        values = {"user_id": user_id, "day": day, "oldest": day - KEPT, "cpu_s": cpu_s}
        try:
            async with self.database.transaction() as connection:
                return float((await connection.execute(_CHARGE, values)).scalar_one())
        except IntegrityError:
            raise NotFound(f"there is no user {user_id}") from None

    async def used(self, user_id: UUID, day: date) -> float:
        async with self.database.transaction() as connection:
            found = (await connection.execute(_USED, {"user_id": user_id, "day": day})).scalar_one_or_none()
            return found or 0.0
