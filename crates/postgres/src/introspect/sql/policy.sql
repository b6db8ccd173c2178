SELECT 'policy', row_to_json(x)
FROM (
    SELECT p.oid::int8 AS oid, p.polrelid::int8 AS relation, p.polname AS name, p.polcmd AS command,
        p.polpermissive AS permissive,
        (
            SELECT json_agg(CASE role.oid WHEN 0 THEN 'public' WHEN r.relowner THEN '<owner>' ELSE pg_get_userbyid(role.oid) END)
            FROM unnest(p.polroles) AS role (oid)
        ) AS roles,
        pg_get_expr(p.polqual, p.polrelid) AS using,
        pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
        p.xmin::text::int8 AS xmin
    FROM pg_policy p
    JOIN relation r ON r.oid = p.polrelid
) AS x
