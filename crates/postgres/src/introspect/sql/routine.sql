SELECT 'routine', row_to_json(x)
FROM (
    SELECT u.oid::int8 AS oid, u.nspname AS schema, p.proname AS name,
        coalesce((
            SELECT json_agg(format_type(arg.type, NULL) ORDER BY arg.position)
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS arg (type, position)
        ), '[]') AS arguments,
        p.prokind AS kind,
        CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE concat_ws(', ',
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
            'parallel = ' || p.proparallel::text)
        END AS definition,
        u.proacl::text[] AS acl,
        CASE WHEN u.proacl IS NOT NULL THEN acldefault('f', u.proowner)::text[] END AS born_acl,
        CASE WHEN u.proacl IS NOT NULL THEN pg_get_userbyid(u.proowner) END AS owner,
        p.xmin::text::int8 AS xmin
    FROM user_routine u
    JOIN pg_proc p ON p.oid = u.oid
    LEFT JOIN pg_aggregate ag ON ag.aggfnoid = p.oid
) AS x
