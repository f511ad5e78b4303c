"""Every try that touched an algorithm, counted for good."""

from alembic import op

revision = "0008_tries"
down_revision = "0007_search"

_STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
