"""The audit trail: what was asked of every account, chained, never changed and never removed."""

from alembic import op

revision = "0030_audit"
down_revision = "0027_lockout"

_STATEMENTS = (
    # No foreign keys: what was done to an account stays on record when the account is gone.
    """
    CREATE TABLE audit (
        account uuid NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        actor varchar(64) NOT NULL,
        action varchar(100) NOT NULL,
        subject varchar(300) NOT NULL,
        details jsonb NOT NULL,
        address varchar(100) NOT NULL,
        request_id varchar(128) NOT NULL,
        previous char(64) NOT NULL,
        hash char(64) NOT NULL,
        PRIMARY KEY (account, seq)
    )
    """,
    # Where each chain ends, so that its last entries cannot be cut off unseen. Its rows are what appending waits at.
    """
    CREATE TABLE audit_heads (
        account uuid PRIMARY KEY,
        seq bigint NOT NULL,
        previous char(64) NOT NULL,
        hash char(64) NOT NULL
    )
    """,
    """
    CREATE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_append_only';
    END
    $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
    """,
    """
    CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON audit_heads
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
    """,
    # A head moves on by one entry, and in no other way.
    """
    CREATE TRIGGER audit_heads_move_on BEFORE UPDATE ON audit_heads
        FOR EACH ROW
        WHEN (NEW.account <> OLD.account OR NEW.seq <> OLD.seq + 1 OR NEW.previous <> OLD.hash)
        EXECUTE FUNCTION audit_refuses()
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
