-- Columns that own sequences: through deptype a (serial, OWNED BY) or i (identity). Indexes depend on columns as well.
SELECT 'depend' AS section, row_to_json(x) AS item
FROM (
    SELECT d.objid::int8 AS sequence, d.refobjid::int8 AS owner, d.refobjsubid AS owner_column, d.deptype = 'i' AS identity
    FROM pg_depend d
    JOIN pg_sequence s ON s.seqrelid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.objid >= {since} AND d.objsubid = 0
      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
) AS x;
