//! Records from which activation and theme are put back exactly.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row of the options table as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The value's bytes in base64: PHP's serialization need not be UTF-8.
    pub value: String,
    /// The column `autoload`, whose words differ between versions of WordPress.
    pub autoload: String,
}

/// Which plugins are active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginState {
    /// Active on the blog, files in their order.
    pub active: Vec<String>,
    /// Active on all blogs of the network.
    pub network_active: Vec<String>,
    /// The row `active_plugins`; `None` where there is none.
    pub row: Option<Row>,
    /// The network's `active_sitewide_plugins` in base64.
    pub network_row: Option<String>,
}

/// Which theme is active, and the rows that a switch changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThemeState {
    /// Directory of the parent theme, or of the theme itself.
    pub template: String,
    /// Directory of the theme.
    pub stylesheet: String,
    /// Rows by name; `None` for one that was not there.
    pub rows: BTreeMap<String, Option<Row>>,
}
