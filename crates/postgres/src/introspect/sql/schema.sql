SELECT 'schema', row_to_json(x)
FROM (
    SELECT n.oid::int8 AS oid, n.nspname AS name, n.xmin::text::int8 AS xmin,
        n.nspacl::text[] AS acl,
        -- What initdb gave to "public", where it is still that one.
        CASE WHEN n.nspacl IS NOT NULL THEN coalesce(
            (SELECT ip.initprivs FROM pg_init_privs ip
             WHERE ip.objoid = n.oid AND ip.classoid = 'pg_namespace'::regclass AND ip.objsubid = 0 AND ip.privtype = 'i'),
            acldefault('n', n.nspowner))::text[] END AS born_acl,
        CASE WHEN n.nspacl IS NOT NULL THEN pg_get_userbyid(n.nspowner) END AS owner
    FROM user_schema n
    WHERE n.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_namespace'::regclass)
) AS x
