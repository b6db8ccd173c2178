-- What every section stands on. Objects that users make have oids from 16384 up, also after the counter wraps.
member AS MATERIALIZED (
    -- Members of extensions; the index on (refclassid, refobjid) finds them.
    SELECT d.classid, d.objid
    FROM pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
),
relation AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relacl
    FROM pg_class c
    JOIN user_schema n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
      AND c.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_class'::regclass)
),
user_routine AS MATERIALIZED (
    -- Not the constructors that come with a range type (deptype i).
    SELECT p.oid, n.nspname, p.proowner, p.proacl
    FROM pg_proc p
    JOIN user_schema n ON n.oid = p.pronamespace
    WHERE p.oid >= 16384
      AND p.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_proc'::regclass)
      AND p.oid NOT IN (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'i')
),
user_type AS MATERIALIZED (
    -- Enums, domains, ranges, base types, and composites made on their own; not the row types of tables, not arrays.
    SELECT t.oid, n.nspname, t.typname, t.typtype, t.typrelid, t.typowner, t.typacl, t.xmin
    FROM pg_type t
    JOIN user_schema n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.oid >= 16384
      AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
           OR (t.typtype IN ('b', 'p') AND NOT (t.typelem <> 0 AND t.typlen = -1)))
      AND t.oid NOT IN (SELECT m.objid FROM member m WHERE m.classid = 'pg_type'::regclass)
)
