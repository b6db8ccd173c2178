SELECT 'default_privileges', row_to_json(x)
FROM (
    SELECT coalesce(n.nspname, '') AS schema, d.defaclobjtype AS objects,
        CASE p.grantee WHEN 0 THEN 'public' WHEN d.defaclrole THEN '<owner>' ELSE pg_get_userbyid(p.grantee) END AS grantee,
        p.privilege_type AS privilege, p.is_grantable AS grantable
    FROM pg_default_acl d
    LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS p
) AS x
