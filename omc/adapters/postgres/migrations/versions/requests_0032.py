"""Requests with a key have their effect once: one table for all kinds, and one for effects that were had."""

from alembic import op

revision = "0032_requests"
down_revision = "0030_audit"

_STATEMENTS = (
    """
    CREATE TABLE keyed_requests (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        key varchar(255) NOT NULL,
        fingerprint bytea NOT NULL,
        operation uuid NOT NULL,
        run integer NOT NULL,
        held_until timestamptz NOT NULL,
        status integer,
        body bytea,
        media_type varchar(100),
        location varchar(500),
        began_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, key)
    )
    """,
    "CREATE INDEX keyed_requests_began_at ON keyed_requests (began_at)",
    """
    CREATE TABLE done_operations (
        operation uuid PRIMARY KEY,
        answer jsonb,
        done_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX done_operations_done_at ON done_operations (done_at)",
    # What it was for is named by its operation now. A deployment that is asked for again across the change finds its
    # name taken.
    "DROP TABLE idempotency_keys",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
