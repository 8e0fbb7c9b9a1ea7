//! A site's own Unix user.

use serde::{Deserialize, Serialize};

/// Whom a domain's files and processes belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteUser {
    /// Login name, `pr_` and eight characters.
    pub name: String,
    /// User number.
    pub uid: u32,
    /// Group number; the group carries the user's name.
    pub gid: u32,
}
