SELECT 'inherits', row_to_json(x)
FROM (
    SELECT i.inhrelid::int8 AS child, i.inhseqno AS position, n.nspname AS schema, p.relname AS name
    FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_namespace n ON n.oid = p.relnamespace
) AS x
