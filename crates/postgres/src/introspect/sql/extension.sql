SELECT 'extension' AS section, row_to_json(x) AS item
FROM (
    SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
    FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname <> 'plpgsql'
) AS x;
