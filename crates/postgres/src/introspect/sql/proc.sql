-- Not the members of extensions (deptype e), nor the constructors that come with a range type (i). What an aggregate is
-- made of stands in aggregate.sql.
SELECT 'proc' AS section, row_to_json(x) AS item
FROM (
    SELECT p.oid::int8 AS oid, p.pronamespace::int8 AS namespace, p.proname AS name,
        ARRAY(
            SELECT format_type(arg.type, NULL)
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS arg (type, position)
            ORDER BY arg.position
        ) AS arguments,
        p.prokind AS kind,
        CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
        p.proacl::text[] AS acl,
        CASE WHEN p.proacl IS NOT NULL THEN acldefault('f', p.proowner)::text[] END AS born_acl,
        CASE WHEN p.proacl IS NOT NULL THEN pg_get_userbyid(p.proowner) END AS owner,
        p.xmin::text::int8 AS xmin
    FROM pg_proc p
    WHERE p.oid >= {since}
      AND p.oid NOT IN (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.deptype IN ('e', 'i'))
) AS x;
