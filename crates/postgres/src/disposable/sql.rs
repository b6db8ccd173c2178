//! Connections of our own to a disposable server.

use super::DatabaseError;
use std::time::Duration;
use tokio_postgres::{Client, Config, NoTls};

/// Connects; the connection's task ends with the client.
pub(super) async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Its error reaches the client's next call.
    tokio::spawn(async move { connection.await.is_ok() });
    Ok(client)
}

/// `work`, but not longer than `deadline`.
pub(super) async fn within<T>(
    deadline: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DatabaseError> {
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result.map_err(|source| DatabaseError::Sql { what, source }),
        Err(_) => Err(DatabaseError::Deadline { what, deadline }),
    }
}

/// `name` as a quoted identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as a string literal, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\\', "\\\\").replace('\'', "''");
    format!("E'{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b\\"), "E'a''b\\\\'");
    }
}
