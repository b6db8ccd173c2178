//! The parameters of a connection: the Java driver's names and libpq's, and what becomes of each.

use super::url::Dialect;

/// What becomes of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is used, under this name (libpq's where libpq has it).
    Used(&'static str),
    /// It tunes what trueup does not do, and changes nothing that one could notice.
    Tuning,
    /// It is fine with one of these values, which is what trueup does; refused otherwise.
    Only(&'static [&'static str]),
}

/// The names that are used, with the Java driver's spelling where it has one of its own.
const USED: &[(&str, Option<&str>)] = &[
    ("host", Some("PGHOST")),
    ("port", Some("PGPORT")),
    ("dbname", Some("PGDBNAME")),
    ("user", None),
    ("password", None),
    ("passfile", None),
    ("ssl", None),
    ("sslmode", None),
    ("sslrootcert", None),
    ("sslcert", None),
    ("sslkey", None),
    ("sslpassword", None),
    ("sslfactory", None),
    ("sslnegotiation", Some("sslNegotiation")),
    ("channel_binding", Some("channelBinding")),
    ("target_session_attrs", Some("targetServerType")),
    ("load_balance_hosts", Some("loadBalanceHosts")),
    ("connect_timeout", Some("connectTimeout")),
    ("login_timeout", Some("loginTimeout")),
    ("socket_timeout", Some("socketTimeout")),
    ("search_path", Some("currentSchema")),
    ("options", None),
    ("application_name", Some("ApplicationName")),
    ("fallback_application_name", None),
    ("keepalives", Some("tcpKeepAlive")),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("keepalives_count", None),
    ("tcp_user_timeout", None),
    ("service", None),
    ("servicefile", None),
    ("timezone", None),
];

/// Names that libpq does not know; in its URLs they are mistakes.
const JDBC_ONLY: &[&str] = &["login_timeout", "socket_timeout", "search_path", "timezone", "sslfactory"];

/// How the Java driver prepares, fetches, logs and caches.
const TUNING: &[&str] = &[
    "adaptiveFetch",
    "adaptiveFetchMaximum",
    "adaptiveFetchMinimum",
    "assumeMinServerVersion",
    "autosave",
    "binaryTransfer",
    "binaryTransferDisable",
    "binaryTransferEnable",
    "cancelSignalTimeout",
    "cleanupSavepoints",
    "databaseMetadataCacheFields",
    "databaseMetadataCacheFieldsMiB",
    "defaultRowFetchSize",
    "disableColumnSanitiser",
    "escapeSyntaxCallMode",
    "hideUnprivilegedObjects",
    "hostRecheckSeconds",
    "logServerErrorDetail",
    "logUnclosedConnections",
    "loggerFile",
    "loggerLevel",
    "maxResultBuffer",
    "preferQueryMode",
    "prepareThreshold",
    "preparedStatementCacheQueries",
    "preparedStatementCacheSizeMiB",
    "quoteReturningIdentifiers",
    "readOnlyMode",
    "reWriteBatchedInserts",
    "receiveBufferSize",
    "sendBufferSize",
    "stringtype",
    "tcpNoDelay",
    "unknownLength",
];

const OFF: &[&str] = &["", "0", "false", "disable"];

/// Parameters whose usual value is what trueup does.
const ONLY: &[(&str, &[&str])] = &[
    ("allowEncodingChanges", OFF),
    ("client_encoding", &["", "UTF8", "utf8", "UTF-8", "utf-8", "auto"]),
    ("gssEncMode", &["disable", "allow", "prefer"]),
    ("gssencmode", &["disable", "prefer"]),
    ("jaasLogin", OFF),
    ("protocolVersion", &["3"]),
    ("readOnly", OFF),
    ("replication", OFF),
    ("sslcompression", OFF),
    ("sslsni", &["1"]),
    ("ssl_min_protocol_version", &["", "TLSv1", "TLSv1.1", "TLSv1.2"]),
    ("useSpnego", OFF),
];

/// What becomes of a parameter; `None` for one that nobody knows, or that trueup does not support.
pub(super) fn fate(name: &str, dialect: Dialect) -> Option<Fate> {
    let libpq = dialect == Dialect::Libpq;
    let used = USED.iter().find(|(common, javas)| match javas {
        // libpq's names are not the Java driver's, but nobody can mean anything else by them.
        Some(javas) => *common == name || (!libpq && *javas == name),
        None => *common == name,
    });
    // One name is written both ways by people whose URL serves two drivers.
    let used = used.map(|(common, _)| *common).or_else(|| (name == "ApplicationName").then_some("application_name"));
    if let Some(used) = used.filter(|used| !(libpq && JDBC_ONLY.contains(used))) {
        return Some(Fate::Used(used));
    }
    if let Some((_, values)) = ONLY.iter().find(|(only, _)| *only == name) {
        return Some(Fate::Only(values));
    }
    // The first version read this one of libpq's URLs too.
    if name == "currentSchema" || name == "connectTimeout" {
        return fate(name, Dialect::Jdbc).filter(|_| libpq);
    }
    (!libpq && TUNING.contains(&name)).then_some(Fate::Tuning)
}

/// The variables of libpq that are read, and what they set.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSERVICE", "service"),
    ("PGSERVICEFILE", "servicefile"),
    ("PGTZ", "timezone"),
];

/// Variables of libpq that would change how it connects, and that trueup does not follow: with them set, a run could
/// go another way than `psql` does.
pub(super) const UNSUPPORTED: &[(&str, &[&str])] = &[
    ("PGHOSTADDR", &[]),
    ("PGREQUIREAUTH", &[]),
    ("PGREQUIREPEER", &[]),
    ("PGSSLCRL", &[]),
    ("PGSSLCRLDIR", &[]),
    ("PGSSLSNI", &["1"]),
    ("PGSSLMINPROTOCOLVERSION", &["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ("PGSSLMAXPROTOCOLVERSION", &["TLSv1.3"]),
    ("PGGSSENCMODE", &["disable", "prefer"]),
    ("PGSSLCERTMODE", &["allow"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_fate() {
        assert_eq!(fate("targetServerType", Dialect::Jdbc), Some(Fate::Used("target_session_attrs")));
        assert_eq!(fate("target_session_attrs", Dialect::Libpq), Some(Fate::Used("target_session_attrs")));
        assert_eq!(fate("targetServerType", Dialect::Libpq), None);
        assert_eq!(fate("prepareThreshold", Dialect::Jdbc), Some(Fate::Tuning));
        assert_eq!(fate("prepareThreshold", Dialect::Libpq), None);
        assert_eq!(fate("socketTimeout", Dialect::Libpq), None);
        assert_eq!(fate("currentSchema", Dialect::Libpq), Some(Fate::Used("search_path")));
        assert_eq!(fate("hostaddr", Dialect::Libpq), None);
        assert_eq!(fate("nonsense", Dialect::Jdbc), None);
        for (name, _) in ONLY {
            assert!(matches!(fate(name, Dialect::Jdbc), Some(Fate::Only(_))), "{name}");
        }
    }
}
