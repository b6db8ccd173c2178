SELECT 'domain_check', row_to_json(x)
FROM (
    SELECT c.oid::int8 AS oid, c.contypid::int8 AS domain, c.conname AS name, pg_get_constraintdef(c.oid) AS definition
    FROM pg_constraint c
    JOIN user_type u ON u.oid = c.contypid
    WHERE c.contype = 'c'
) AS x
