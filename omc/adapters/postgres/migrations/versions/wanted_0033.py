"""When it was last said what a deployment is to do: an activation that was asked for before comes too late."""

from alembic import op

revision = "0033_wanted"
down_revision = "0032_requests"


def upgrade() -> None:
    op.execute("ALTER TABLE deployed_algorithms ADD COLUMN wanted_at timestamptz NOT NULL DEFAULT clock_timestamp()")
