"""Guesses are counted, tokens can be ended before their time, and an account can be deleted."""

from alembic import op

revision = "0027_lockout"
down_revision = "0029_rates"

_OWNED = ("deployed_algorithms", "coinspot_credentials", "exchange_credentials", "llm_credentials", "refresh_families")
_STATEMENTS = (
    """
    ALTER TABLE users
        ADD tokens_valid_from timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
        ADD deleted_at timestamptz
    """,
    "CREATE INDEX users_tokens_valid_from ON users (tokens_valid_from)",
    # By digests: neither an address nor an email can be read here.
    """
    CREATE TABLE login_attempts (
        place varchar(200) PRIMARY KEY,
        failures integer NOT NULL CHECK (failures >= 0),
        last_at timestamptz NOT NULL,
        blocked_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX login_attempts_last_at ON login_attempts (last_at)",
    """
    CREATE TABLE login_addresses (
        account varchar(64) NOT NULL,
        address varchar(64) NOT NULL,
        last_at timestamptz NOT NULL,
        PRIMARY KEY (account, address)
    )
    """,
    "CREATE INDEX login_addresses_last_at ON login_addresses (last_at)",
    # A deleted account's row stays, so a foreign key alone would let a request that was under way give it new things.
    # Its lock is the foreign key's own: whoever deletes the account waits for it, or it for them.
    """
    CREATE FUNCTION owner_is_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM users WHERE id = NEW.user_id AND deleted_at IS NULL FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no such user' USING
                ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_TABLE_NAME || '_user_id_fkey';
        END IF;
        RETURN NEW;
    END
    $$
    """,
    *(
        f"""
        CREATE TRIGGER owner_is_here BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION owner_is_here()
        """
        for table in _OWNED
    ),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
