-- The schemas in which `lower` creates what the intent declares, instead of the users' own.
user_schema AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl, n.xmin
    FROM pg_namespace n
    WHERE n.nspname ~ '^trueup_(declared|paired)_[0-9]+$'
),
