//! Reads a whole database out of `pg_catalog`, in two round trips.
//!
//! The first asks for the version, the second sends everything else as one message: settings that the printed text
//! depends on, a statement for each catalog, and the caller's settings back. A third follows only where there are
//! objects of rare kinds. Outside of a transaction the message is a transaction of its own; inside one it sees what is
//! not committed yet. Where others change the schema meanwhile, the caller holds a transaction with REPEATABLE READ:
//! then everything is of one moment. Nothing is written, so it works on a standby, and no privilege is needed that
//! PUBLIC does not have.

mod answer;
mod attributes;
mod catalog;
mod grants;
mod join;
mod members;
mod objects;
mod raw;
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

use self::answer::Answer;

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
    let major = major(client).await?;
    let mut answer = Answer::default();
    read(client, &statement::whole(major), &mut answer).await?;
    if answer.server.has_rare {
        read(client, &statement::rare(major), &mut answer).await?;
    }
    let mut catalog = join::join(answer);
    catalog.leave_out(options);
    Ok(objects::assemble(catalog, major, options.with_provenance))
}

/// Reads the tables made since, and including, the object with the oid `since`, and nothing else, in one round trip.
pub(crate) async fn tables_since(
    client: &Client,
    major: u16,
    since: u32,
) -> Result<BTreeMap<QualifiedName, Table>, IntrospectError> {
    let mut answer = Answer::default();
    read(client, &statement::tables_since(major, since), &mut answer).await?;
    Ok(objects::assemble(join::join(answer), major, false).canonical.tables)
}

/// The server's major version, one that is supported.
async fn major(client: &Client) -> Result<u16, IntrospectError> {
    let messages = client.simple_query(statement::VERSION).await?;
    let number = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let number = number.unwrap_or_default();
    let unsupported = || IntrospectError::Unsupported(number.to_owned());
    let version: u32 = number.parse().map_err(|_| unsupported())?;
    statement::supported(u16::try_from(version / 10_000).map_err(|_| unsupported())?)
}

/// Sends a message and sorts the rows as they arrive. Rows of the statements around it have no section.
async fn read(client: &Client, message: &str, answer: &mut Answer) -> Result<(), IntrospectError> {
    let messages = client.simple_query_raw(message).await?;
    pin_mut!(messages);
    while let Some(message) = messages.try_next().await? {
        if let SimpleQueryMessage::Row(row) = message
            && row.columns().first().is_some_and(|column| column.name() == "section")
            && let (Some(section), Some(item)) = (row.get(0), row.get(1))
        {
            answer
                .take(section, item)
                .map_err(|source| IntrospectError::Unexpected { section: section.to_owned(), source })?;
        }
    }
    Ok(())
}
