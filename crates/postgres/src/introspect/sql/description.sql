-- Of everything that users made; 2200 is the schema that initdb makes.
SELECT 'description' AS section, row_to_json(x) AS item
FROM (
    SELECT d.classoid::regclass::text AS class, d.objoid::int8 AS oid, d.objsubid AS number, d.description AS text
    FROM pg_description d
    WHERE d.objoid >= {since} OR (d.objoid = 2200 AND d.classoid = 'pg_namespace'::regclass)
) AS x;
