"""Every account's journal is numbered without gaps, so that whoever follows it sees what is missing."""

from alembic import op

revision = "0018_streams"
down_revision = "0017_triggers"

_STATEMENTS = (
    "ALTER TABLE journal ADD account_seq bigint",
    "ALTER TABLE journal DISABLE TRIGGER journal_append_only",
    """
    UPDATE journal SET account_seq = numbered.number FROM (
        SELECT seq, row_number() OVER (PARTITION BY user_id ORDER BY seq) AS number FROM journal
    ) AS numbered WHERE numbered.seq = journal.seq
    """,
    "ALTER TABLE journal ENABLE TRIGGER journal_append_only",
    "ALTER TABLE journal ALTER account_seq SET NOT NULL",
    "CREATE UNIQUE INDEX journal_account_seq ON journal (user_id, account_seq)",
    # Both numbers are drawn under a lock that is held until the commit. The newest number is looked up rather than
    # counted beside: what was rolled back left none, so nothing is ever skipped.
    """
    CREATE OR REPLACE FUNCTION journal_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('journal'), hashtext(NEW.user_id::text));
        NEW.seq := nextval('journal_seq_seq');
        NEW.account_seq := 1 + coalesce((
            SELECT account_seq FROM journal WHERE user_id = NEW.user_id ORDER BY account_seq DESC LIMIT 1
        ), 0);
        NEW.recorded_at := clock_timestamp();
        RETURN NEW;
    END
    $$
    """,
    # One transaction that notifies commits at a time, and the next waits for the disk: notices are sent afterwards.
    "DROP TRIGGER journal_told ON journal",
    "DROP FUNCTION journal_told()",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
