SELECT 'column', row_to_json(x)
FROM (
    SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
        format_type(a.atttypid, a.atttypmod) AS type_name,
        a.attnotnull AS not_null,
        pg_get_expr(d.adbin, d.adrelid) AS expression,
        a.attgenerated AS generated,
        a.attidentity AS identity,
        cn.nspname AS collation_schema, co.collname AS collation,
        CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
        nullif(a.attcompression, '') AS compression,
        nullif(a.attstattarget, -1) AS statistics,
        a.attoptions AS options,
        a.attfdwoptions AS server_options,
        NOT a.attislocal AS inherited,
        a.attacl::text[] AS acl,
        CASE WHEN a.attacl IS NOT NULL THEN pg_get_userbyid(r.relowner) END AS owner,
        odd.state AS not_null_state,
        a.xmin::text::int8 AS xmin
    FROM catalog_attribute a
    JOIN relation r ON r.oid = a.attrelid AND r.relkind <> 'S'
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    LEFT JOIN odd_not_null odd ON odd.conrelid = a.attrelid AND odd.attnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped
) AS x
