SELECT 'foreign_table', row_to_json(x)
FROM (
    SELECT ft.ftrelid::int8 AS relation, s.srvname AS server, ft.ftoptions AS options
    FROM pg_foreign_table ft
    JOIN pg_foreign_server s ON s.oid = ft.ftserver
) AS x
