SELECT 'inherits' AS section, row_to_json(x) AS item
FROM (
    SELECT i.inhrelid::int8 AS child, i.inhseqno AS position, i.inhparent::int8 AS parent
    FROM pg_inherits i
) AS x;
