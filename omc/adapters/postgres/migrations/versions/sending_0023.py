"""What an order waits for, in as few trips to the database as there are commits."""

from alembic import op

revision = "0023_sending"
down_revision = "0020_tripped"

# Statement by statement, each of which sees what was committed before it got its locks, in the one order of locks:
# leases, the platform's switch, users, deployments and what their traders remember, orders, nonces, journal. Whatever
# does not fit is left alone, and whoever asked finds out by itself what is wrong with it.
_STATEMENTS = (
    """
    CREATE FUNCTION orders_begun(asked jsonb) RETURNS SETOF integer LANGUAGE plpgsql AS $$
    DECLARE
        remembered uuid[];
    BEGIN
        PERFORM 1 FROM leases
        WHERE name IN (SELECT each ->> 'lease' FROM jsonb_array_elements(asked) AS each)
        ORDER BY name FOR SHARE;

        PERFORM 1 FROM deployed_algorithms WHERE id IN (
            SELECT CAST(each ->> 'deployment' AS uuid) FROM jsonb_array_elements(asked) AS each WHERE each ? 'memory'
        ) ORDER BY id FOR NO KEY UPDATE;

        WITH wanted AS (
            SELECT DISTINCT ON (o.deployment) o.deployment, m.* FROM jsonb_to_recordset(asked) AS o(
                name text, deployment uuid, owner uuid, lease text, epoch bigint, memory jsonb
            )
            JOIN deployed_algorithms d ON d.id = o.deployment AND d.user_id = o.owner
            JOIN leases l ON l.name = o.lease AND l.epoch = o.epoch
            CROSS JOIN LATERAL jsonb_to_record(o.memory) AS m(
                heard integer, done_until timestamptz, decided_at timestamptz, targets float8[], stopped boolean[],
                ages integer[], trails float8[], openings float8[], leaving text[], wanted float8[],
                rebalance_quoted_at timestamptz, rebalance_equity float8, rebalance_targets float8[]
            )
            WHERE o.memory IS NOT NULL AND NOT EXISTS (SELECT FROM orders k WHERE k.client_order_id = o.name)
        ), kept AS (
            INSERT INTO trader_memory (
                deployed_algorithm_id, heard, done_until, decided_at, targets, stopped, ages, trails, openings, leaving,
                wanted, rebalance_quoted_at, rebalance_equity, rebalance_targets
            )
            SELECT * FROM (
                SELECT deployment, heard, done_until, decided_at, targets, stopped, ages, trails, openings, leaving,
                    wanted, rebalance_quoted_at, rebalance_equity, rebalance_targets
                FROM wanted ORDER BY deployment
            ) AS each
            ON CONFLICT (deployed_algorithm_id) DO UPDATE SET
                heard = excluded.heard, done_until = excluded.done_until, decided_at = excluded.decided_at,
                targets = excluded.targets, stopped = excluded.stopped, ages = excluded.ages, trails = excluded.trails,
                openings = excluded.openings, leaving = excluded.leaving, wanted = excluded.wanted,
                rebalance_quoted_at = excluded.rebalance_quoted_at, rebalance_equity = excluded.rebalance_equity,
                rebalance_targets = excluded.rebalance_targets, updated_at = now()
            WHERE trader_memory.notices <= excluded.heard
            RETURNING deployed_algorithm_id
        )
        SELECT coalesce(array_agg(deployed_algorithm_id), '{}') INTO remembered FROM kept;

        UPDATE deployed_algorithms SET
            heartbeat_at = now(), last_executed_at = now(), execution_count = execution_count + 1
        WHERE id = ANY (remembered);

        RETURN QUERY WITH wanted AS (
            SELECT DISTINCT ON (o.name) o.*, d.venue FROM jsonb_to_recordset(asked) AS o(
                at integer, id uuid, name varchar, deployment uuid, owner uuid, coin varchar, side varchar,
                quantity numeric, price numeric, kind varchar, reason text, quoted_at timestamptz,
                decided_at timestamptz, good_for_s float8, slice_of varchar, lease text, epoch bigint, memory jsonb,
                rebalance jsonb, told jsonb
            )
            JOIN deployed_algorithms d ON d.id = o.deployment AND d.user_id = o.owner
            LEFT JOIN leases l ON l.name = o.lease
            WHERE (o.lease IS NULL OR l.epoch = o.epoch) AND (o.memory IS NULL OR o.deployment = ANY (remembered))
            ORDER BY o.name, o.at
        ), begun AS (
            INSERT INTO orders (
                id, user_id, deployed_algorithm_id, client_order_id, venue, coin_type, side, quantity, price, kind,
                status, reason, quoted_at, decided_at, good_for_s, slice_of
            )
            SELECT id, owner, deployment, name, venue, coin, side, quantity, price, kind,
                'intent', reason, quoted_at, decided_at, good_for_s, slice_of
            FROM wanted ORDER BY name
            ON CONFLICT (client_order_id) DO NOTHING
            RETURNING client_order_id AS name
        ), lines AS (
            SELECT w.at, 1 AS place, w.owner, w.deployment, 'intent' AS kind, w.told AS data, w.quoted_at
            FROM wanted w JOIN begun USING (name)
            UNION ALL
            SELECT w.at, 0, w.owner, w.deployment, 'rebalance', w.rebalance,
                CAST(w.rebalance ->> 'quoted_at' AS timestamptz)
            FROM wanted w JOIN begun USING (name) WHERE w.rebalance IS NOT NULL
        ), written AS (
            INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
            SELECT owner, deployment, kind, data, quoted_at FROM lines ORDER BY owner, at, place
        )
        SELECT w.at FROM wanted w JOIN begun USING (name);
    END
    $$
    """,
    """
    CREATE FUNCTION orders_ahead(asked jsonb) RETURNS SETOF integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM leases WHERE name IN (
            SELECT each ->> 'trader' FROM jsonb_array_elements(asked) AS each
            UNION SELECT each ->> 'risk' FROM jsonb_array_elements(asked) AS each
        ) ORDER BY name FOR SHARE;

        PERFORM pg_advisory_xact_lock_shared(hashtext('kill_switch'));
        PERFORM 1 FROM users WHERE id IN (
            SELECT CAST(each ->> 'owner' AS uuid) FROM jsonb_array_elements(asked) AS each
        ) ORDER BY id FOR SHARE;
        PERFORM 1 FROM deployed_algorithms WHERE id IN (
            SELECT CAST(each ->> 'deployment' AS uuid) FROM jsonb_array_elements(asked) AS each
        ) ORDER BY id FOR SHARE;
        PERFORM 1 FROM orders WHERE client_order_id IN (
            SELECT each ->> 'name' FROM jsonb_array_elements(asked) AS each
        ) ORDER BY client_order_id FOR NO KEY UPDATE;

        RETURN QUERY WITH wanted AS (
            SELECT w.* FROM jsonb_to_recordset(asked) AS w(
                at integer, name varchar, deployment uuid, owner uuid, coin varchar, quoted_at timestamptz, trader text,
                trader_epoch bigint, risk text, risk_epoch bigint, told jsonb
            )
            JOIN leases t ON t.name = w.trader AND t.epoch = w.trader_epoch
            JOIN leases r ON r.name = w.risk AND r.epoch = w.risk_epoch
            JOIN deployed_algorithms d ON d.id = w.deployment AND d.user_id = w.owner AND d.status = 'active'
            WHERE NOT EXISTS (
                SELECT FROM kill_switches k
                WHERE (k.user_id IS NULL OR k.user_id = w.owner)
                    AND (k.deployment_id IS NULL OR k.deployment_id = w.deployment)
            ) AND NOT EXISTS (
                SELECT FROM trader_notices n JOIN trader_memory m USING (deployed_algorithm_id)
                WHERE n.deployed_algorithm_id = w.deployment AND n.number > m.heard AND n.kind = 'out'
                    AND w.coin = ANY (n.coins)
            )
        ), sent AS (
            UPDATE orders SET status = 'submitted', updated_at = clock_timestamp()
            FROM wanted w WHERE client_order_id = w.name AND status = 'intent' AND deployed_algorithm_id = w.deployment
            RETURNING w.*
        ), written AS (
            INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
            SELECT owner, deployment, 'submitted', told, quoted_at FROM sent ORDER BY owner, at
        )
        SELECT sent.at FROM sent;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
