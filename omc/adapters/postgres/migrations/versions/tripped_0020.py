"""Which losses have tripped a switch: those alone are measured anew when it is reset."""

from alembic import op

revision = "0020_tripped"
down_revision = "0018_streams"

_STATEMENTS = (
    "ALTER TABLE risk_standings ADD tripped boolean NOT NULL DEFAULT false",
    # Whatever tripped one before is measured anew at its reset, as it would have been.
    "UPDATE risk_standings SET tripped = true",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
