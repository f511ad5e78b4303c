"""What was traded in each coin's market, by stretches of five minutes."""

from alembic import op

revision = "0022_volumes"
down_revision = "0019_accounts"

_STATEMENTS = (
    """
    CREATE TABLE market_volumes (
        coin_type varchar(20) NOT NULL,
        began_at timestamptz NOT NULL,
        quantity numeric NOT NULL CHECK (quantity >= 0),
        newest timestamptz NOT NULL,
        PRIMARY KEY (coin_type, began_at)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
