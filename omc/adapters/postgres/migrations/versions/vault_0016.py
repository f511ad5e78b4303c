"""What the keys of exchanges are allowed to do."""

from alembic import op

revision = "0016_vault"
down_revision = "0015_reconciliation"

_TABLES = ("coinspot_credentials", "exchange_credentials", "llm_credentials")
_STATEMENTS = (
    *(
        f"""
        ALTER TABLE {table}
            ADD hint varchar(32) NOT NULL DEFAULT '…',
            ADD access varchar(20) CHECK (access IN ('refused', 'read_only', 'full')),
            ADD message text,
            ADD withdrawals_disabled boolean NOT NULL DEFAULT false
        """
        for table in _TABLES
    ),
    # Whoever sends orders by a key looks for the deployments that it serves.
    "CREATE INDEX deployed_algorithms_live ON deployed_algorithms (user_id, venue) WHERE mode = 'live'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
