-- The members of publications, as PostgreSQL 15 to 18 keep them.
WITH
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
