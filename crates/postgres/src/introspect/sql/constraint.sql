-- Of tables. Foreign keys that stand for another on a partition (conparentid) follow from that one.
SELECT 'constraint', row_to_json(x)
FROM (
    SELECT c.oid::int8 AS oid, c.conrelid::int8 AS relation, c.conname AS name, c.contype AS kind,
        coalesce(c.conkey, '{}') AS columns,
        c.conindid::int8 AS index,
        c.condeferrable AS deferrable, c.condeferred AS deferred, c.convalidated AS validated,
        c.connoinherit AS no_inherit, NOT c.conislocal AS inherited,
        c.conenforced AS enforced, c.conperiod AS period,
        CASE c.contype WHEN 'c' THEN pg_get_expr(c.conbin, c.conrelid) WHEN 'x' THEN pg_get_constraintdef(c.oid) END AS definition,
        tn.nspname AS target_schema, tc.relname AS target,
        CASE WHEN c.contype = 'f' THEN (
            SELECT json_agg(a.attname ORDER BY k.position)
            FROM unnest(c.confkey) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum
        ) END AS target_columns,
        c.confupdtype AS on_update, c.confdeltype AS on_delete, c.confdelsetcols AS set_columns,
        c.confmatchtype = 'f' AS match_full,
        c.xmin::text::int8 AS xmin
    FROM catalog_constraint c
    JOIN relation r ON r.oid = c.conrelid
    LEFT JOIN pg_class tc ON tc.oid = c.confrelid
    LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
    WHERE c.contype IN ('p', 'u', 'c', 'x') OR (c.contype = 'f' AND c.conparentid = 0)
) AS x
