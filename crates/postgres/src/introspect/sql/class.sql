-- Relations of every kind, indexes too; of TOAST tables (in pg_toast, 99) those with options.
SELECT 'class' AS section, row_to_json(x) AS item
FROM (
    SELECT c.oid::int8 AS oid, c.relnamespace::int8 AS namespace, c.relname AS name, c.relkind AS kind,
        c.relpersistence = 'u' AS unlogged,
        c.relrowsecurity AS row_security,
        c.relforcerowsecurity AS force_row_security,
        CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
        CASE WHEN c.relispartition AND c.relkind NOT IN ('i', 'I') THEN pg_get_expr(c.relpartbound, c.oid) END AS bound,
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
        c.reloptions AS options,
        c.reltoastrelid::int8 AS toast,
        c.relispopulated AS populated,
        nullif(c.relreplident, 'd') AS replica_identity,
        CASE WHEN c.reltablespace <> 0 THEN
            (pg_identify_object_as_address('pg_tablespace'::regclass, c.reltablespace, 0)).object_names[1]
        END AS tablespace,
        c.relam::int8 AS access_method,
        CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
        c.relacl::text[] AS acl,
        CASE WHEN c.relacl IS NOT NULL THEN
            acldefault(CASE WHEN c.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)::text[]
        END AS born_acl,
        pg_get_userbyid(c.relowner) AS owner,
        c.xmin::text::int8 AS xmin
    FROM pg_class c
    WHERE c.oid >= {since} AND (c.relnamespace <> 99 OR c.reloptions IS NOT NULL)
) AS x;
