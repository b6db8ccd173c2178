SELECT 'attrdef' AS section, row_to_json(x) AS item
FROM (
    SELECT d.adrelid::int8 AS relation, d.adnum AS number, pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attrdef d
    WHERE d.adrelid >= {since}
) AS x;
