SELECT 'index', row_to_json(x)
FROM (
    SELECT i.indexrelid::int8 AS oid, i.indrelid::int8 AS relation, c.relname AS name, am.amname AS method,
        i.indisunique AS unique, i.indnullsnotdistinct AS nulls_not_distinct, i.indisvalid AS valid,
        i.indisclustered AS clustered, i.indisreplident AS replica_identity,
        i.indkey::int2[] AS columns, i.indnkeyatts AS key_count,
        pg_get_expr(i.indpred, i.indrelid) AS predicate,
        c.reloptions AS options, ts.spcname AS tablespace,
        pn.nspname AS parent_schema, pc.relname AS parent,
        c.xmin::text::int8 AS class_xmin, i.xmin::text::int8 AS index_xmin
    FROM catalog_index i
    JOIN relation r ON r.oid = i.indrelid
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
    LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
    LEFT JOIN pg_class pc ON pc.oid = h.inhparent
    LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
) AS x
