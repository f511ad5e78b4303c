"""The lab: algorithms and their versions, backtests, sweeps with every point tried, research sessions."""

from alembic import op

revision = "0004_lab"
down_revision = "0003_ledgers"

# What a backtest and a sweep are about: `start_date` and `end_date` are the published columns, the times are exact.
_SPEC = """
        algorithm_id uuid NOT NULL REFERENCES algorithms ON DELETE CASCADE,
        algorithm_version integer NOT NULL DEFAULT 1,
        algorithm_type varchar(50) NOT NULL,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        start_date date NOT NULL,
        end_date date NOT NULL,
        start_time timestamptz NOT NULL,
        end_time timestamptz NOT NULL,
        coins jsonb NOT NULL,
        parameters jsonb NOT NULL DEFAULT '{}',
        initial_cash numeric(20,8) NOT NULL,
        rebalance_band float8 NOT NULL,
        status varchar(20) NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
        error_message text,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        completed_at timestamptz
"""

_STATEMENTS = (
    """
    CREATE TABLE algorithms (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        name varchar(255) NOT NULL,
        description text,
        algorithm_type varchar(50) NOT NULL,
        code text,
        parameters jsonb NOT NULL DEFAULT '{}',
        status varchar(20) NOT NULL DEFAULT 'draft'
            CHECK (status IN ('draft', 'validated', 'deployable', 'deployed')),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
    )
    """,
    "CREATE INDEX algorithms_user_id ON algorithms (user_id)",
    "CREATE INDEX algorithms_status ON algorithms (status)",
    """
    CREATE TABLE algorithm_versions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        algorithm_id uuid NOT NULL REFERENCES algorithms ON DELETE CASCADE,
        version integer NOT NULL,
        code text,
        parameters jsonb NOT NULL DEFAULT '{}',
        content_hash varchar(64) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (algorithm_id, version)
    )
    """,
    f"""
    CREATE TABLE sweeps (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        {_SPEC},
        space jsonb NOT NULL,
        method varchar(20) NOT NULL,
        points integer NOT NULL,
        seed bigint NOT NULL,
        objective varchar(50) NOT NULL,
        done integer NOT NULL DEFAULT 0,
        best jsonb
    )
    """,
    "CREATE INDEX sweeps_user_id ON sweeps (user_id, created_at DESC)",
    "CREATE INDEX sweeps_algorithm_id ON sweeps (algorithm_id)",
    """
    CREATE TABLE trials (
        sweep_id uuid NOT NULL REFERENCES sweeps ON DELETE CASCADE,
        index integer NOT NULL,
        parameters jsonb NOT NULL,
        metrics jsonb NOT NULL,
        error_message text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (sweep_id, index)
    )
    """,
    f"""
    CREATE TABLE algorithm_backtest_runs (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        {_SPEC},
        sweep_id uuid REFERENCES sweeps ON DELETE SET NULL,
        progress float8 NOT NULL DEFAULT 0,
        results jsonb,
        execution_time_seconds numeric(10,2)
    )
    """,
    "CREATE INDEX algorithm_backtest_runs_algorithm_id ON algorithm_backtest_runs (algorithm_id)",
    "CREATE INDEX algorithm_backtest_runs_user_id ON algorithm_backtest_runs (user_id)",
    "CREATE INDEX algorithm_backtest_runs_created_at ON algorithm_backtest_runs (created_at DESC)",
    """
    CREATE INDEX algorithm_backtest_runs_waiting ON algorithm_backtest_runs (created_at)
        WHERE status IN ('queued', 'running')
    """,
    """
    CREATE TABLE agent_sessions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        goal text NOT NULL,
        status varchar(20) NOT NULL DEFAULT 'queued',
        plan jsonb,
        messages jsonb NOT NULL DEFAULT '[]',
        cost numeric(20,8) NOT NULL DEFAULT 0,
        model_used varchar(100),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX agent_sessions_user_id ON agent_sessions (user_id)",
    """
    CREATE TABLE agent_artifacts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        session_id uuid NOT NULL REFERENCES agent_sessions ON DELETE CASCADE,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        kind varchar(50) NOT NULL,
        name varchar(255) NOT NULL,
        link text NOT NULL,
        content_hash varchar(64) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX agent_artifacts_user_id ON agent_artifacts (user_id)",
    "CREATE INDEX agent_artifacts_session_id ON agent_artifacts (session_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
