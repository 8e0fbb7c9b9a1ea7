//! What a source says it has.

use pressroom_base::Timestamp;
use std::path::PathBuf;
use url::Url;

/// One package that a source has.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub version: String,
    pub locale: String,
    /// Whether the source would offer it unasked; betas and old versions are not.
    pub offered: bool,
    pub requires_wordpress: Option<String>,
    pub requires_php: Option<String>,
    /// When it was released, where the source tells.
    pub released: Option<Timestamp>,
    pub place: Place,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A zip on this machine.
    File(PathBuf),
    /// An unpacked WordPress on this machine.
    Tree(PathBuf),
    /// A zip to download.
    Url(Url),
}
