SELECT 'relation', row_to_json(x)
FROM (
    SELECT r.oid::int8 AS oid, r.nspname AS schema, r.relname AS name, r.relkind AS kind,
        c.relpersistence = 'u' AS unlogged,
        c.relrowsecurity AS row_security,
        c.relforcerowsecurity AS force_row_security,
        CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END AS partition_key,
        CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, r.oid) END AS bound,
        CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END AS definition,
        c.reloptions AS options,
        toast.reloptions AS toast_options,
        c.relispopulated AS populated,
        nullif(c.relreplident, 'd') AS replica_identity,
        ts.spcname AS tablespace,
        nullif(am.amname, 'heap') AS access_method,
        CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of_type,
        fs.srvname AS server,
        ft.ftoptions AS server_options,
        r.relacl::text[] AS acl,
        CASE WHEN r.relacl IS NOT NULL THEN
            acldefault(CASE WHEN r.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, r.relowner)::text[]
        END AS born_acl,
        CASE WHEN r.relacl IS NOT NULL THEN pg_get_userbyid(r.relowner) END AS owner,
        c.xmin::text::int8 AS xmin,
        rule.xmin::text::int8 AS rule_xmin
    FROM relation r
    JOIN pg_class c ON c.oid = r.oid
    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND c.reltoastrelid <> 0
    LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
    LEFT JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
    LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver
    LEFT JOIN pg_rewrite rule ON rule.ev_class = c.oid AND rule.rulename = '_RETURN'
) AS x
