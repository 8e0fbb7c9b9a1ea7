//! How WordPress is started for a batch.

use serde::{Deserialize, Serialize};

/// How WordPress is started. The default is the site itself, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct BridgeOptions {
    /// The blog of a network to start as, by id: with its own plugins, theme and
    /// language. `None` for the network's main blog.
    pub blog: Option<u64>,
    /// The address to start as, without a trailing slash; decides before `blog`.
    /// `None` for the blog's own, which the tables say.
    pub url: Option<String>,
    /// Plugins to leave out: `None` for none, an empty list for all, else by
    /// directory or file. The stored lists cannot change while WordPress starts.
    pub skip_plugins: Option<Vec<String>>,
    /// Leaves the theme out.
    pub skip_themes: bool,
    /// Leaves must-use plugins out, one-time logins included.
    pub skip_mu_plugins: bool,
    /// Login name to act as. `None` for nobody, and for the first administrator (of a
    /// network: super administrator) in actions of wp-admin.
    pub user: Option<String>,
    /// Starts as wp-admin even where no action needs it.
    pub admin: bool,
    /// Lets site code reach the network and send mail. Without it requests fail at
    /// once and mail is dropped, except in [`RunCron`](super::Action::RunCron).
    pub network: bool,
    /// Memory limit in MB.
    pub memory_mb: u32,
    /// Seconds that one start may take; then PHP is killed and the report's `fatal`
    /// says so. `None` for as long as the caller's deadline allows, and for 120 where
    /// there is something to undo ([`activate`](super::activate),
    /// [`switch_theme`](super::switch_theme)).
    pub time_limit_s: Option<u32>,
    /// Keeps compiled PHP between runs, see the source of `opcache.rs` for how stale
    /// code is kept out.
    pub opcache: bool,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            blog: None,
            url: None,
            skip_plugins: None,
            skip_themes: false,
            skip_mu_plugins: false,
            user: None,
            admin: false,
            network: false,
            memory_mb: 512,
            time_limit_s: None,
            opcache: true,
        }
    }
}

impl BridgeOptions {
    /// Everything left out that a site can break itself with.
    pub fn bare() -> Self {
        Self {
            skip_plugins: Some(Vec::new()),
            skip_themes: true,
            skip_mu_plugins: true,
            ..Self::default()
        }
    }
}
