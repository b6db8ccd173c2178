//! From the 32 bits of `xmin` to full transaction ids.

use trueup_model::finding::ObjectPath;
use trueup_model::provenance::Provenance;

/// Transaction ids below this one are PostgreSQL's own (bootstrap, frozen), not transactions.
const FIRST_NORMAL_XID: u32 = 3;

/// Records who wrote what, when that is wanted.
#[derive(Debug)]
pub(super) struct Written {
    snapshot_xmax: u64,
    wanted: bool,
    provenance: Provenance,
}

impl Written {
    /// `snapshot_xmax` is the full 64-bit id that the next transaction would roughly get.
    pub(super) fn new(snapshot_xmax: u64, wanted: bool) -> Self {
        Self { snapshot_xmax, wanted, provenance: Provenance::default() }
    }

    /// Notes the latest of the transactions that wrote the rows an object is made of.
    pub(super) fn note(&mut self, object: impl FnOnce() -> ObjectPath, xmins: impl IntoIterator<Item = u32>) {
        if !self.wanted {
            return;
        }
        let latest = xmins.into_iter().filter_map(|xmin| full_xid(xmin, self.snapshot_xmax)).max();
        if let Some(latest) = latest {
            self.provenance.written_by.insert(object(), latest);
        }
    }

    /// All that was noted.
    pub(super) fn done(self) -> Provenance {
        self.provenance
    }
}

/// The full id nearest to the snapshot, which may lie a little ahead of it: the caller's own transaction does.
///
/// A row older than 2^31 transactions has been frozen and its `xmin` means nothing any more; nothing tells, so
/// provenance is for servers younger than that.
fn full_xid(xmin: u32, snapshot_xmax: u64) -> Option<u64> {
    if xmin < FIRST_NORMAL_XID {
        return None;
    }
    // Truncation and the wrap to a signed distance are what makes it the nearest.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let distance = xmin.wrapping_sub(snapshot_xmax as u32) as i32;
    snapshot_xmax.checked_add_signed(i64::from(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_full_id_crosses_epochs() {
        let epoch = 1_u64 << 32;
        assert_eq!(full_xid(700, 745), Some(700));
        assert_eq!(full_xid(750, 745), Some(750), "the caller's own transaction is ahead of its snapshot");
        assert_eq!(full_xid(u32::MAX, epoch + 5), Some(epoch - 1));
        assert_eq!(full_xid(4, epoch - 2), Some(epoch + 4));
        assert_eq!(full_xid(2, 745), None);
    }
}
