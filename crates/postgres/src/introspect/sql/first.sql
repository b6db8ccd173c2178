-- Sent first, under the caller's own settings: everything is qualified. The version decides about the files to send
-- next; objects of the rare kinds (other.sql, default_privileges.sql) are asked for when there are any.
SELECT pg_catalog.current_setting('server_version_num') AS version,
    (
        EXISTS (SELECT FROM pg_catalog.pg_statistic_ext WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_collation WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_ts_dict WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_ts_config WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_ts_parser WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_ts_template WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_conversion WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_opclass WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_opfamily WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_cast WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_publication WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_foreign_server WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_language WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_am WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_transform WHERE oid OPERATOR(pg_catalog.>=) 16384)
        OR EXISTS (SELECT FROM pg_catalog.pg_default_acl WHERE oid OPERATOR(pg_catalog.>=) 16384)
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
