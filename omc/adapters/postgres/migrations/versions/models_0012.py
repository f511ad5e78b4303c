"""Fitted models: their content, which nothing here reads, and what they were fitted with; and the runs that use one."""

from alembic import op

revision = "0012_models"
down_revision = "0011_usage"

_STATEMENTS = (
    """
    CREATE TABLE fitted_models (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        algorithm_id uuid NOT NULL REFERENCES algorithms ON DELETE CASCADE,
        algorithm_version integer NOT NULL,
        content_hash varchar(64) NOT NULL,
        content bytea NOT NULL,
        size_bytes bigint NOT NULL,
        lineage_hash varchar(64) NOT NULL,
        lineage jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (algorithm_id, content_hash, lineage_hash)
    )
    """,
    "CREATE INDEX fitted_models_user_id ON fitted_models (user_id)",
    # No reference: a run keeps the name of a model that was deleted, and fails rather than run without it.
    "ALTER TABLE algorithm_backtest_runs ADD model_id uuid",
    "ALTER TABLE sweeps ADD model_id uuid",
    # A deployment holds on to its model.
    "ALTER TABLE deployed_algorithms ADD model_id uuid REFERENCES fitted_models",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
