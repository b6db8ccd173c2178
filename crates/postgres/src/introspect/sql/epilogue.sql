-- Gives the caller's settings back, for the rest of a transaction that the caller holds open.
SELECT pg_catalog.set_config(s.key, s.value, true)
FROM pg_catalog.json_each_text(pg_catalog.current_setting('trueup.saved')::pg_catalog.json) AS s;
SELECT pg_catalog.set_config('trueup.saved', '', true);
