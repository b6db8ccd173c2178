//! Which migration made, or last altered, each object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::ObjectPath;

/// The transaction that last wrote each object's catalog row (`xmin`), as a full 64-bit transaction id.
///
/// Kept beside the canonical schema, never inside it: two equal schemas made by different transactions are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Object to transaction id (structured keys: a map in memory, not for JSON).
    pub written_by: BTreeMap<ObjectPath, u64>,
}
