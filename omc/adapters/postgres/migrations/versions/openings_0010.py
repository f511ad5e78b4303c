"""What a trader remembers besides of the positions that it holds: where each was opened, and why what leaves leaves."""

from alembic import op

revision = "0010_openings"
down_revision = "0009_curves"


def upgrade() -> None:
    # For each of a deployment's coins; null where there is none, or as the position says.
    op.execute("ALTER TABLE trader_memory ADD openings float8[], ADD leaving text[]")
