//! Servers of every major, and other real parts, for the tests.
//!
//! Independent of the product on purpose: an oracle that shares code with what it judges judges nothing.

pub mod browser;
pub mod cache;
mod client;
mod corpora;
pub mod flyway;
mod link;
pub mod linters;
pub mod mkdocs;
pub mod pgbouncer;
pub mod plantuml;
pub mod proxy;
mod server;
mod skip;
mod unprivileged;

pub use client::{Psql, client_tool};
pub use corpora::{Corpus, corpora, shared_corpora};
pub use link::{Flight, Link};
pub use server::{Server, ServerError};
pub use skip::{SIDE_BY_SIDE, SKIPPED, skipped};
pub use unprivileged::give as give_to_servers;

use std::path::{Path, PathBuf};

/// The majors that trueup supports, oldest first.
pub const MAJORS: [u16; 6] = [13, 14, 15, 16, 17, 18];

/// The directory with `postgres` and `initdb` of a major: what `cargo xtask fetch` unpacked, else Debian's.
///
/// For 15, Debian's comes first: it has `psql` and `pg_dump` beside it.
pub fn postgres(major: u16) -> Option<PathBuf> {
    let system = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
    let fetched = cache::unpacked(major).map(|root| root.join("native/bin"));
    let in_order = if major == 15 { [Some(system), fetched] } else { [fetched, Some(system)] };
    in_order.into_iter().flatten().find(|bin| is_server(bin))
}

fn is_server(bin: &Path) -> bool {
    bin.join("postgres").is_file() && bin.join("initdb").is_file()
}
