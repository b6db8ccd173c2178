SELECT 'am' AS section, row_to_json(x) AS item
FROM (
    SELECT a.oid::int8 AS oid, a.amname AS name FROM pg_am a
) AS x;
