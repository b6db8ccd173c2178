-- Privileges against those the object is born with: what was added, and what was taken away.
SELECT 'grant', row_to_json(x)
FROM (
    SELECT acl.class, acl.oid::int8 AS oid, acl."column",
        CASE p.grantee WHEN 0 THEN 'public' WHEN acl.owner THEN '<owner>' ELSE pg_get_userbyid(p.grantee) END AS grantee,
        p.privilege_type AS privilege, p.is_grantable AS grantable, p.revoked
    FROM (
        SELECT 'schema' AS class, n.oid, NULL::name AS "column", n.nspowner AS owner, n.nspacl AS acl,
            -- What initdb gave to "public", where it is still that one.
            coalesce(
                (SELECT ip.initprivs FROM pg_init_privs ip
                 WHERE ip.objoid = n.oid AND ip.classoid = 'pg_namespace'::regclass AND ip.objsubid = 0 AND ip.privtype = 'i'),
                acldefault('n', n.nspowner)) AS born
        FROM user_schema n
        WHERE n.nspacl IS NOT NULL
        UNION ALL
        SELECT 'relation', r.oid, NULL, r.relowner, r.relacl,
            acldefault(CASE WHEN r.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, r.relowner)
        FROM relation r
        WHERE r.relacl IS NOT NULL
        UNION ALL
        SELECT 'column', a.attrelid, a.attname, r.relowner, a.attacl, acldefault('c', r.relowner)
        FROM relation r
        JOIN pg_attribute a ON a.attrelid = r.oid
        WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
        UNION ALL
        SELECT 'routine', f.oid, NULL, f.proowner, f.proacl, acldefault('f', f.proowner)
        FROM user_routine f
        WHERE f.proacl IS NOT NULL
        UNION ALL
        SELECT 'type', t.oid, NULL, t.typowner, t.typacl, acldefault('T', t.typowner)
        FROM user_type t
        WHERE t.typacl IS NOT NULL
    ) AS acl
    CROSS JOIN LATERAL (
        SELECT added.*, false AS revoked
        FROM (
            SELECT e.grantee, e.privilege_type, e.is_grantable FROM aclexplode(acl.acl) e
            EXCEPT
            SELECT e.grantee, e.privilege_type, e.is_grantable FROM aclexplode(acl.born) e
        ) AS added
        UNION ALL
        SELECT taken.*, true
        FROM (
            SELECT e.grantee, e.privilege_type, e.is_grantable FROM aclexplode(acl.born) e
            EXCEPT
            SELECT e.grantee, e.privilege_type, e.is_grantable FROM aclexplode(acl.acl) e
        ) AS taken
    ) AS p
) AS x
