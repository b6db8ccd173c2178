-- The members of publications, as PostgreSQL 13 and 14 keep them.
WITH
catalog_publication AS NOT MATERIALIZED (
    SELECT r.prpubid AS publication, r.prrelid::regclass::text AS member
    FROM pg_publication_rel r
),
