//! Room on the disk.

use super::LocalHosting;
use std::path::Path;

impl LocalHosting {
    /// Bytes that may still be written where a directory is; `None` when that cannot be
    /// told, as of one that is not there.
    pub fn free_bytes(&self, directory: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(directory).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
}
