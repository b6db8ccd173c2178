-- What the sections of rare objects stand on. Objects that users make have oids from 16384 up, also after the counter wraps.
member AS MATERIALIZED (
    -- Members of extensions; the index on (refclassid, refobjid) finds them.
    SELECT d.classid, d.objid
    FROM pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
),
relation AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relowner
    FROM pg_class c
    JOIN user_schema n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
      AND c.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_class'::regclass)
),
base_type AS MATERIALIZED (
    -- Base types and shells; not arrays.
    SELECT t.oid, n.nspname
    FROM pg_type t
    JOIN user_schema n ON n.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typtype IN ('b', 'p') AND NOT (t.typelem <> 0 AND t.typlen = -1)
      AND t.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_type'::regclass)
)
