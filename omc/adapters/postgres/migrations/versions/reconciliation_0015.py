"""What the venues showed that our books did not know."""

from alembic import op

revision = "0015_reconciliation"
down_revision = "0014_risk"

_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE venue_accounts (
        account varchar(255) PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users,
        opening jsonb NOT NULL,
        movements integer NOT NULL DEFAULT 0,
        looked_until timestamptz,
        compared jsonb,
        opened_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX venue_accounts_user_id ON venue_accounts (user_id)",
    # What it did to the account, by coin, is in `external_changes`; what was there before us has done nothing.
    """
    CREATE TABLE external_fills (
        account varchar(255) NOT NULL REFERENCES venue_accounts,
        fill_id varchar(255) NOT NULL,
        venue_order_id varchar(100),
        coin_type varchar(20) NOT NULL,
        side varchar(10) NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity numeric(20,8) NOT NULL CHECK (quantity > 0),
        total_value numeric(20,8) NOT NULL,
        fees numeric(20,8) NOT NULL,
        executed_at timestamptz NOT NULL,
        found_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account, fill_id)
    )
    """,
    """
    CREATE TABLE external_orders (
        account varchar(255) NOT NULL REFERENCES venue_accounts,
        venue_order_id varchar(255) NOT NULL,
        coin_type varchar(20) NOT NULL,
        side varchar(10) NOT NULL CHECK (side IN ('buy', 'sell')),
        quantity numeric(20,8) NOT NULL CHECK (quantity > 0),
        price numeric(20,8) NOT NULL,
        found_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account, venue_order_id)
    )
    """,
    # Names of fills and orders that stood in the venue's lists before we first looked: never ours, and no change.
    """
    CREATE TABLE external_before (
        account varchar(255) NOT NULL REFERENCES venue_accounts,
        name varchar(255) NOT NULL,
        PRIMARY KEY (account, name)
    )
    """,
    """
    CREATE TABLE external_changes (
        account varchar(255) NOT NULL REFERENCES venue_accounts,
        coin_type varchar(20) NOT NULL,
        quantity numeric(30,8) NOT NULL,
        PRIMARY KEY (account, coin_type)
    )
    """,
    """
    CREATE TABLE held_orders (
        client_order_id varchar(255) PRIMARY KEY REFERENCES orders (client_order_id),
        order_id uuid NOT NULL UNIQUE REFERENCES orders,
        user_id uuid NOT NULL REFERENCES users,
        deployment_id uuid NOT NULL REFERENCES deployed_algorithms,
        account varchar(255) NOT NULL,
        candidates jsonb NOT NULL,
        resolution jsonb,
        held_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX held_orders_open ON held_orders (account) WHERE resolution IS NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
