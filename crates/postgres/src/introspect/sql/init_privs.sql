-- What initdb gave to "public", where it is still that one.
SELECT 'init_privs' AS section, row_to_json(x) AS item
FROM (
    SELECT p.objoid::int8 AS oid, p.initprivs::text[] AS acl
    FROM pg_init_privs p
    WHERE p.classoid = 'pg_namespace'::regclass AND p.objsubid = 0 AND p.privtype = 'i'
) AS x;
