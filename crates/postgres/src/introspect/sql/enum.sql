SELECT 'enum' AS section, row_to_json(x) AS item
FROM (
    SELECT e.enumtypid::int8 AS type, e.enumlabel AS label, e.enumsortorder AS position, e.xmin::text::int8 AS xmin
    FROM pg_enum e
    WHERE e.oid >= {since}
) AS x;
