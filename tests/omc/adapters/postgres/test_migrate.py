"""The migrated schema is the published one, and migrating again or together changes nothing."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from omc.adapters.postgres import dsn, migrations
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.migrate import migrate
from omc.errors import Refused, Unavailable
from omc.promotion.trials import Tally
from tests.omc.adapters.postgres.dropping import drop

pytestmark = pytest.mark.postgres

OWNED = "id uuid, user_id uuid"
STAMPED = "created_at timestamptz, updated_at timestamptz"
KEYS = f"is_validated bool, last_validated_at timestamptz, {STAMPED}"
OBSERVED = "event_time timestamptz, published_time timestamptz, seen_time timestamptz, source varchar, revision int4"
SENTIMENT = (
    f"title text, url text, coins _text, sentiment_score float8, sentiment_label varchar, votes jsonb, {OBSERVED}"
)

# The published columns and what they were widened by; money is numeric(20,8) wherever somebody owns it.
PUBLISHED = {
    "users": f"""id uuid, email varchar(255), hashed_password varchar(255), full_name varchar(255), is_active bool,
        is_superuser bool, {STAMPED}, tokens_valid_from timestamptz, deleted_at timestamptz""",
    "coinspot_credentials": f"{OWNED}, api_key_encrypted bytea, api_secret_encrypted bytea, {KEYS}",
    "exchange_credentials": f"{OWNED}, exchange varchar, api_key_encrypted bytea, api_secret_encrypted bytea, {KEYS}",
    "llm_credentials": f"{OWNED}, provider varchar, api_key_encrypted bytea, {KEYS}",
    "price_data_5min": """id int8, timestamp timestamptz, coin_type varchar(20), bid float8, ask float8, last float8,
        created_at timestamptz, venue varchar, seen_time timestamptz""",
    "algorithms": f"""{OWNED}, name varchar(255), description text, algorithm_type varchar(50), code text,
        parameters jsonb, status varchar(20), version int4, {STAMPED}""",
    "algorithm_versions": """id uuid, algorithm_id uuid, version int4, code text, parameters jsonb,
        created_at timestamptz, content_hash varchar""",
    "algorithm_backtest_runs": f"""{OWNED}, algorithm_id uuid, start_date date, end_date date, coins jsonb,
        parameters jsonb, results jsonb, execution_time_seconds numeric(10,2), status varchar(20), error_message text,
        created_at timestamptz, completed_at timestamptz, algorithm_version int4, sweep_id uuid""",
    "deployed_algorithms": f"""{OWNED}, algorithm_id uuid, deployment_name varchar(255), status varchar(20),
        coins jsonb, parameters jsonb, risk_limits jsonb, deployed_at timestamptz, last_executed_at timestamptz,
        last_signal_at timestamptz, execution_count int4, algorithm_version int4, mode varchar, venue varchar,
        cash numeric(20,8), heartbeat_at timestamptz, wanted_at timestamptz""",
    "positions": f"""{OWNED}, deployed_algorithm_id uuid, coin_type varchar(20), quantity numeric(20,8),
        avg_entry_price numeric(20,8), current_price numeric(20,8), unrealized_pnl numeric(20,8),
        updated_at timestamptz, realized_pnl numeric(20,8), fees numeric(20,8)""",
    "trades": f"""{OWNED}, deployed_algorithm_id uuid, coin_type varchar(20), side varchar, quantity numeric(20,8),
        price numeric(20,8), total_value numeric(20,8), fees numeric(20,8), coinspot_order_id varchar(100),
        status varchar, executed_at timestamptz, created_at timestamptz""",
    "orders": f"""{OWNED}, trade_id uuid, coinspot_order_id varchar(100), coin_type varchar(20), side varchar,
        quantity numeric(20,8), price numeric(20,8), status varchar, error_message text, {STAMPED},
        deployed_algorithm_id uuid, client_order_id varchar, filled_quantity numeric(20,8)""",
    "protocol_fundamentals": f"id uuid, protocol varchar, chain varchar, metric varchar, value float8, {OBSERVED}",
    "news_sentiment": f"id uuid, {SENTIMENT}",
    "social_sentiment": f"id uuid, {SENTIMENT}",
    "catalyst_events": f"""id uuid, type varchar, priority varchar, title text, url text, coins _text, {OBSERVED},
        detected_at timestamptz""",
    "agent_sessions": f"""{OWNED}, goal text, status varchar, plan jsonb, messages jsonb, cost numeric(20,8),
        model_used varchar, {STAMPED}""",
    "agent_artifacts": f"{OWNED}, session_id uuid, kind varchar, link text, content_hash varchar",
}
INTERNAL = {
    "request_rates": "key text, made_up_us int8",
    "journal": "seq int8, user_id uuid, deployment_id uuid, kind varchar, data jsonb, recorded_at timestamptz",
    "sweeps": f"{OWNED}, algorithm_id uuid, space jsonb, points int4, done int4, best jsonb, status varchar",
    "trials": "sweep_id uuid, index int4, parameters jsonb, figures _float8",
    "audit": """account uuid, seq int8, at timestamptz, actor varchar(64), action varchar(100), subject varchar(300),
        details jsonb, address varchar(100), request_id varchar(128), previous bpchar, hash bpchar""",
    "audit_heads": "account uuid, seq int8, previous bpchar, hash bpchar",
    "cpu_usage": "user_id uuid, day date, cpu_s float8",
    "tries": """source_id uuid, algorithm_id uuid, tried int4, measured int4, mean_sharpe float8, squares float8,
        powers _float8""",
    "trader_memory": "deployed_algorithm_id uuid, done_until timestamptz, targets _float8, stopped _bool",
    "deployment_accounts": "deployed_algorithm_id uuid, deposited numeric(20,8), cash numeric(20,8)",
    "leases": "name varchar, epoch int8, holder text",
    "kill_switches": "user_id uuid, deployment_id uuid, since timestamptz, reason text, level varchar",
    "risk_limits": "user_id uuid, limits jsonb, time_zone text",
    "risk_standings": """place varchar, user_id uuid, deployment_id uuid, day date, opening numeric(20,8),
        peak numeric(20,8), capital numeric(20,8), told _text""",
    "venue_nonces": "account varchar, nonce int8",
    "login_attempts": "place varchar(200), failures int4, last_at timestamptz, blocked_until timestamptz",
    "login_addresses": "account varchar(64), address varchar(64), last_at timestamptz",
    "refresh_families": "id uuid, user_id uuid, revoked_at timestamptz",
    "refresh_tokens": "digest varchar, family_id uuid, expires_at timestamptz, spent_at timestamptz",
    "api_tokens": f"""{OWNED}, name varchar(255), scopes _text, digest varchar(64), created_at timestamptz,
        expires_at timestamptz, last_used_at timestamptz""",
    "second_factors": f"""{OWNED}, secret_encrypted bytea, created_at timestamptz, confirmed_at timestamptz,
        last_step int8, tries int4, closed_until timestamptz""",
    "recovery_codes": "second_factor_id uuid, digest varchar(64), spent_at timestamptz",
    "keyed_requests": "user_id uuid, key varchar, fingerprint bytea, operation uuid, status int4, body bytea",
    "done_operations": "operation uuid, answer jsonb, done_at timestamptz",
}
# A unique constraint or index, as the columns that it stands on.
UNIQUE = {
    ("users", "lower((email)::text)"),
    ("coinspot_credentials", "user_id"),
    ("exchange_credentials", "user_id,exchange"),
    ("second_factors", "user_id"),
    ("recovery_codes", "second_factor_id,digest"),
    ("price_data_5min", 'coin_type,"timestamp",venue'),
    ("algorithm_versions", "algorithm_id,version"),
    ("deployed_algorithms", "user_id,deployment_name"),
    ("positions", "user_id,deployed_algorithm_id,coin_type"),
    ("trades", "deployed_algorithm_id,fill_id"),
    ("orders", "client_order_id"),
    ("orders", "venue,coinspot_order_id"),
    ("trials", "sweep_id,index"),
    ("protocol_fundamentals", "source,protocol,chain,metric,event_time,revision"),
    ("news_sentiment", "source,source_id,revision"),
    ("social_sentiment", "source,source_id,revision"),
    ("catalyst_events", "source,source_id,revision"),
}
# Some index begins with these columns.
INDEXED = {
    ("price_data_5min", '"timestamp" DESC'),
    ("price_data_5min", 'coin_type,"timestamp"'),
    ("api_tokens", "user_id"),
    ("algorithms", "user_id"),
    ("algorithms", "status"),
    ("algorithm_backtest_runs", "algorithm_id"),
    ("algorithm_backtest_runs", "user_id"),
    ("algorithm_backtest_runs", "created_at DESC"),
    ("deployed_algorithms", "user_id"),
    ("deployed_algorithms", "status"),
    ("deployed_algorithms", "algorithm_id"),
    ("trades", "user_id"),
    ("trades", "deployed_algorithm_id"),
    ("trades", "created_at DESC"),
    ("trades", "coin_type"),
    ("orders", "user_id"),
    ("orders", "trade_id"),
    ("orders", "status"),
    *((table, "seen_time") for table in ("protocol_fundamentals", "news_sentiment", "social_sentiment")),
    ("catalyst_events", "seen_time"),
    *((table, "coins") for table in ("news_sentiment", "social_sentiment", "catalyst_events")),
    ("agent_sessions", "user_id"),
    ("agent_artifacts", "user_id"),
}


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn.read(database.dsn_file), autocommit=True) as opened:
        yield opened


def columns(connection: psycopg.Connection, table: str) -> set[str]:
    query = """
        SELECT attname, typname, CASE WHEN typname IN ('varchar', 'numeric') THEN
            substring(format_type(atttypid, atttypmod) FROM '\\(.*\\)') END
        FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    """
    found = connection.execute(query, (table,)).fetchall()
    return {f"{name} {kind}" for name, kind, _ in found} | {f"{name} {kind}{size or ''}" for name, kind, size in found}


@pytest.mark.parametrize(("table", "published"), [*PUBLISHED.items(), *INTERNAL.items()])
def test_every_published_column_is_there_with_its_type(connection: psycopg.Connection, table: str, published: str):
    wanted = {each.strip() for each in re.split(r",(?![^(]*\))", re.sub(r"\s+", " ", published))}
    assert wanted - columns(connection, table) == set()


def test_every_published_constraint_and_index_is_there(connection: psycopg.Connection):
    query = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    indexes = [
        (table, re.search(r"USING \w+ \((.*)\)", definition)[1].replace(", ", ","), " UNIQUE " in definition)
        for table, definition in connection.execute(query)
    ]
    assert UNIQUE - {(table, on) for table, on, unique in indexes if unique} == set()
    for table, wanted in INDEXED:
        assert any(t == table and on.startswith(wanted) for t, on, _ in indexes), (table, wanted)


def test_ids_are_generated_and_every_time_has_a_zone(connection: psycopg.Connection):
    naive = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
    ).fetchall()
    assert naive == []
    for table in PUBLISHED.keys() - {"price_data_5min"}:
        default = connection.execute(
            "SELECT column_default FROM information_schema.columns WHERE table_name = %s AND column_name = 'id'",
            (table,),
        ).fetchone()
        assert default == ("gen_random_uuid()",), table


def test_prices_are_partitioned_by_month_in_utc(connection: psycopg.Connection):
    connection.execute("SET timezone = 'Australia/Sydney'")
    connection.execute("SELECT price_data_5min_month('2025-02-01')")
    connection.execute("SET timezone = 'UTC'")
    bounds = connection.execute(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'price_data_5min_202502'"
    ).fetchone()
    assert bounds == ("FOR VALUES FROM ('2025-02-01 00:00:00+00') TO ('2025-03-01 00:00:00+00')",)


def test_migrating_again_changes_nothing(database: Database, connection: psycopg.Connection):
    connection.execute("INSERT INTO leases (name, epoch, holder) VALUES ('kept', 7, 'x')")
    migrate(database)
    assert connection.execute("SELECT epoch FROM leases WHERE name = 'kept'").fetchone() == (7,)


@pytest.fixture
def empty(postgres_template: Path, tmp_path: Path) -> Iterator[Database]:
    address = dsn.read(postgres_template)
    with psycopg.connect(address.replace("/omc?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty TEMPLATE template1")
        dsn.write(tmp_path / "empty.dsn", address.replace("/omc?", "/empty?"))
        yield Database(tmp_path / "empty.dsn")
        drop(connection, "empty")


def test_several_boots_at_once_migrate_once(empty: Database):
    faults: list[BaseException] = []

    def boot() -> None:
        try:
            migrate(empty)
        except BaseException as fault:
            faults.append(fault)

    boots = [threading.Thread(target=boot) for _ in range(4)]
    for each in boots:
        each.start()
    for each in boots:
        each.join()
    assert faults == []
    with psycopg.connect(dsn.read(empty.dsn_file)) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


SPEC = "'trend', '00000000-0000-0000-0000-000000000001', '2025-01-01', '2025-02-01', now(), now(), '[]', 1000, 0.02"
SPEC_COLUMNS = """algorithm_type, user_id, start_date, end_date, start_time, end_time, coins, initial_cash,
    rebalance_band"""
# As the version before sweeps had folds stored it: a user, an algorithm, three points, and four backtests.
EARLIER = f"""
    INSERT INTO users (id, email, hashed_password) VALUES ('00000000-0000-0000-0000-000000000001', 'a@b.c', 'x');
    INSERT INTO algorithms (id, user_id, name, algorithm_type)
        VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'a', 'trend');
    INSERT INTO sweeps (id, algorithm_id, {SPEC_COLUMNS}, status, space, method, points, seed, objective)
        VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000002', {SPEC}, 'completed',
            '{{}}', 'grid', 3, 7, 'sharpe');
    INSERT INTO trials (sweep_id, index, parameters, metrics, error_message) VALUES
        ('00000000-0000-0000-0000-000000000003', 0, '{{}}', '{{"sharpe": 1.0, "trades": 3}}', NULL),
        ('00000000-0000-0000-0000-000000000003', 1, '{{}}', '{{"sharpe": 2.0, "trades": 4}}', NULL),
        ('00000000-0000-0000-0000-000000000003', 2, '{{}}', '{{"sharpe": null, "trades": null}}', 'it fell over');
    INSERT INTO algorithm_backtest_runs (algorithm_id, {SPEC_COLUMNS}, status, results)
        SELECT '00000000-0000-0000-0000-000000000002', {SPEC}, status, CAST(results AS jsonb) FROM (VALUES
            ('completed', '{{"metrics": {{"sharpe": 6.0}}, "trades": [], "equity": {{}}}}'),
            ('completed', '{{"metrics": {{"sharpe": null}}, "trades": [], "equity": {{}}}}'),
            ('failed', NULL), ('queued', NULL)) AS run (status, results)
