-- Objects without a noun in the model: their parts as text, or NULL where only their existence is read.
SELECT 'other', row_to_json(x)
FROM (
    SELECT o.class::regclass::text AS class, o.oid::int8 AS oid, o.schema, id.type AS kind, id.identity, o.definition
    FROM (
        SELECT 'pg_statistic_ext'::regclass::oid AS class, s.oid, n.nspname AS schema,
            concat_ws(' statistics ', pg_get_statisticsobjdef(s.oid), nullif(to_json(s)->>'stxstattarget', '-1')) AS definition
        FROM pg_statistic_ext s JOIN user_schema n ON n.oid = s.stxnamespace
        UNION ALL
        SELECT 'pg_rewrite'::regclass, w.oid, r.nspname, pg_get_ruledef(w.oid) || ' enabled ' || w.ev_enabled::text
        FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class
        WHERE w.rulename <> '_RETURN'
        UNION ALL
        SELECT 'pg_collation'::regclass, c.oid, n.nspname,
            concat_ws(', ',
                'provider = ' || c.collprovider::text,
                -- The locale has changed columns from major to major.
                'locale = ' || coalesce(to_jsonb(c)->>'colllocale', to_jsonb(c)->>'colliculocale', to_jsonb(c)->>'collcollate'),
                'ctype = ' || nullif(to_jsonb(c)->>'collctype', to_jsonb(c)->>'collcollate'),
                'rules = ' || (to_jsonb(c)->>'collicurules'),
                CASE WHEN NOT c.collisdeterministic THEN 'nondeterministic' END)
        FROM pg_collation c JOIN user_schema n ON n.oid = c.collnamespace
        UNION ALL
        SELECT 'pg_operator'::regclass, o.oid, n.nspname, concat_ws(', ',
            'function = ' || o.oprcode::regproc::text,
            'commutator = ' || nullif(o.oprcom, 0)::regoperator::text,
            'negator = ' || nullif(o.oprnegate, 0)::regoperator::text,
            'restrict = ' || nullif(o.oprrest, 0)::regproc::text,
            'join = ' || nullif(o.oprjoin, 0)::regproc::text,
            CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
        FROM pg_operator o JOIN user_schema n ON n.oid = o.oprnamespace
        UNION ALL
        SELECT 'pg_ts_dict'::regclass, d.oid, n.nspname, d.dictinitoption
        FROM pg_ts_dict d JOIN user_schema n ON n.oid = d.dictnamespace
        UNION ALL
        SELECT 'pg_ts_config'::regclass, c.oid, n.nspname, (
            SELECT string_agg(m.maptokentype || ' = ' || m.mapdict::regdictionary::text, ', ' ORDER BY m.maptokentype, m.mapseqno)
            FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)
        FROM pg_ts_config c JOIN user_schema n ON n.oid = c.cfgnamespace
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, t.nspname, NULL FROM base_type t
        UNION ALL
        SELECT 'pg_conversion'::regclass, c.oid, n.nspname, NULL FROM pg_conversion c JOIN user_schema n ON n.oid = c.connamespace
        UNION ALL
        SELECT 'pg_opclass'::regclass, c.oid, n.nspname, NULL FROM pg_opclass c JOIN user_schema n ON n.oid = c.opcnamespace
        UNION ALL
        SELECT 'pg_opfamily'::regclass, c.oid, n.nspname, NULL FROM pg_opfamily c JOIN user_schema n ON n.oid = c.opfnamespace
        UNION ALL
        SELECT 'pg_ts_parser'::regclass, c.oid, n.nspname, NULL FROM pg_ts_parser c JOIN user_schema n ON n.oid = c.prsnamespace
        UNION ALL
        SELECT 'pg_ts_template'::regclass, c.oid, n.nspname, NULL FROM pg_ts_template c JOIN user_schema n ON n.oid = c.tmplnamespace
        UNION ALL
        -- From here on: objects of the database as a whole.
        SELECT 'pg_cast'::regclass, c.oid, NULL, concat_ws(' ',
            'context ' || c.castcontext::text, 'method ' || c.castmethod::text, nullif(c.castfunc, 0)::regprocedure::text)
        FROM pg_cast c
        -- Not those that come with a range type (deptype i).
        WHERE c.oid >= 16384
          AND c.oid NOT IN (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.deptype = 'i')
        UNION ALL
        SELECT 'pg_event_trigger'::regclass, e.oid, NULL, concat_ws(' ',
            e.evtevent, e.evtfoid::regproc::text, 'enabled ' || e.evtenabled::text, e.evttags::text)
        FROM pg_event_trigger e
        UNION ALL
        SELECT 'pg_publication'::regclass, p.oid, NULL, concat_ws(' ',
            (to_jsonb(p) - '{oid,pubname,pubowner}'::text[])::text,
            (SELECT string_agg(m.member, ', ' ORDER BY m.member) FROM catalog_publication m WHERE m.publication = p.oid))
        FROM pg_publication p
        UNION ALL
        SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, NULL, concat_ws(' ',
            'handler ' || nullif(f.fdwhandler, 0)::regproc::text, 'validator ' || nullif(f.fdwvalidator, 0)::regproc::text, f.fdwoptions::text)
        FROM pg_foreign_data_wrapper f
        UNION ALL
        SELECT 'pg_foreign_server'::regclass, s.oid, NULL, concat_ws(' ',
            'wrapper ' || w.fdwname, 'type ' || s.srvtype, 'version ' || s.srvversion, s.srvoptions::text)
        FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        UNION ALL
        SELECT 'pg_language'::regclass, l.oid, NULL, NULL FROM pg_language l
        UNION ALL
        SELECT 'pg_am'::regclass, a.oid, NULL, NULL FROM pg_am a
        UNION ALL
        SELECT 'pg_transform'::regclass, t.oid, NULL, NULL FROM pg_transform t
    ) AS o
    CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) AS id
    WHERE o.oid >= 16384
      AND (o.class, o.oid) NOT IN (SELECT m.classid, m.objid FROM member m)
) AS x
