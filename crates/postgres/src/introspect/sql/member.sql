-- Members of extensions; the index on (refclassid, refobjid) finds them.
SELECT 'member' AS section, row_to_json(x) AS item
FROM (
    SELECT d.classid::int8 AS class, d.objid::int8 AS oid
    FROM pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
) AS x;
