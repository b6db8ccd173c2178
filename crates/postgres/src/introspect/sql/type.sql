-- Enums, domains, ranges, and composites made on their own; not the row types of tables.
SELECT 'type' AS section, row_to_json(x) AS item
FROM (
    SELECT t.oid::int8 AS oid, t.typnamespace::int8 AS namespace, t.typname AS name, t.typtype AS kind,
        t.typrelid::int8 AS relation,
        CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
        t.typnotnull AS not_null,
        -- As pg_dump has it: the expression where there is one, else the text that was given.
        coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) AS default,
        CASE WHEN t.typtype = 'd' AND t.typcollation <> base.typcollation THEN
            (pg_identify_object_as_address('pg_collation'::regclass, t.typcollation, 0)).object_names
        END AS collation,
        t.typacl::text[] AS acl,
        CASE WHEN t.typacl IS NOT NULL THEN acldefault('T', t.typowner)::text[] END AS born_acl,
        CASE WHEN t.typacl IS NOT NULL THEN pg_get_userbyid(t.typowner) END AS owner,
        t.xmin::text::int8 AS xmin
    FROM pg_type t
    LEFT JOIN pg_type base ON base.oid = t.typbasetype
    WHERE t.oid >= {since}
      AND (t.typtype IN ('e', 'd', 'r')
           OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
) AS x;
