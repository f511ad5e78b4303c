"""Whole curves of backtests, beside the figures."""

from alembic import op

revision = "0009_curves"
down_revision = "0008_tries"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
