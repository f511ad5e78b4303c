"""What is said to PostgreSQL about sweeps and their points."""

# ruff: noqa: S608 - statements are composed of the constants below

from sqlalchemy import TextClause, text

from omc.adapters.postgres import specs, trial_decoder

SEARCH = """
    space, method, points, seed, objective, folds, scheme, purge_bars, embargo_bars, prune, status, done, failed,
    pruned, best, error_message, created_at, started_at, completed_at, driver
"""
COLUMNS = f"id, user_id, algorithm_id, algorithm_version, {specs.COLUMNS}, {SEARCH}"
CREATE = text(f"""
    INSERT INTO sweeps ({COLUMNS}) VALUES (
        :id, :user_id, :algorithm_id, :algorithm_version, {specs.VALUES}, CAST(:space AS jsonb), :method, :points,
        :seed, :objective, :folds, :scheme, :purge_bars, :embargo_bars, :prune, :status, :done, :failed, :pruned,
        CAST(:best AS jsonb), :error_message, :created_at, :started_at, :completed_at, :driver
    ) RETURNING {COLUMNS}
""")
GET = text(f"""
    SELECT {COLUMNS} FROM sweeps WHERE id = :id AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
""")
LOCK = text(f"SELECT {COLUMNS}, figures FROM sweeps WHERE id = :id FOR NO KEY UPDATE")
PAGE = text(f"""
    SELECT {COLUMNS} FROM sweeps WHERE user_id = :user_id ORDER BY created_at DESC, id OFFSET :offset LIMIT :limit
""")
COUNT = text("SELECT count(*) FROM sweeps WHERE user_id = :user_id")
UNFINISHED = text("SELECT id FROM sweeps WHERE status IN ('queued', 'running') ORDER BY created_at, id")
START = text(f"""
    UPDATE sweeps SET status = 'running', started_at = coalesce(started_at, now()) WHERE id = :id RETURNING {COLUMNS}
""")
# Rows that another driver is taking at this moment are passed by rather than waited for.
CLAIM = text(f"""
    UPDATE sweeps SET status = 'running', driver = :driver, started_at = coalesce(started_at, now()) WHERE id = (
        SELECT id FROM sweeps
        WHERE status = 'queued' AND (CAST(:id AS uuid) IS NULL OR id = :id)
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING {COLUMNS}
""")
ABANDON = text("""
    UPDATE sweeps SET status = 'failed', error_message = :why, completed_at = now()
    WHERE driver = :driver AND status = 'running'
""")
REOPEN = text(f"""
    UPDATE sweeps SET status = 'queued', driver = NULL, error_message = NULL, completed_at = NULL WHERE id = :id
    RETURNING {COLUMNS}
""")
FINISH = text(f"""
    UPDATE sweeps SET status = :status, error_message = :error_message, completed_at = now() WHERE id = :id
    RETURNING {COLUMNS}
""")
OVER = "error_message IS NOT NULL OR pruned_after IS NOT NULL OR cardinality(fold_scores) = CAST(:folds AS integer)"
REMOVE = text(f"""
    DELETE FROM trials WHERE sweep_id = :id AND index = ANY(CAST(:indices AS integer[]))
    RETURNING {OVER} AS over, error_message IS NOT NULL AS failed, pruned_after IS NOT NULL AS pruned
""")
COUNT_UP = text(f"""
    UPDATE sweeps SET done = done + :done, failed = failed + :failed, pruned = pruned + :pruned, figures = :figures,
        best = CAST(:best AS jsonb) WHERE id = :id RETURNING {COLUMNS}
""")
PRUNE = text("""
    UPDATE trials SET pruned_after = :folds_seen
    WHERE sweep_id = :id AND index = ANY(CAST(:indices AS integer[])) AND pruned_after IS NULL
""")
PRUNED = text(f"""
    UPDATE sweeps SET done = done + :more, pruned = pruned + :more WHERE id = :id RETURNING {COLUMNS}
""")
# Copied out, so that their parameters have numbers.
TRIED = f"""
    SELECT {trial_decoder.SELECTED} FROM trials WHERE sweep_id = $1 ORDER BY cardinality(fold_scores), index
"""
POINTS = f"""
    SELECT {trial_decoder.SELECTED} FROM trials WHERE sweep_id = $1 AND index = ANY($2::integer[])
"""
NAMES = text("SELECT figures FROM sweeps WHERE id = :id")
TRIALS = text("SELECT count(*) FROM trials WHERE sweep_id = :id")


def _indices(among: str) -> TextClause:
    """One array, where a sweep's would be a hundred thousand rows."""
    return text(f"SELECT ARRAY(SELECT index {among} OFFSET :offset LIMIT :limit)")


def _ranked(order: str) -> TextClause:
    return _indices(f"""
        FROM trials, LATERAL (SELECT nullif(figures[CAST(:place AS integer)], 'NaN') AS figure) AS measured
        WHERE sweep_id = :id ORDER BY {order}
    """)


BY_FIGURE = {
    descending: _ranked(
        f"figure IS NULL, cardinality(fold_scores) DESC, figure {'DESC' if descending else 'ASC'}, index"
    )
    for descending in (False, True)
}
BY_INDEX = {
    descending: _indices(f"FROM trials WHERE sweep_id = :id ORDER BY index {way}")
    for descending, way in ((False, "ASC"), (True, "DESC"))
}
