-- Columns of every relation, indexes too. A collation is named unless it is the default one (100), or none.
SELECT 'attribute' AS section, row_to_json(x) AS item
FROM (
    SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
        a.atttypid::int8 AS type,
        format_type(a.atttypid, a.atttypmod) AS type_name,
        a.attnotnull AS not_null,
        a.attgenerated AS generated,
        a.attidentity AS identity,
        a.attcollation::int8 AS collation,
        t.typcollation::int8 AS type_collation,
        CASE WHEN a.attcollation NOT IN (0, 100) THEN
            (pg_identify_object_as_address('pg_collation'::regclass, a.attcollation, 0)).object_names
        END AS collation_names,
        CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
        nullif(a.attcompression, '') AS compression, -- from 14
        nullif(a.attstattarget, -1) AS statistics,
        a.attoptions AS options,
        a.attfdwoptions AS server_options,
        NOT a.attislocal AS inherited,
        a.attacl::text[] AS acl,
        a.xmin::text::int8 AS xmin
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid >= {since} AND a.attnum > 0 AND NOT a.attisdropped
) AS x;
