SELECT 'type', row_to_json(x)
FROM (
    SELECT u.oid::int8 AS oid, u.nspname AS schema, u.typname AS name, u.typtype AS kind,
        u.typrelid::int8 AS relation,
        CASE WHEN u.typtype = 'e' THEN (
            SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = u.oid
        ) END AS labels,
        CASE WHEN u.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base,
        t.typnotnull AS not_null,
        -- As pg_dump has it: the expression where there is one, else the text that was given.
        coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) AS default,
        cn.nspname AS collation_schema, co.collname AS collation,
        CASE WHEN u.typtype = 'r' THEN (
            SELECT concat_ws(', ',
                'subtype = ' || format_type(g.rngsubtype, NULL),
                CASE WHEN NOT op.opcdefault THEN 'subtype_opclass = ' || quote_ident(opn.nspname) || '.' || quote_ident(op.opcname) END,
                CASE WHEN g.rngcollation <> sub.typcollation THEN 'collation = ' || g.rngcollation::regcollation::text END,
                CASE WHEN g.rngcanonical <> 0 THEN 'canonical = ' || g.rngcanonical::regproc::text END,
                CASE WHEN g.rngsubdiff <> 0 THEN 'subtype_diff = ' || g.rngsubdiff::regproc::text END)
            FROM pg_range g
            JOIN pg_type sub ON sub.oid = g.rngsubtype
            JOIN pg_opclass op ON op.oid = g.rngsubopc
            JOIN pg_namespace opn ON opn.oid = op.opcnamespace
            WHERE g.rngtypid = u.oid
        ) END AS range,
        u.typacl::text[] AS acl,
        CASE WHEN u.typacl IS NOT NULL THEN acldefault('T', u.typowner)::text[] END AS born_acl,
        CASE WHEN u.typacl IS NOT NULL THEN pg_get_userbyid(u.typowner) END AS owner,
        -- ADD VALUE and ADD CONSTRAINT write rows of their own.
        ARRAY[u.xmin::text::int8]
            || ARRAY(SELECT e.xmin::text::int8 FROM pg_enum e WHERE e.enumtypid = u.oid)
            || ARRAY(SELECT c.xmin::text::int8 FROM pg_constraint c WHERE c.contypid = u.oid) AS xmins
    FROM user_type u
    JOIN pg_type t ON t.oid = u.oid
    LEFT JOIN pg_type base ON base.oid = t.typbasetype
    LEFT JOIN pg_collation co ON co.oid = t.typcollation AND u.typtype = 'd' AND t.typcollation <> base.typcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    WHERE u.typtype IN ('e', 'd', 'r', 'c')
) AS x
