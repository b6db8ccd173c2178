-- Those that a partition got from its parent (tgparentid) follow from the parent's.
SELECT 'trigger' AS section, row_to_json(x) AS item
FROM (
    SELECT t.oid::int8 AS oid, t.tgrelid::int8 AS relation, t.tgname AS name, pg_get_triggerdef(t.oid) AS definition,
        t.tgenabled AS enabled, t.xmin::text::int8 AS xmin
    FROM pg_trigger t
    WHERE t.oid >= {since} AND NOT t.tgisinternal AND t.tgparentid = 0
) AS x;
