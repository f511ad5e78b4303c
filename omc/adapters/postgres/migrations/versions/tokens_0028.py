"""Tokens of programs, and the second factor of persons."""

from alembic import op

revision = "0028_tokens"
down_revision = "0026_numbered"

_STATEMENTS = (
    """
    CREATE TABLE api_tokens (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        name varchar(255) NOT NULL,
        scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'lab', 'trade']),
        digest varchar(64) NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX api_tokens_user_id ON api_tokens (user_id)",
    # `last_step` is the step of the newest code that was taken: no code of it, or of one before, is taken again.
    """
    CREATE TABLE second_factors (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
        secret_encrypted bytea NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_step bigint NOT NULL DEFAULT -1,
        tries integer NOT NULL DEFAULT 0,
        closed_until timestamptz
    )
    """,
    """
    CREATE TABLE recovery_codes (
        second_factor_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
        digest varchar(64) NOT NULL,
        spent_at timestamptz,
        PRIMARY KEY (second_factor_id, digest)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
