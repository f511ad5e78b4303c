"""What limits are held against, and every switch that is on."""

from alembic import op

revision = "0014_risk"
down_revision = "0013_orders"

_STATEMENTS = (
    # Without a user a switch is the whole platform's, without a deployment an account's.
    "ALTER TABLE kill_switches DROP CONSTRAINT kill_switches_pkey",
    """
    ALTER TABLE kill_switches
        ALTER user_id DROP NOT NULL,
        ADD deployment_id uuid REFERENCES deployed_algorithms ON DELETE CASCADE,
        ADD level varchar(20) NOT NULL DEFAULT 'all' CHECK (level IN ('all', 'adding')),
        ADD CHECK (user_id IS NOT NULL OR deployment_id IS NULL)
    """,
    """
    CREATE UNIQUE INDEX kill_switches_place ON kill_switches (
        coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid),
        coalesce(deployment_id, '00000000-0000-0000-0000-000000000000'::uuid)
    )
    """,
    """
    CREATE TABLE risk_limits (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        limits jsonb NOT NULL DEFAULT '{}',
        time_zone text NOT NULL DEFAULT 'UTC',
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # A place is a deployment, or all of an account, or of the platform, in one mode.
    """
    CREATE TABLE risk_standings (
        place varchar(100) PRIMARY KEY,
        user_id uuid REFERENCES users ON DELETE CASCADE,
        deployment_id uuid REFERENCES deployed_algorithms ON DELETE CASCADE,
        day date NOT NULL,
        opening numeric(20,8) NOT NULL,
        peak numeric(20,8) NOT NULL,
        capital numeric(20,8) NOT NULL,
        told text[] NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX risk_standings_user_id ON risk_standings (user_id)",
    "CREATE INDEX risk_standings_deployment_id ON risk_standings (deployment_id)",
    "CREATE INDEX kill_switches_deployment_id ON kill_switches (deployment_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
