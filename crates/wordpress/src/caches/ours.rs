//! What our own drop-ins are: their files, the line by which they are known, the
//! constants that they read.

use crate::{
    Error, Result,
    config::{Directories, Directory, below},
    home::Home,
};
use serde::{Deserialize, Serialize};

/// More of a drop-in than this is not read.
pub(super) const MAX_DROP_IN: u64 = 1024 * 1024;
/// The line is near the top.
const MARK_WITHIN: usize = 4096;

/// The constant that remembers what `WP_CACHE` was before it was set for the page cache:
/// `undefined`, `true` or `false`.
pub const WP_CACHE_BEFORE: &str = "PRESSROOM_WP_CACHE_BEFORE";
/// Where the object cache finds Redis: `host:port`, `[v6]:port` or an absolute path.
pub const REDIS_ADDRESS: &str = "PRESSROOM_REDIS_ADDRESS";
/// Number of the database there.
pub const REDIS_DATABASE: &str = "PRESSROOM_REDIS_DATABASE";
/// The site's own user there.
pub const REDIS_USER: &str = "PRESSROOM_REDIS_USER";
/// Its password.
pub const REDIS_PASSWORD: &str = "PRESSROOM_REDIS_PASSWORD";
/// What all keys of the site begin with.
pub const REDIS_PREFIX: &str = "PRESSROOM_REDIS_PREFIX";
/// For which database and tables the others were written; see [`redis_site`].
pub const REDIS_SITE: &str = "PRESSROOM_REDIS_SITE";

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropIn {
    /// `advanced-cache.php`.
    Page,
    /// `object-cache.php`.
    Object,
}

impl DropIn {
    /// Its name below `wp-content`.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Page => "advanced-cache.php",
            Self::Object => "object-cache.php",
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Page => include_str!("drop_ins/advanced-cache.php"),
            Self::Object => include_str!("drop_ins/object-cache.php"),
        }
    }

    /// Lower-case hex SHA-256 of this release's.
    pub fn sha256(self) -> String {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(self.code()))
    }

    const fn mark(self) -> &'static str {
        match self {
            Self::Page => "\n * Pressroom-Drop-In: page\n",
            Self::Object => "\n * Pressroom-Drop-In: object\n",
        }
    }

    /// Whether these bytes are ours, of whatever release.
    pub(super) fn is_ours(self, bytes: &[u8]) -> bool {
        let mark = self.mark().as_bytes();
        let start = &bytes[..bytes.len().min(MARK_WITHIN)];
        start.windows(mark.len()).any(|part| part == mark)
    }
}

/// What [`REDIS_SITE`] must say for the drop-in to work: it is bound to one database and
/// one table prefix, so that a copied configuration does not share a cache.
pub fn redis_site(database: &str, table_prefix: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(format!("{database}\n{table_prefix}")))
}

/// `wp-content`, which must be in the home.
pub(super) fn content(home: &Home, root: &str) -> Result<String> {
    let root = root.trim_end_matches('/');
    home.resolve(root)?;
    match Directories::told(home, root).content {
        Directory::Inside(path) => Ok(path),
        Directory::Outside(path) => Err(Error::BadPath(path)),
        Directory::Unknown => Ok(below(root, "wp-content")),
    }
}
