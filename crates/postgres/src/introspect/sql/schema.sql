SELECT 'schema', row_to_json(x)
FROM (
    SELECT n.oid::int8 AS oid, n.nspname AS name, n.xmin::text::int8 AS xmin
    FROM user_schema n
    WHERE n.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_namespace'::regclass)
) AS x
