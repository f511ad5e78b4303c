"""The glass, human and catalyst ledgers: observations with the times that keep a backtest honest."""

from alembic import op

revision = "0003_ledgers"
down_revision = "0002_prices"

_TIMES = """
        event_time timestamptz NOT NULL,
        published_time timestamptz,
        seen_time timestamptz NOT NULL DEFAULT now(),
        source varchar(50) NOT NULL,
        revision integer NOT NULL DEFAULT 0
"""


def _sentiment(table: str) -> tuple[str, ...]:
    return (
        f"""
        CREATE TABLE {table} (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            title text NOT NULL,
            url text,
            coins text[] NOT NULL DEFAULT '{{}}',
            sentiment_score float8,
            sentiment_label varchar(20),
            votes jsonb,
            source_id varchar(255) NOT NULL,
            {_TIMES},
            UNIQUE (source, source_id, revision)
        )
        """,
        f"CREATE INDEX {table}_seen_time ON {table} (seen_time)",
        f"CREATE INDEX {table}_coins ON {table} USING gin (coins)",
    )


_STATEMENTS = (
    f"""
    CREATE TABLE protocol_fundamentals (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        protocol varchar(100) NOT NULL,
        chain varchar(100) NOT NULL DEFAULT '',
        metric varchar(100) NOT NULL,
        value float8 NOT NULL,
        {_TIMES},
        UNIQUE (source, protocol, chain, metric, event_time, revision)
    )
    """,
    "CREATE INDEX protocol_fundamentals_seen_time ON protocol_fundamentals (seen_time)",
    *_sentiment("news_sentiment"),
    *_sentiment("social_sentiment"),
    f"""
    CREATE TABLE catalyst_events (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        type varchar(50) NOT NULL,
        priority varchar(20) NOT NULL DEFAULT 'normal',
        title text NOT NULL,
        url text,
        coins text[] NOT NULL DEFAULT '{{}}',
        source_id varchar(255) NOT NULL,
        detected_at timestamptz NOT NULL DEFAULT now(),
        {_TIMES},
        UNIQUE (source, source_id, revision)
    )
    """,
    "CREATE INDEX catalyst_events_seen_time ON catalyst_events (seen_time)",
    "CREATE INDEX catalyst_events_coins ON catalyst_events USING gin (coins)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
