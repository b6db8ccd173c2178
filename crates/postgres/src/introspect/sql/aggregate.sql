SELECT 'aggregate', row_to_json(x)
FROM (
    SELECT p.oid::int8 AS routine,
        concat_ws(', ',
            'arguments = ' || pg_get_function_arguments(p.oid),
            'kind = ' || ag.aggkind::text,
            'sfunc = ' || ag.aggtransfn::regproc::text,
            'stype = ' || format_type(ag.aggtranstype, NULL),
            'sspace = ' || nullif(ag.aggtransspace, 0),
            'finalfunc = ' || nullif(ag.aggfinalfn, 0)::regproc::text,
            CASE WHEN ag.aggfinalextra THEN 'finalfunc_extra' END,
            'finalfunc_modify = ' || ag.aggfinalmodify::text,
            'combinefunc = ' || nullif(ag.aggcombinefn, 0)::regproc::text,
            'serialfunc = ' || nullif(ag.aggserialfn, 0)::regproc::text,
            'deserialfunc = ' || nullif(ag.aggdeserialfn, 0)::regproc::text,
            'initcond = ' || quote_literal(ag.agginitval),
            'msfunc = ' || nullif(ag.aggmtransfn, 0)::regproc::text,
            'minvfunc = ' || nullif(ag.aggminvtransfn, 0)::regproc::text,
            'mstype = ' || format_type(nullif(ag.aggmtranstype, 0), NULL),
            'mfinalfunc = ' || nullif(ag.aggmfinalfn, 0)::regproc::text,
            'minitcond = ' || quote_literal(ag.aggminitval),
            'sortop = ' || nullif(ag.aggsortop, 0)::regoperator::text,
            'parallel = ' || p.proparallel::text) AS definition
    FROM pg_aggregate ag
    JOIN pg_proc p ON p.oid = ag.aggfnoid
    WHERE p.oid >= 16384
) AS x
