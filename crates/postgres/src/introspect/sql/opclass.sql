SELECT 'opclass' AS section, row_to_json(x) AS item
FROM (
    SELECT o.oid::int8 AS oid, o.opcmethod::int8 AS method, o.opcdefault AS default, o.opcintype::int8 AS input,
        CASE WHEN o.opcnamespace = 'pg_catalog'::regnamespace THEN o.opcname::text
            ELSE o.opcnamespace::regnamespace::text || '.' || quote_ident(o.opcname)
        END AS name
    FROM pg_opclass o
) AS x;
