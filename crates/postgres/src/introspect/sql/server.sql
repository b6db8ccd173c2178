-- The clock of transaction ids: xmin has 32 bits, and this says in which epoch they fall.
SELECT 'server' AS section, row_to_json(x) AS item
FROM (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8 AS snapshot_xmax
) AS x
