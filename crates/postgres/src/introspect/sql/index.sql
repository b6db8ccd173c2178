SELECT 'index' AS section, row_to_json(x) AS item
FROM (
    SELECT i.indexrelid::int8 AS oid, i.indrelid::int8 AS relation,
        i.indisunique AS unique,
        i.indnullsnotdistinct AS nulls_not_distinct, -- from 15
        i.indisvalid AS valid,
        i.indisclustered AS clustered, i.indisreplident AS replica_identity,
        i.indkey::int2[] AS columns, i.indnkeyatts AS key_count, i.indoption::int2[] AS flags,
        i.indclass::oid[]::int8[] AS classes,
        CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
            SELECT CASE WHEN i.indkey[k - 1] = 0 THEN pg_get_indexdef(i.indexrelid, k, false) END
            FROM generate_series(1, i.indnkeyatts) AS k
        ) END AS expressions,
        pg_get_expr(i.indpred, i.indrelid) AS predicate,
        i.xmin::text::int8 AS xmin
    FROM pg_index i
    WHERE i.indexrelid >= {since}
) AS x;
