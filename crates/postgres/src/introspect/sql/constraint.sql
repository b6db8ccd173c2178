-- Of tables and of domains. Foreign keys that stand for another on a partition (conparentid) follow from that one.
-- NOT NULL has entries among the constraints from 18 on, for domains from 17 on: those of domains are written down when
-- NOT NULL is set; of columns only the odd ones are read.
SELECT 'constraint' AS section, row_to_json(x) AS item
FROM (
    SELECT c.oid::int8 AS oid, c.conrelid::int8 AS relation, c.contypid::int8 AS domain, c.conname AS name,
        c.contype AS kind,
        coalesce(c.conkey, '{}') AS columns,
        c.conindid::int8 AS index,
        c.condeferrable AS deferrable, c.condeferred AS deferred, c.convalidated AS validated,
        c.connoinherit AS no_inherit, NOT c.conislocal AS inherited,
        c.conenforced AS enforced, -- from 18
        c.conperiod AS period, -- from 18
        CASE
            WHEN c.contype = 'x' OR (c.contype = 'c' AND c.contypid <> 0) THEN pg_get_constraintdef(c.oid)
            WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid)
        END AS definition,
        c.confrelid::int8 AS target, c.confkey AS target_columns,
        c.confupdtype AS on_update, c.confdeltype AS on_delete,
        c.confdelsetcols AS set_columns, -- from 15
        c.confmatchtype = 'f' AS match_full,
        c.xmin::text::int8 AS xmin
    FROM pg_constraint c
    WHERE c.oid >= {since}
      AND (
        c.contype IN ('p', 'u', 'c', 'x')
        OR (c.contype = 'f' AND c.conparentid = 0)
        OR (c.contype = 'n' AND (c.contypid <> 0 OR NOT c.convalidated OR c.connoinherit))
      )
) AS x;
