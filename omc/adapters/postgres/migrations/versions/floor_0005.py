"""The floor: deployments and their accounts, orders, trades, positions, and what guards them."""

from alembic import op

revision = "0005_floor"
down_revision = "0004_lab"

_DEPLOYMENTS = (
    """
    CREATE TABLE deployed_algorithms (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        algorithm_id uuid NOT NULL,
        algorithm_version integer NOT NULL,
        algorithm_type varchar(50) NOT NULL,
        user_id uuid NOT NULL REFERENCES users,
        deployment_name varchar(255) NOT NULL,
        status varchar(20) NOT NULL CHECK (status IN ('active', 'paused', 'stopped')),
        mode varchar(20) NOT NULL DEFAULT 'paper' CHECK (mode IN ('paper', 'live')),
        venue varchar(20) NOT NULL DEFAULT 'coinspot',
        coins jsonb NOT NULL,
        parameters jsonb NOT NULL DEFAULT '{}',
        risk_limits jsonb NOT NULL,
        cash numeric(20,8) NOT NULL CHECK (cash >= 0),
        rebalance_band float8 NOT NULL,
        deployed_at timestamptz NOT NULL DEFAULT now(),
        last_executed_at timestamptz,
        last_signal_at timestamptz,
        heartbeat_at timestamptz,
        execution_count integer NOT NULL DEFAULT 0,
        last_error text,
        FOREIGN KEY (algorithm_id, algorithm_version) REFERENCES algorithm_versions (algorithm_id, version),
        CONSTRAINT deployed_algorithms_name UNIQUE (user_id, deployment_name)
    )
    """,
    "CREATE INDEX deployed_algorithms_user_id ON deployed_algorithms (user_id)",
    "CREATE INDEX deployed_algorithms_status ON deployed_algorithms (status)",
    "CREATE INDEX deployed_algorithms_algorithm_id ON deployed_algorithms (algorithm_id)",
    """
    CREATE TABLE deployment_accounts (
        deployed_algorithm_id uuid PRIMARY KEY REFERENCES deployed_algorithms,
        deposited numeric(20,8) NOT NULL,
        cash numeric(20,8) NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE trader_memory (
        deployed_algorithm_id uuid PRIMARY KEY REFERENCES deployed_algorithms,
        done_until timestamptz,
        decided_at timestamptz,
        targets float8[],
        stopped boolean[],
        rebalance_quoted_at timestamptz,
        rebalance_equity float8,
        rebalance_targets float8[],
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)

_MONEY = (
    """
    CREATE TABLE orders (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        seq bigserial UNIQUE,
        user_id uuid NOT NULL REFERENCES users,
        deployed_algorithm_id uuid NOT NULL REFERENCES deployed_algorithms,
        client_order_id varchar(255) NOT NULL UNIQUE,
        venue varchar(20) NOT NULL,
        coinspot_order_id varchar(100),
        coin_type varchar(20) NOT NULL,
        side varchar(10) NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity numeric(20,8) NOT NULL CHECK (quantity > 0),
        price numeric(20,8) NOT NULL,
        kind varchar(20) NOT NULL CHECK (kind IN ('instant', 'market')),
        status varchar(20) NOT NULL CHECK (status IN (
            'intent', 'denied', 'submitted', 'unknown', 'accepted', 'partial', 'filled', 'cancelled', 'failed'
        )),
        filled_quantity numeric(20,8) NOT NULL DEFAULT 0,
        error_message text,
        reason text NOT NULL DEFAULT '',
        quoted_at timestamptz NOT NULL,
        decided_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT orders_venue_order UNIQUE (venue, coinspot_order_id)
    )
    """,
    "CREATE INDEX orders_user_id ON orders (user_id, seq DESC)",
    "CREATE INDEX orders_deployed_algorithm_id ON orders (deployed_algorithm_id, seq DESC)",
    "CREATE INDEX orders_status ON orders (status)",
    """
    CREATE TABLE trades (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        seq bigserial UNIQUE,
        user_id uuid NOT NULL REFERENCES users,
        deployed_algorithm_id uuid NOT NULL REFERENCES deployed_algorithms,
        order_id uuid NOT NULL REFERENCES orders,
        fill_id varchar(255) NOT NULL,
        coin_type varchar(20) NOT NULL,
        side varchar(10) NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity numeric(20,8) NOT NULL CHECK (quantity > 0),
        price numeric(20,8) NOT NULL,
        total_value numeric(20,8) NOT NULL,
        fees numeric(20,8) NOT NULL,
        realized_pnl numeric(20,8) NOT NULL DEFAULT 0,
        coinspot_order_id varchar(100),
        status varchar(20) NOT NULL DEFAULT 'filled'
            CHECK (status IN ('pending', 'filled', 'partial', 'cancelled', 'failed')),
        executed_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT trades_fill UNIQUE (deployed_algorithm_id, fill_id)
    )
    """,
    "CREATE INDEX trades_user_id ON trades (user_id, executed_at DESC)",
    "CREATE INDEX trades_deployed_algorithm_id ON trades (deployed_algorithm_id, executed_at DESC)",
    "CREATE INDEX trades_created_at ON trades (created_at DESC)",
    "CREATE INDEX trades_coin_type ON trades (coin_type)",
    "CREATE INDEX trades_order_id ON trades (order_id)",
    "ALTER TABLE orders ADD trade_id uuid REFERENCES trades",
    "CREATE INDEX orders_trade_id ON orders (trade_id)",
    """
    CREATE TABLE positions (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id uuid NOT NULL REFERENCES users,
        deployed_algorithm_id uuid NOT NULL REFERENCES deployed_algorithms,
        coin_type varchar(20) NOT NULL,
        quantity numeric(20,8) NOT NULL CHECK (quantity >= 0),
        avg_entry_price numeric(20,8) NOT NULL,
        current_price numeric(20,8),
        unrealized_pnl numeric(20,8),
        realized_pnl numeric(20,8) NOT NULL DEFAULT 0,
        fees numeric(20,8) NOT NULL DEFAULT 0,
        cost numeric(20,8) NOT NULL DEFAULT 0,
        opening_price numeric(20,8),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (user_id, deployed_algorithm_id, coin_type)
    )
    """,
    "CREATE INDEX positions_deployed_algorithm_id ON positions (deployed_algorithm_id)",
)

_GUARDS = (
    """
    CREATE TABLE leases (
        name varchar(400) PRIMARY KEY,
        epoch bigint NOT NULL,
        holder text NOT NULL,
        taken_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE kill_switches (
        user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
        since timestamptz NOT NULL DEFAULT now(),
        reason text NOT NULL
    )
    """,
    """
    CREATE TABLE venue_nonces (
        account varchar(255) PRIMARY KEY,
        nonce bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE idempotency_keys (
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        operation varchar(50) NOT NULL,
        key varchar(255) NOT NULL,
        resource_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (user_id, operation, key)
    )
    """,
)


def upgrade() -> None:
    for statement in (*_DEPLOYMENTS, *_MONEY, *_GUARDS):
        op.execute(statement)
