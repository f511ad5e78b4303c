"""Every try that touched an algorithm, counted for good."""

from alembic import op

revision = "0008_tries"
down_revision = "0007_search"

# Of what is stored already, what can be told.
_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE tries (
        source_id uuid PRIMARY KEY,
        algorithm_id uuid NOT NULL REFERENCES algorithms ON DELETE CASCADE,
        tried integer NOT NULL,
        measured integer NOT NULL,
        mean_sharpe float8 NOT NULL,
        squares float8 NOT NULL
    )
    """,
    "CREATE INDEX tries_algorithm_id ON tries (algorithm_id)",
    """
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares)
    SELECT sweeps.id, sweeps.algorithm_id, count(*), count(sharpe), coalesce(avg(sharpe), 0),
        coalesce(var_pop(sharpe) * count(sharpe), 0)
    FROM sweeps JOIN trials ON trials.sweep_id = sweeps.id, LATERAL (
        SELECT nullif(trials.figures[array_position(sweeps.figures, 'sharpe')], 'NaN') AS sharpe
    ) AS point
    GROUP BY sweeps.id
    """,
    """
    INSERT INTO tries (source_id, algorithm_id, tried, measured, mean_sharpe, squares)
    SELECT id, algorithm_id, 1, CASE WHEN sharpe IS NULL THEN 0 ELSE 1 END, coalesce(sharpe, 0), 0
    FROM (
        SELECT id, algorithm_id, CAST(results -> 'metrics' ->> 'sharpe' AS float8) AS sharpe
        FROM algorithm_backtest_runs WHERE status IN ('completed', 'failed')
    ) AS ended
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
