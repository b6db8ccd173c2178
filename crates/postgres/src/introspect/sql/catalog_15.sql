-- The catalogs of PostgreSQL 15 to 17, with the columns that later majors added.
WITH
catalog_attribute AS NOT MATERIALIZED (
    SELECT a.*, a.xmin FROM pg_attribute a
),
catalog_index AS NOT MATERIALIZED (
    SELECT i.*, i.xmin FROM pg_index i
),
catalog_constraint AS NOT MATERIALIZED (
    SELECT c.*, c.xmin, true AS conenforced, false AS conperiod FROM pg_constraint c
),
-- NOT NULL constraints that are not the plain, valid, inheritable kind; only PostgreSQL 18 has such.
odd_not_null AS NOT MATERIALIZED (
    SELECT NULL::oid AS conrelid, NULL::int2 AS attnum, NULL::text AS state WHERE false
),
catalog_publication AS NOT MATERIALIZED (
    SELECT r.prpubid AS publication,
        r.prrelid::regclass::text
        || coalesce(' (' || (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
            FROM unnest(r.prattrs::int2[]) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k.attnum
        ) || ')', '')
        || coalesce(' WHERE ' || pg_get_expr(r.prqual, r.prrelid), '') AS member
    FROM pg_publication_rel r
    UNION ALL
    SELECT n.pnpubid, 'TABLES IN SCHEMA ' || n.pnnspid::regnamespace::text FROM pg_publication_namespace n
),
