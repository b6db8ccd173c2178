-- Sent first, under the caller's own settings: everything is qualified. The version decides about the files to send
-- next; objects of the rare kinds (other.sql, default_privileges.sql) are asked for when there may be any.
-- Most of them depend on something, and one index over pg_depend tells; looking into each catalog took three times as
-- long. The numbers are the oids of catalogs, the same in every major: pg_conversion 2607,
-- pg_foreign_server 1417, pg_opclass 2616, pg_operator 2617, pg_opfamily 2753, pg_statistic_ext 3381,
-- pg_collation 3456, pg_event_trigger 3466, pg_transform 3576, pg_ts_dict 3600, pg_ts_parser 3601, pg_ts_config 3602,
-- pg_ts_template 3764.
SELECT pg_catalog.current_setting('server_version_num') AS version,
    (
        EXISTS (
            SELECT FROM pg_catalog.pg_depend
            WHERE objid OPERATOR(pg_catalog.>=) 16384
              AND classid OPERATOR(pg_catalog.=) ANY (
                  '{2607,1417,2616,2617,2753,3381,3456,3466,3576,3600,3601,3602,3764}'::pg_catalog.oid[])
        )
        -- These may depend on nothing, or on nothing but what PostgreSQL itself brings, which is not written down.
        OR EXISTS (SELECT FROM pg_catalog.pg_cast WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_am WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_publication)
        OR EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper)
        -- plpgsql itself has a lower number.
        OR EXISTS (SELECT FROM pg_catalog.pg_language WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_default_acl)
        OR EXISTS (
            SELECT FROM pg_catalog.pg_rewrite
            WHERE oid OPERATOR(pg_catalog.>=) 16384 AND rulename OPERATOR(pg_catalog.<>) '_RETURN'
        )
        OR EXISTS (
            SELECT FROM pg_catalog.pg_type
            WHERE oid OPERATOR(pg_catalog.>=) 16384 AND typtype OPERATOR(pg_catalog.=) ANY ('{b,p}')
              AND typcategory OPERATOR(pg_catalog.<>) 'A'
        )
    ) AS has_rare
