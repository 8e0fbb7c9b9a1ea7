//! What packages there are.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a package contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageKind {
    /// WordPress itself; its slug is `wordpress`.
    Core,
    /// A plugin.
    Plugin,
    /// A theme.
    Theme,
}

impl PackageKind {
    /// The slug of WordPress itself.
    pub const CORE_SLUG: &'static str = "wordpress";
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Plugin => "plugin",
            Self::Theme => "theme",
        })
    }
}
