-- Sent first, under the caller's own settings: everything is qualified.
-- Remembers what the session had, then sets what the printed text depends on, for this transaction only.
SELECT pg_catalog.set_config('trueup.saved', (
    SELECT pg_catalog.json_object_agg(s.name, pg_catalog.current_setting(s.name))::pg_catalog.text
    FROM (VALUES
        ('search_path'), ('quote_all_identifiers'), ('DateStyle'), ('IntervalStyle'), ('TimeZone'), ('bytea_output'),
        ('extra_float_digits'), ('lc_monetary'), ('standard_conforming_strings'), ('jit'), ('max_parallel_workers_per_gather'),
        ('join_collapse_limit'), ('from_collapse_limit')
    ) AS s (name)
), true);
-- pg_temp last: a temporary table cannot stand in for a catalog.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('quote_all_identifiers', 'off', true),
       pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
       pg_catalog.set_config('IntervalStyle', 'postgres', true),
       pg_catalog.set_config('TimeZone', 'UTC', true),
       pg_catalog.set_config('bytea_output', 'hex', true),
       pg_catalog.set_config('extra_float_digits', '1', true),
       pg_catalog.set_config('lc_monetary', 'C', true),
       pg_catalog.set_config('standard_conforming_strings', 'on', true),
       pg_catalog.set_config('jit', 'off', true),
       pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),
       -- The joins are written in the order in which they should run; planning them all again costs more than it gains.
       pg_catalog.set_config('join_collapse_limit', '1', true),
       pg_catalog.set_config('from_collapse_limit', '1', true);
