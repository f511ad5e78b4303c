"""An order's number at its venue is drawn with the write-ahead, under the same leases and in the same commit."""

from alembic import op

revision = "0026_numbered"
down_revision = "0025_settling"

# As before, and besides: of an account that has a number already the next is drawn, for the first of its orders. One
# that is not used is left out. Locks in the house's one order: nonces come after orders, before the journal.
_STATEMENTS = (
    "DROP FUNCTION orders_ahead(jsonb)",
    """
    CREATE FUNCTION orders_ahead(asked jsonb) RETURNS TABLE (place integer, account text, drawn bigint)
    LANGUAGE plpgsql AS $$
    DECLARE
        now_ms bigint := floor(extract(epoch FROM clock_timestamp()) * 1000);
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
        PERFORM 1 FROM venue_nonces v WHERE v.account IN (
            SELECT CASE d.mode WHEN 'paper' THEN CAST(d.id AS text) ELSE d.venue || ':' || d.user_id END
            FROM jsonb_array_elements(asked) AS each
            JOIN deployed_algorithms d ON d.id = CAST(each ->> 'deployment' AS uuid)
        ) ORDER BY v.account FOR NO KEY UPDATE;

        RETURN QUERY WITH wanted AS (
            SELECT w.*, CASE d.mode WHEN 'paper' THEN CAST(d.id AS text) ELSE d.venue || ':' || d.user_id END AS owned
            FROM jsonb_to_recordset(asked) AS w(
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
        ), first AS (
            SELECT DISTINCT ON (s.owned) s.at, s.owned FROM sent s ORDER BY s.owned, s.at
        ), numbered AS (
            UPDATE venue_nonces AS known SET nonce = greatest(now_ms, known.nonce + 1), updated_at = now()
            FROM first WHERE known.account = first.owned
            RETURNING first.at, known.nonce
        ), written AS (
            INSERT INTO journal (user_id, deployment_id, kind, data, event_time)
            SELECT owner, deployment, 'submitted', told, quoted_at FROM sent ORDER BY owner, at
        )
        SELECT sent.at, sent.owned, numbered.nonce FROM sent LEFT JOIN numbered ON numbered.at = sent.at;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
