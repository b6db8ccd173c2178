-- One row a key, in a query of its own: joins over all keys are linear where a subquery an index is not cheap.
SELECT 'index_key', row_to_json(x)
FROM (
    SELECT i.indexrelid::int8 AS index, k.attnum AS position,
        CASE WHEN i.indkey[k.attnum - 1] = 0 THEN pg_get_indexdef(i.indexrelid, k.attnum, false) END AS expression,
        i.indoption[k.attnum - 1] AS flags,
        CASE
            WHEN op.opcdefault AND k.attoptions IS NULL AND (
                op.opcintype = coalesce(col.atttypid, k.atttypid)
                -- A default of a type that this one only resembles (name as text), while it has one of its own.
                OR NOT EXISTS (
                    SELECT FROM pg_opclass own
                    WHERE own.opcmethod = op.opcmethod AND own.opcdefault AND own.opcintype = col.atttypid
                )
            ) THEN NULL
            WHEN opn.nspname = 'pg_catalog' THEN op.opcname
            ELSE quote_ident(opn.nspname) || '.' || quote_ident(op.opcname)
        END AS operator_class,
        k.attoptions AS operator_class_options,
        cn.nspname AS collation_schema, co.collname AS collation,
        nullif(k.attstattarget, -1) AS statistics
    FROM pg_index i
    JOIN relation r ON r.oid = i.indrelid
    JOIN pg_attribute k ON k.attrelid = i.indexrelid AND k.attnum BETWEEN 1 AND i.indnkeyatts
    JOIN pg_opclass op ON op.oid = i.indclass[k.attnum - 1]
    JOIN pg_namespace opn ON opn.oid = op.opcnamespace
    JOIN pg_type t ON t.oid = k.atttypid
    LEFT JOIN pg_attribute col ON col.attrelid = i.indrelid AND col.attnum = i.indkey[k.attnum - 1] AND col.attnum <> 0
    LEFT JOIN pg_collation co ON co.oid = i.indcollation[k.attnum - 1]
        AND co.oid <> coalesce(col.attcollation, t.typcollation)
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
) AS x
