SELECT 'range' AS section, row_to_json(x) AS item
FROM (
    SELECT g.rngtypid::int8 AS type,
        concat_ws(', ',
            'subtype = ' || format_type(g.rngsubtype, NULL),
            CASE WHEN NOT op.opcdefault THEN 'subtype_opclass = ' || quote_ident(opn.nspname) || '.' || quote_ident(op.opcname) END,
            CASE WHEN g.rngcollation <> sub.typcollation THEN 'collation = ' || g.rngcollation::regcollation::text END,
            CASE WHEN g.rngcanonical <> 0 THEN 'canonical = ' || g.rngcanonical::regproc::text END,
            CASE WHEN g.rngsubdiff <> 0 THEN 'subtype_diff = ' || g.rngsubdiff::regproc::text END) AS definition
    FROM pg_range g
    JOIN pg_type sub ON sub.oid = g.rngsubtype
    JOIN pg_opclass op ON op.oid = g.rngsubopc
    JOIN pg_namespace opn ON opn.oid = op.opcnamespace
    WHERE g.rngtypid >= 16384
) AS x
