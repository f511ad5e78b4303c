"""When a deployment's algorithm is asked, and what its trader must hear of before it goes on."""

from alembic import op

revision = "0017_triggers"
down_revision = "0016_vault"

_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE trader_notices (
        deployed_algorithm_id uuid NOT NULL REFERENCES deployed_algorithms,
        number integer NOT NULL CHECK (number > 0),
        kind varchar(10) NOT NULL CHECK (kind IN ('out', 'in', 'moved')),
        coins text[] NOT NULL,
        idempotency_key varchar(200),
        done boolean NOT NULL,
        noticed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (deployed_algorithm_id, number),
        UNIQUE (deployed_algorithm_id, idempotency_key)
    )
    """,
    "CREATE INDEX trader_notices_unfinished ON trader_notices (noticed_at) WHERE NOT done",
    # How many notices there are, and the newest that the memory has heard of.
    "ALTER TABLE trader_memory ADD notices integer NOT NULL DEFAULT 0, ADD heard integer NOT NULL DEFAULT 0",
    # The weights that were decided last, where an algorithm is not asked on every bar.
    "ALTER TABLE trader_memory ADD wanted float8[]",
    "ALTER TABLE deployed_algorithms ADD triggers jsonb NOT NULL DEFAULT '[]'",
    "ALTER TABLE algorithm_backtest_runs ADD triggers jsonb NOT NULL DEFAULT '[]'",
    "ALTER TABLE sweeps ADD triggers jsonb NOT NULL DEFAULT '[]'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
