"""What each user has used of the processor, by day; and what a queue of backtests needs to be fair."""

from alembic import op

revision = "0011_usage"
down_revision = "0010_openings"

_STATEMENTS = (
    """
    CREATE TABLE cpu_usage (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        day date NOT NULL,
        cpu_s float8 NOT NULL CHECK (cpu_s >= 0),
        PRIMARY KEY (user_id, day)
    )
    """,
    # How often a run was begun: one that takes its worker with it each time is not begun for ever.
    "ALTER TABLE algorithm_backtest_runs ADD attempts integer NOT NULL DEFAULT 0",
    # When somebody was last served.
    "CREATE INDEX algorithm_backtest_runs_started ON algorithm_backtest_runs (user_id, started_at)",
    """
    CREATE INDEX sweeps_under_way ON sweeps (user_id) WHERE status IN ('queued', 'running')
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
