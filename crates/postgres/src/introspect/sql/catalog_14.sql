-- The catalogs of PostgreSQL 14, with the columns that later majors added.
WITH
catalog_attribute AS NOT MATERIALIZED (
    SELECT a.*, a.xmin FROM pg_attribute a
),
catalog_index AS NOT MATERIALIZED (
    SELECT i.*, i.xmin, false AS indnullsnotdistinct FROM pg_index i
),
catalog_constraint AS NOT MATERIALIZED (
    SELECT c.*, c.xmin, NULL::int2[] AS confdelsetcols, true AS conenforced, false AS conperiod FROM pg_constraint c
),
-- NOT NULL constraints that are not the plain, valid, inheritable kind; only PostgreSQL 18 has such.
odd_not_null AS NOT MATERIALIZED (
    SELECT NULL::oid AS conrelid, NULL::int2 AS attnum, NULL::text AS state WHERE false
),
catalog_publication AS NOT MATERIALIZED (
    SELECT r.prpubid AS publication, r.prrelid::regclass::text AS member
    FROM pg_publication_rel r
),
