"""The journal: what happened to every account, in order, never changed and never removed."""

from alembic import op

revision = "0006_journal"
down_revision = "0005_floor"

_STATEMENTS = (
    # No foreign keys: what happened stays on record when what it happened to is gone.
    """
    CREATE TABLE journal (
        seq bigint PRIMARY KEY,
        user_id uuid NOT NULL,
        deployment_id uuid,
        kind varchar(50) NOT NULL,
        data jsonb NOT NULL DEFAULT '{}',
        event_time timestamptz,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE SEQUENCE journal_seq_seq OWNED BY journal.seq",
    "CREATE INDEX journal_user_id ON journal (user_id, seq DESC)",
    "CREATE INDEX journal_deployment_id ON journal (deployment_id, seq DESC)",
    # Entries of one account become visible in the order of their numbers: the number is drawn under a lock that is
    # held until the commit, so whoever has read up to n has missed nothing below n.
    """
    CREATE FUNCTION journal_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('journal'), hashtext(NEW.user_id::text));
        NEW.seq := nextval('journal_seq_seq');
        NEW.recorded_at := clock_timestamp();
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER journal_in_order BEFORE INSERT ON journal
        FOR EACH ROW EXECUTE FUNCTION journal_in_order()
    """,
    """
    CREATE FUNCTION journal_told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('journal', json_build_object(
            'seq', NEW.seq, 'user_id', NEW.user_id, 'deployment_id', NEW.deployment_id, 'kind', NEW.kind
        )::text);
        RETURN NULL;
    END
    $$
    """,
    "CREATE TRIGGER journal_told AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION journal_told()",
    """
    CREATE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the journal is append-only: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'journal_append_only';
    END
    $$
    """,
    """
    CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
        FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
