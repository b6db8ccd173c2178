SELECT 'namespace' AS section, row_to_json(x) AS item
FROM (
    SELECT n.oid::int8 AS oid, n.nspname AS name, n.xmin::text::int8 AS xmin,
        n.nspacl::text[] AS acl,
        CASE WHEN n.nspacl IS NOT NULL THEN acldefault('n', n.nspowner)::text[] END AS born_acl,
        CASE WHEN n.nspacl IS NOT NULL THEN pg_get_userbyid(n.nspowner) END AS owner
    FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
) AS x;
