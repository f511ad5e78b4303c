"""Requests with a key, in PostgreSQL: what each asks for, who carries it out, and what was answered."""

# ruff: noqa: S608 - statements are composed of the constants below

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from omc.access.once import HELD_FOR, KEPT_FOR, Answer, Claim, another_request
from omc.adapters.postgres.database import Database
from omc.errors import NotFound

_HELD = f"interval '{HELD_FOR.total_seconds():g} seconds'"
_KEPT = f"interval '{KEPT_FOR.total_seconds():g} seconds'"
# By the database's clock alone: whoever claims and whoever renews may be on different machines.
_CLAIM = text(f"""
    INSERT INTO keyed_requests AS known (user_id, key, fingerprint, operation, run, held_until)
    VALUES (:user_id, :key, :fingerprint, :operation, 1, clock_timestamp() + {_HELD})
    ON CONFLICT (user_id, key) DO UPDATE SET run = known.run + 1, held_until = excluded.held_until
    WHERE known.status IS NULL AND known.held_until <= clock_timestamp() AND known.fingerprint = excluded.fingerprint
    RETURNING operation, run, began_at
""")
_KNOWN = text("""
    SELECT fingerprint, status, body, media_type, location FROM keyed_requests WHERE user_id = :user_id AND key = :key
""")
_SWEEP = text(f"""
    WITH old AS (
        SELECT user_id, key FROM keyed_requests WHERE began_at < now() - {_KEPT}
        ORDER BY began_at LIMIT 20 FOR UPDATE SKIP LOCKED
    ), worn AS (
        SELECT operation FROM done_operations WHERE done_at < now() - 2 * {_KEPT}
        ORDER BY done_at LIMIT 20 FOR UPDATE SKIP LOCKED
    ), swept AS (
        DELETE FROM done_operations d USING worn WHERE d.operation = worn.operation
    )
    DELETE FROM keyed_requests r USING old WHERE r.user_id = old.user_id AND r.key = old.key
""")
_MINE = "user_id = :user_id AND key = :key AND operation = :operation"
_RENEW = text(f"""
    UPDATE keyed_requests SET held_until = clock_timestamp() + {_HELD}
    WHERE {_MINE} AND run = :run AND status IS NULL
""")
_ANSWER = text(f"""
    UPDATE keyed_requests SET status = :status, body = :body, media_type = :media_type, location = :location
    WHERE {_MINE} AND status IS NULL
""")
_ANSWERED = text(f"SELECT status, body, media_type, location FROM keyed_requests WHERE {_MINE}")
_LET_GO = text(f"""
    UPDATE keyed_requests SET held_until = clock_timestamp() WHERE {_MINE} AND run = :run AND status IS NULL
""")
_FORGET = text(f"DELETE FROM keyed_requests WHERE {_MINE} AND run = 1 AND status IS NULL")


@dataclass(frozen=True, slots=True)
class PostgresRequests:
    """A RequestStore."""

    database: Database

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes) -> Claim | Answer | None:
        which = {"user_id": user_id, "key": key}
        asked = which | {"fingerprint": fingerprint, "operation": uuid4()}
        try:
            async with self.database.transaction() as connection:
                await connection.execute(_SWEEP)
                row = (await connection.execute(_CLAIM, asked)).first()
                if row is not None:
                    return Claim(user_id, key, row.operation, row.run, row.began_at)
                known = (await connection.execute(_KNOWN, which)).first()
        except IntegrityError:
            raise NotFound(f"there is no user {user_id}") from None
        if known is None:
            return None  # forgotten between the two: whoever asks again finds the key free
        if known.fingerprint != fingerprint:
            raise another_request()
        if known.status is None:
            return None
        return Answer(known.status, known.body, known.media_type, known.location)

    async def renew(self, claim: Claim) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_RENEW, _of(claim))

    async def answer(self, claim: Claim, answer: Answer) -> Answer:
        said = {
            "status": answer.status,
            "body": answer.body,
            "media_type": answer.media_type,
            "location": answer.location,
        }
        mine = {"user_id": claim.user_id, "key": claim.key, "operation": claim.operation}
        async with self.database.transaction() as connection:
            if (await connection.execute(_ANSWER, mine | said)).rowcount:
                return answer
            row = (await connection.execute(_ANSWERED, mine)).first()
        return answer if row is None else Answer(row.status, row.body, row.media_type, row.location)

    async def let_go(self, claim: Claim) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_LET_GO, _of(claim))

    async def forget(self, claim: Claim) -> None:
        statement = _FORGET if claim.run == 1 else _LET_GO
        values = {name: value for name, value in _of(claim).items() if statement is _LET_GO or name != "run"}
        async with self.database.transaction() as connection:
            await connection.execute(statement, values)


def _of(claim: Claim) -> dict[str, object]:
    return {"user_id": claim.user_id, "key": claim.key, "operation": claim.operation, "run": claim.run}
