"""Orders that rest, that are moved, that are carried out in slices, and that a person must decide about."""

from alembic import op

revision = "0013_orders"
down_revision = "0012_models"

_STATEMENTS = (
    "ALTER TABLE orders DROP CONSTRAINT orders_status_check",
    "UPDATE orders SET status = 'rejected' WHERE status = 'failed'",
    """
    ALTER TABLE orders
        ADD CONSTRAINT orders_status_check CHECK (status IN (
            'intent', 'denied', 'sliced', 'submitted', 'unknown', 'accepted', 'partial', 'cancelling', 'replacing',
            'unresolved', 'filled', 'cancelled', 'expired', 'rejected'
        )),
        ADD good_for_s float8 NOT NULL DEFAULT 0 CHECK (good_for_s >= 0),
        ADD slice_of varchar(255) REFERENCES orders (client_order_id),
        ADD limit_price numeric(20,8) CHECK (limit_price > 0),
        ADD plan jsonb
    """,
    "ALTER TABLE deployed_algorithms ADD execution jsonb NOT NULL DEFAULT '{}'",
    "CREATE INDEX orders_slice_of ON orders (slice_of) WHERE slice_of IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
