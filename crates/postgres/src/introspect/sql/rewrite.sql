-- The queries of views: CREATE OR REPLACE VIEW writes nothing else.
SELECT 'rewrite' AS section, row_to_json(x) AS item
FROM (
    SELECT r.ev_class::int8 AS relation, r.xmin::text::int8 AS xmin
    FROM pg_rewrite r
    WHERE r.oid >= {since} AND r.rulename = '_RETURN'
) AS x;
