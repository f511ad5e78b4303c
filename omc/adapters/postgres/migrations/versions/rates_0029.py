"""How often everybody has asked lately, exact for all replicas together."""

from alembic import op

revision = "0029_rates"
down_revision = "0028_tokens"

_STATEMENTS = (
    # What a crash forgets is a minute's worth of patience, so nothing of it is written ahead. Room is left in each page
    # for rows to be changed where they are.
    """
    CREATE UNLOGGED TABLE request_rates (
        key text PRIMARY KEY,
        made_up_us bigint NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000)
    """,
    # Requests that come at the same moment, each charged to all of its keys or to none of them. Those of the same keys
    # are counted rather than looked at one by one. Rows are made and then locked in the order of their keys, and the
    # time is read when all are ours: nobody's clock but this one's counts.
    """
    CREATE FUNCTION requests_admitted(asked jsonb) RETURNS TABLE (at integer, allowed boolean, lags_us bigint[])
    LANGUAGE plpgsql AS $$
    DECLARE
        wanted text[];
        ours integer;
        now_us bigint;
        alike record;
        room bigint;
    BEGIN
        SELECT array_agg(DISTINCT key ORDER BY key) INTO wanted
        FROM jsonb_array_elements(asked) AS each, jsonb_array_elements_text(each -> 'keys') AS key;
        LOOP
            INSERT INTO request_rates (key, made_up_us)
            SELECT key, 0 FROM unnest(wanted) AS key ORDER BY key ON CONFLICT DO NOTHING;
            PERFORM FROM request_rates r WHERE r.key = ANY (wanted) ORDER BY r.key FOR NO KEY UPDATE;
            GET DIAGNOSTICS ours = ROW_COUNT;
            -- Forgotten in between, or not.
            EXIT WHEN ours = cardinality(wanted);
        END LOOP;
        now_us := floor(extract(epoch FROM clock_timestamp()) * 1000000);

        FOR alike IN
            SELECT w.keys, w.every_us, w.burst_us, array_agg(w.at ORDER BY w.at) AS places
            FROM jsonb_to_recordset(asked) AS w(at integer, keys text[], every_us bigint[], burst_us bigint[])
            GROUP BY w.keys, w.every_us, w.burst_us ORDER BY min(w.at)
        LOOP
            SELECT least(
                min((k.burst_us - greatest(r.made_up_us - now_us, 0)) / k.every_us), cardinality(alike.places)
            ) INTO room
            FROM unnest(alike.keys, alike.every_us, alike.burst_us) AS k(key, every_us, burst_us)
            JOIN request_rates r USING (key);
            IF room > 0 THEN
                UPDATE request_rates r SET made_up_us = greatest(r.made_up_us, now_us) + room * k.every_us
                FROM unnest(alike.keys, alike.every_us) AS k(key, every_us) WHERE r.key = k.key;
            END IF;
            RETURN QUERY SELECT p.place, p.rank <= room, (
                SELECT array_agg(greatest(r.made_up_us - now_us, 0) ORDER BY k.rank)
                FROM unnest(alike.keys) WITH ORDINALITY AS k(key, rank) JOIN request_rates r USING (key)
            ) FROM unnest(alike.places) WITH ORDINALITY AS p(place, rank);
        END LOOP;
    END
    $$
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
