//! The two kinds of components.

use serde::{Deserialize, Serialize};

/// What kind of component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// In `wp-content/plugins`, or where the configuration has moved it.
    Plugin,
    /// In `wp-content/themes`, or where the configuration has moved it.
    Theme,
}

impl ComponentKind {
    /// Its directory below `wp-content`.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Plugin => "plugins",
            Self::Theme => "themes",
        }
    }
}
