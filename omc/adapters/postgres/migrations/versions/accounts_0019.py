"""From when on an account's history counts, and what was answered under a key."""

from alembic import op

revision = "0019_accounts"
down_revision = "0023_sending"

_STATEMENTS = (
    # Accounts that were opened before know no such moment: all that they list counts.
    "ALTER TABLE venue_accounts ADD opened_from timestamptz",
    "CREATE INDEX external_fills_executed_at ON external_fills (account, executed_at)",
    "ALTER TABLE idempotency_keys ADD answer jsonb",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
