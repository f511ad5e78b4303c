"""Whole curves of backtests, beside the figures; and what a trader remembers of the positions that it holds."""

from alembic import op

revision = "0009_curves"
down_revision = "0008_tries"

_STATEMENTS = (
    """
    CREATE TABLE backtest_curves (
        run_id uuid PRIMARY KEY REFERENCES algorithm_backtest_runs ON DELETE CASCADE,
        curve bytea NOT NULL,
        trades bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Compressed already.
    "ALTER TABLE backtest_curves ALTER curve SET STORAGE EXTERNAL, ALTER trades SET STORAGE EXTERNAL",
    *(
        f"ALTER TABLE {runs} ADD slippage_bps float8 NOT NULL DEFAULT 0, ADD latency_bars integer NOT NULL DEFAULT 0"
        for runs in ("algorithm_backtest_runs", "sweeps")
    ),
    # Results say how many trades there were; those that were listed in them, with a thinned curve, go.
    """
    UPDATE algorithm_backtest_runs
    SET results = (results - 'equity') || jsonb_build_object('trades', jsonb_array_length(results -> 'trades'))
    WHERE jsonb_typeof(results -> 'trades') = 'array'
    """,
)

_MEMORY = (
    # For each of a deployment's coins: the bars since its opening, and its trailing stop; null where there is none.
    "ALTER TABLE trader_memory ADD ages integer[], ADD trails float8[]",
)


def upgrade() -> None:
    for statement in (*_STATEMENTS, *_MEMORY):
        op.execute(statement)
