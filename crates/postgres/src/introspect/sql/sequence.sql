-- `next`: the default of a serial column is exactly this.
SELECT 'sequence' AS section, row_to_json(x) AS item
FROM (
    SELECT s.seqrelid::int8 AS relation, format_type(s.seqtypid, NULL) AS type_name,
        s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache,
        s.seqcycle AS cycle,
        'nextval(''' || replace(s.seqrelid::regclass::text, '''', '''''') || '''::regclass)' AS next,
        s.xmin::text::int8 AS xmin
    FROM pg_sequence s
    WHERE s.seqrelid >= {since}
) AS x;
