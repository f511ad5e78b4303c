"""Rates in PostgreSQL: exact however many replicas ask, because it alone keeps the count and tells the time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from omc.access.rate import Charge, Standing, Verdict
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.lane import Astray
from omc.errors import Unavailable

# Requests that come while others are asked about go together, in one statement.
_TAKE = "SELECT at, allowed, lags_us FROM requests_admitted($1::jsonb)"
# What a lane waits for a lock, so often, is what a request waits for its count.
_TRIES = 4
_FORGET = text("""
    DELETE FROM request_rates WHERE key IN (
        SELECT key FROM request_rates
        WHERE made_up_us < extract(epoch FROM clock_timestamp() - interval '1 minute') * 1000000
        FOR UPDATE SKIP LOCKED
    )
""")


@dataclass(frozen=True, slots=True)
class PostgresRates:
    """A RateStore."""

    database: Database

    async def take(self, charges: Sequence[Charge]) -> Verdict:
        """What the database refused, such as for a lock that somebody held for too long, was not charged, and is asked
        again. Where the answer was lost it may have been: it is not asked again, so that nothing is charged twice, and
        whoever counts it instead, as Unavailable has them do, counts it apart."""
        asked = {
            "keys": [charge.key for charge in charges],
            "every_us": [charge.rate.every_us for charge in charges],
            "burst_us": [charge.rate.burst_us for charge in charges],
        }
        for _ in range(_TRIES):
            try:
                (row,) = await self.database.lane(_TAKE).ask(asked)
            except Astray as fault:
                if fault.unsure:
                    break
            else:
                standings = (Standing(charge, lag_us) for charge, lag_us in zip(charges, row["lags_us"], strict=True))
                return Verdict(row["allowed"], tuple(standings))
        raise Unavailable("the database does not say how often this was asked")

    async def forget(self) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_FORGET)
