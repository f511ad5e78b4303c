"""How a sweep searches: folds, pruning, and the figures of each point by fold and by block."""

from alembic import op

revision = "0007_search"
down_revision = "0006_journal"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
