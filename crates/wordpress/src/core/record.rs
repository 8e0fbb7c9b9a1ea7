//! What the journal knows of a core that was unpacked.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What an installation put into a root, so that exactly this can be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The root as the caller named it, without a trailing slash.
    pub(crate) root: String,
    /// Names directly inside the root that came from the package.
    pub(crate) names: Vec<String>,
    /// Placeholder pages that were moved out of the way.
    pub(crate) placeholders: Vec<String>,
    /// Directories that did not exist before, outermost first.
    pub(crate) made: Vec<String>,
}

/// Names a root in our own files.
pub(crate) fn root_key(root: &str) -> String {
    hex::encode(&Sha256::digest(root.trim_end_matches('/'))[..8])
}
