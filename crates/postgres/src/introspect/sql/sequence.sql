-- A sequence is owned by a column through deptype a (serial, OWNED BY) or i (identity). `serial`: that column's
-- default is exactly the next value of this sequence.
SELECT 'sequence', row_to_json(x)
FROM (
    SELECT s.seqrelid::int8 AS relation, format_type(s.seqtypid, NULL) AS type_name,
        s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache,
        s.seqcycle AS cycle,
        d.refobjid::int8 AS owner, d.refobjsubid AS owner_column, coalesce(d.deptype = 'i', false) AS identity,
        coalesce(
            pg_get_expr(def.adbin, def.adrelid)
                = 'nextval(''' || replace(s.seqrelid::regclass::text, '''', '''''') || '''::regclass)',
            false
        ) AS serial,
        s.xmin::text::int8 AS xmin
    FROM pg_sequence s
    JOIN relation r ON r.oid = s.seqrelid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.objsubid = 0
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_attrdef def ON def.adrelid = d.refobjid AND def.adnum = d.refobjsubid
) AS x
