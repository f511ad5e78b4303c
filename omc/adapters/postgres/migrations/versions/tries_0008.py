"""Every try that touched an algorithm, counted for good."""

from alembic import op

revision = "0008_tries"
down_revision = "0007_search"

# What is stored already was tried; how long its ratios were measured is not known.
_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE tries (
        source_id uuid PRIMARY KEY,
        algorithm_id uuid NOT NULL REFERENCES algorithms ON DELETE CASCADE,
        tried integer NOT NULL,
        measured integer NOT NULL,
        mean_sharpe float8 NOT NULL,
        squares float8 NOT NULL,
        powers float8[] NOT NULL
    )
    """,
    "CREATE INDEX tries_algorithm_id ON tries (algorithm_id)",
    """
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares, powers)
    SELECT sweeps.id, sweeps.algorithm_id, count(*), 0, 0, 0, '{0,0,0,0}'
    FROM sweeps JOIN trials ON trials.sweep_id = sweeps.id GROUP BY sweeps.id
    """,
    """
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares, powers)
    SELECT id, algorithm_id, 1, 0, 0, 0, '{0,0,0,0}'
    FROM algorithm_backtest_runs WHERE status IN ('completed', 'failed')
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
