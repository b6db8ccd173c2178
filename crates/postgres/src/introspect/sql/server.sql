-- The clock of transaction ids: xmin has 32 bits, and this says in which epoch they fall. And whether the database may
-- have objects of the rare kinds (other.sql, default_privileges.sql, policy.sql, …), which cost a statement of their own.
-- Most of them depend on something, and one index over pg_depend tells; looking into each catalog took three times as
-- long. The numbers are the oids of catalogs, the same in every major: pg_conversion 2607,
-- pg_foreign_server 1417, pg_opclass 2616, pg_operator 2617, pg_opfamily 2753, pg_policy 3256, pg_statistic_ext 3381,
-- pg_collation 3456, pg_event_trigger 3466, pg_transform 3576, pg_ts_dict 3600, pg_ts_parser 3601, pg_ts_config 3602,
-- pg_ts_template 3764.
SELECT 'server' AS section, row_to_json(x) AS item
FROM (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8 AS snapshot_xmax,
        (
            EXISTS (
                SELECT FROM pg_depend
                WHERE objid >= 16384
                  AND classid = ANY ('{2607,1417,2616,2617,2753,3256,3381,3456,3466,3576,3600,3601,3602,3764}'::oid[])
            )
            -- These may depend on nothing, or on nothing but what PostgreSQL itself brings, which is not written down.
            OR EXISTS (SELECT FROM pg_cast WHERE oid >= 16384)
            OR EXISTS (SELECT FROM pg_am WHERE oid >= 16384)
            OR EXISTS (SELECT FROM pg_publication)
            OR EXISTS (SELECT FROM pg_foreign_data_wrapper)
            -- plpgsql itself has a lower number.
            OR EXISTS (SELECT FROM pg_language WHERE oid >= 16384)
            OR EXISTS (SELECT FROM pg_default_acl)
            OR EXISTS (SELECT FROM pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN')
            OR EXISTS (SELECT FROM pg_proc WHERE oid >= 16384 AND prokind = 'a')
            OR EXISTS (
                SELECT FROM pg_type
                WHERE oid >= 16384 AND (typtype IN ('p', 'r') OR (typtype = 'b' AND typcategory <> 'A'))
            )
        ) AS has_rare
) AS x;