"""


def test_what_was_tried_before_tries_were_counted_is_counted(empty: Database):
    address = dsn.read(empty.dsn_file)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(address), poolclass=NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0006_journal")
        connection.exec_driver_sql(EARLIER)
    migrate(empty)
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT tried, measured, mean_sharpe, squares, powers FROM tries").fetchall()
    assert sum((Tally(*row[:4], tuple(row[4])) for row in rows), Tally()) == Tally(6)


def test_a_migration_that_fails_leaves_nothing(empty: Database):
    with psycopg.connect(dsn.read(empty.dsn_file), autocommit=True) as connection:
        connection.execute("CREATE TABLE journal (x int)")
        with pytest.raises(Unavailable, match="journal"):
            migrate(empty)
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(query).fetchall() == [("journal",)]


def test_a_database_of_a_newer_version_is_refused(empty: Database):
    migrate(empty)
    with psycopg.connect(dsn.read(empty.dsn_file), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    with pytest.raises(Refused, match="newer version"):
        migrate(empty)


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path):
    dsn.write(tmp_path / "nowhere.dsn", "postgresql://u:secret@127.0.0.1:9/d")
    with pytest.raises(Unavailable) as fault:
        migrate(Database(tmp_path / "nowhere.dsn"))
    assert "secret" not in str(fault.value)
    assert "\n" not in str(fault.value)
