"""How a sweep searches: folds, pruning, and the figures of each point by fold and by block."""

from alembic import op

revision = "0007_search"
down_revision = "0006_journal"

_STATEMENTS: tuple[str, ...] = (
    """
    ALTER TABLE sweeps
        ADD folds integer NOT NULL DEFAULT 0,
        ADD scheme varchar(20) NOT NULL DEFAULT 'anchored' CHECK (scheme IN ('anchored', 'rolling')),
        ADD purge_bars integer NOT NULL DEFAULT 0,
        ADD embargo_bars integer NOT NULL DEFAULT 0,
        ADD prune boolean NOT NULL DEFAULT false,
        ADD failed integer NOT NULL DEFAULT 0,
        ADD pruned integer NOT NULL DEFAULT 0,
        ADD figures text[] NOT NULL DEFAULT '{}',
        ADD driver text
    """,
    # A point's figures are in the order of its sweep's names, NaN where there is none.
    """
    ALTER TABLE trials
        ADD figures float8[] NOT NULL DEFAULT '{}',
        ADD fold_scores float8[] NOT NULL DEFAULT '{}',
        ADD blocks bytea,
        ADD pruned_after smallint,
        ADD traceback text
    """,
    """
    UPDATE sweeps SET figures = found.names, failed = found.failed FROM (
        SELECT sweep_id, array_agg(DISTINCT name) FILTER (WHERE name IS NOT NULL) AS names,
            count(DISTINCT index) FILTER (WHERE error_message IS NOT NULL) AS failed
        FROM trials LEFT JOIN LATERAL jsonb_object_keys(metrics) AS name ON true GROUP BY sweep_id
    ) AS found WHERE found.sweep_id = sweeps.id AND found.names IS NOT NULL
    """,
    """
    UPDATE trials SET figures = ARRAY(
        SELECT coalesce(CAST(trials.metrics ->> name AS float8), 'NaN')
        FROM unnest(sweeps.figures) WITH ORDINALITY AS named (name, place) ORDER BY place
    ) FROM sweeps WHERE sweeps.id = trials.sweep_id
    """,
    "ALTER TABLE trials DROP metrics",
    # Thousands of points are written at once, and looked up by their sweep alone.
    "ALTER TABLE trials ALTER blocks SET STORAGE EXTERNAL",
    "CREATE INDEX sweeps_unfinished ON sweeps (created_at) WHERE status IN ('queued', 'running')",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
