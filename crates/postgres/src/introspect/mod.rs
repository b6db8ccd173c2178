//! Reads a whole database out of `pg_catalog`, in two round trips.
//!
//! The first asks for the version and for rare kinds of objects, the second sends everything else as one message: settings that the printed text
//! depends on, one statement (hence one snapshot) over all catalogs, and the caller's settings back. Outside of a
//! transaction the message is a transaction of its own; inside one it sees what is not committed yet. Nothing is
//! written, so it works on a standby, and no privilege is needed that PUBLIC does not have.

mod attributes;
mod catalog;
mod grants;
mod members;
mod objects;
mod row;
mod statement;
mod tables;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::{Client, SimpleQueryMessage};
use trueup_model::canonical::{Canonical, Table};
use trueup_model::name::{Identifier, QualifiedName};
use trueup_model::provenance::Provenance;

use self::catalog::Catalog;
use self::statement::Scope;

/// What to leave out, and what to read besides.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The schema history, left out with its index and constraint.
    pub history_table: Option<QualifiedName>,
    /// Only objects in these schemas (and those in none); `None` for all.
    pub schemas: Option<BTreeSet<Identifier>>,
    /// Whether to fill [`Introspected::provenance`].
    pub with_provenance: bool,
}

/// A database as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introspected {
    /// What there is.
    pub canonical: Canonical,
    /// Which transaction last wrote it; empty unless asked for.
    pub provenance: Provenance,
}

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectError {
    /// The connection failed, or the server refused the statement.
    #[error("the server did not answer the questions about its catalogs")]
    Query(#[from] tokio_postgres::Error),
    /// Older than 13, or newer than what was tried.
    #[error("PostgreSQL {0} is not supported: 13 to 18 are")]
    Unsupported(String),
    /// An answer that does not have the expected form: a defect of trueup.
    #[error("the answer about {section} could not be understood")]
    Unexpected {
        /// Which part of the statement.
        section: String,
        /// What was wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads everything that belongs to the users of the database that `client` is connected to.
///
/// Safe inside an open transaction: session settings are as before afterwards, except that a failure aborts the
/// transaction, as any failed statement does.
pub async fn introspect(client: &Client, options: &Options) -> Result<Introspected, IntrospectError> {
    let (major, has_rare) = first_answer(client).await?;
    let mut catalog = read(client, major, if has_rare { Scope::All } else { Scope::Usual }).await?;
    catalog.leave_out(options);
    Ok(objects::assemble(catalog, major, options.with_provenance))
}

/// Reads the tables in the schemas that `lower` makes (`scratch_schema.sql` knows their names), and nothing else: in
/// one round trip, and at less than half the planning that a whole database takes.
pub(crate) async fn scratch_tables(
    client: &Client,
    major: u16,
) -> Result<BTreeMap<QualifiedName, Table>, IntrospectError> {
    let catalog = read(client, major, Scope::ScratchTables).await?;
    Ok(objects::assemble(catalog, major, false).canonical.tables)
}

/// The server's major version, and whether the database has objects of the rare kinds.
async fn first_answer(client: &Client) -> Result<(u16, bool), IntrospectError> {
    let answer = client.simple_query(statement::FIRST).await?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let number = row.and_then(|row| row.get(0)).unwrap_or_default();
    let unsupported = || IntrospectError::Unsupported(number.to_owned());
    let version: u32 = number.parse().map_err(|_| unsupported())?;
    let major = u16::try_from(version / 10_000).map_err(|_| unsupported())?;
    Ok((major, row.and_then(|row| row.get(1)) == Some("t")))
}

/// Sends the statement and sorts the rows as they arrive. Rows of the statements around it have no section.
async fn read(client: &Client, major: u16, scope: Scope) -> Result<Catalog, IntrospectError> {
    let statement =
        statement::for_major(major, scope).ok_or_else(|| IntrospectError::Unsupported(major.to_string()))?;
    let messages = client.simple_query_raw(statement).await?;
    pin_mut!(messages);
    let mut catalog = Catalog::default();
    while let Some(message) = messages.try_next().await? {
        if let SimpleQueryMessage::Row(row) = message
            && row.columns().first().is_some_and(|column| column.name() == "section")
            && let (Some(section), Some(item)) = (row.get(0), row.get(1))
        {
            catalog
                .take(section, item)
                .map_err(|source| IntrospectError::Unexpected { section: section.to_owned(), source })?;
        }
    }
    Ok(catalog)
}
