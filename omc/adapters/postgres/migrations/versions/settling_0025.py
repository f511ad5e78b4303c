"""What became of many orders, written in one trip to the database, where nothing has moved since it was reckoned."""

from alembic import op

revision = "0025_settling"
down_revision = "0024_ended"

# Locks in the house's one order: leases, orders, accounts, journal. An order, an account and its positions are written
# only as they were reckoned from: a row's version changes with every change to it, and positions move with nobody but
# who keeps their account. Whatever does not fit is left alone, and whoever asked finds out by itself what is wrong.
_STATEMENTS = (
    """
    CREATE FUNCTION orders_settled(asked jsonb) RETURNS SETOF integer LANGUAGE plpgsql AS $$
    DECLARE
        mine integer[];
    BEGIN
        PERFORM 1 FROM leases
        WHERE name IN (SELECT each ->> 'lease' FROM jsonb_array_elements(asked) AS each)
        ORDER BY name FOR SHARE;

        PERFORM 1 FROM orders WHERE client_order_id IN (
            SELECT each ->> 'name' FROM jsonb_array_elements(asked) AS each
        ) ORDER BY client_order_id FOR NO KEY UPDATE;

        PERFORM 1 FROM deployment_accounts WHERE deployed_algorithm_id IN (
            SELECT CAST(each ->> 'deployment' AS uuid) FROM jsonb_array_elements(asked) AS each
        ) ORDER BY deployed_algorithm_id FOR NO KEY UPDATE;

        SELECT coalesce(array_agg(fit.at), '{}') INTO mine FROM (
            SELECT DISTINCT ON (w.deployment) w.at FROM jsonb_to_recordset(asked) AS w(
                at integer, name varchar, deployment uuid, order_version text, account_version text, lease text,
                epoch bigint, fills jsonb
            )
            JOIN orders o ON o.client_order_id = w.name AND o.deployed_algorithm_id = w.deployment
                AND CAST(o.xmin AS text) = w.order_version
            JOIN deployment_accounts a ON a.deployed_algorithm_id = w.deployment
                AND CAST(a.xmin AS text) = w.account_version
            LEFT JOIN leases l ON l.name = w.lease
            WHERE (w.lease IS NULL OR l.epoch = w.epoch) AND NOT EXISTS (
                SELECT FROM trades t WHERE t.deployed_algorithm_id = w.deployment AND t.fill_id IN (
                    SELECT each ->> 'fill_id' FROM jsonb_array_elements(w.fills) AS each
                )
            )
            ORDER BY w.deployment, w.at
        ) AS fit;

        INSERT INTO trades (
            id, user_id, deployed_algorithm_id, order_id, fill_id, coin_type, side, quantity, price, total_value, fees,
            realized_pnl, coinspot_order_id, executed_at
        )
        SELECT f.id, w.owner, w.deployment, w.id, f.fill_id, f.coin, f.side, f.quantity, f.price, f.total, f.fees,
            f.realized, w.venue_order_id, f.executed_at
        FROM jsonb_to_recordset(asked) AS w(
            at integer, id uuid, owner uuid, deployment uuid, venue_order_id varchar, fills jsonb
        )
        CROSS JOIN LATERAL jsonb_to_recordset(w.fills) AS f(
            place integer, id uuid, fill_id varchar, coin varchar, side varchar, quantity numeric, price numeric,
            total numeric, fees numeric, realized numeric, executed_at timestamptz
        )
        WHERE w.at = ANY (mine) ORDER BY w.at, f.place;

        UPDATE deployment_accounts SET cash = w.cash, updated_at = now()
        FROM jsonb_to_recordset(asked) AS w(at integer, deployment uuid, cash numeric)
        WHERE w.at = ANY (mine) AND w.cash IS NOT NULL AND deployed_algorithm_id = w.deployment;

        INSERT INTO positions (
            user_id, deployed_algorithm_id, coin_type, quantity, avg_entry_price, current_price, unrealized_pnl,
            realized_pnl, fees, cost, opening_price
        )
        SELECT w.owner, w.deployment, p.coin, p.quantity, p.average, p.price, p.unrealized, p.realized, p.fees, p.cost,
            p.opening
        FROM jsonb_to_recordset(asked) AS w(at integer, owner uuid, deployment uuid, positions jsonb)
        CROSS JOIN LATERAL jsonb_to_recordset(w.positions) AS p(
            coin varchar, quantity numeric, average numeric, price numeric, unrealized numeric, realized numeric,
            fees numeric, cost numeric, opening numeric
        )
        WHERE w.at = ANY (mine) ORDER BY w.deployment, p.coin
        ON CONFLICT (user_id, deployed_algorithm_id, coin_type) DO UPDATE SET
            quantity = excluded.quantity, avg_entry_price = excluded.avg_entry_price,
            current_price = excluded.current_price, unrealized_pnl = excluded.unrealized_pnl,
            realized_pnl = excluded.realized_pnl, fees = excluded.fees, cost = excluded.cost,
            opening_price = excluded.opening_price, updated_at = now();

        UPDATE orders SET status = w.status, coinspot_order_id = w.venue_order_id, error_message = w.message,
            filled_quantity = w.filled, limit_price = w.limit_price, updated_at = clock_timestamp(),
            trade_id = (SELECT t.id FROM trades t WHERE t.order_id = w.id ORDER BY t.seq LIMIT 1)
        FROM jsonb_to_recordset(asked) AS w(
            at integer, id uuid, status varchar, venue_order_id varchar, message text, filled numeric,
            limit_price numeric
        )
        WHERE w.at = ANY (mine) AND orders.id = w.id;

        INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
        SELECT w.owner, w.deployment, l.kind, l.data, l.event_time
        FROM jsonb_to_recordset(asked) AS w(at integer, owner uuid, deployment uuid, lines jsonb)
        CROSS JOIN LATERAL jsonb_to_recordset(w.lines) AS l(
            place integer, kind text, data jsonb, event_time timestamptz
        )
        WHERE w.at = ANY (mine) ORDER BY w.owner, w.at, l.place;

        RETURN QUERY SELECT unnest(mine);
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
