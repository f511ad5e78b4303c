"""What was reset last in each place: a halt that is stored late must not halt it anew."""

from alembic import op

revision = "0024_ended"
down_revision = "0022_volumes"

_STATEMENTS = (
    """
    CREATE TABLE ended_halts (
        user_id uuid REFERENCES users ON DELETE CASCADE,
        deployment_id uuid REFERENCES deployed_algorithms ON DELETE CASCADE,
        since timestamptz NOT NULL,
        reason text NOT NULL,
        level varchar(20) NOT NULL CHECK (level IN ('all', 'adding')),
        CHECK (user_id IS NOT NULL OR deployment_id IS NULL)
    )
    """,
    """
    CREATE UNIQUE INDEX ended_halts_place ON ended_halts (
        coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid),
        coalesce(deployment_id, '00000000-0000-0000-0000-000000000000'::uuid)
    )
    """,
    "CREATE INDEX ended_halts_deployment_id ON ended_halts (deployment_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
