//! Plugins, themes, upgrades, caches.

use crate::bridge::{
    report::Blame,
    state::{PluginState, ThemeState},
};
use serde::{Deserialize, Serialize};

/// Of [`Action::ActivatePlugins`](crate::bridge::Action::ActivatePlugins) and
/// [`Action::DeactivatePlugins`](crate::bridge::Action::DeactivatePlugins).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginsChanged {
    /// From before the first.
    pub before: PluginState,
    /// From after the last; `None` when PHP died on the way.
    pub after: Option<PluginState>,
    /// One per plugin that was begun, in order.
    pub plugins: Vec<PluginChange>,
}

/// What became of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginChange {
    /// Its file, or the name given when there is no such plugin.
    pub plugin: String,
    /// Whether it is as asked now, by the table.
    pub ok: bool,
    /// Whether it was not before.
    pub changed: bool,
    /// Code of the error.
    pub code: Option<String>,
    /// The error.
    pub error: Option<String>,
    /// `unexpected_output`: it printed something while it was activated.
    pub warning: Option<String>,
    /// Whose code failed.
    pub blame: Option<Blame>,
}

/// Of [`Action::SetActivePlugins`](crate::bridge::Action::SetActivePlugins) and
/// [`Action::RestoreActivePlugins`](crate::bridge::Action::RestoreActivePlugins).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginsSet {
    /// From before.
    pub before: PluginState,
    /// Now.
    pub after: PluginState,
}

/// Of [`Action::UninstallPlugin`](crate::bridge::Action::UninstallPlugin).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginUninstalled {
    /// Its file.
    pub plugin: String,
    /// `file` (`uninstall.php`), `hook` or `nothing`.
    pub ran: String,
}

/// Of [`Action::SwitchTheme`](crate::bridge::Action::SwitchTheme) and
/// [`Action::RestoreTheme`](crate::bridge::Action::RestoreTheme).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThemeChanged {
    /// From before.
    pub before: ThemeState,
    /// Now; `None` when PHP died on the way.
    pub after: Option<ThemeState>,
}

/// Of [`Action::EnableThemes`](crate::bridge::Action::EnableThemes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedThemes {
    /// Directories of the themes that all blogs may use.
    pub allowed: Vec<String>,
}

/// Of [`Action::UpgradeDatabase`](crate::bridge::Action::UpgradeDatabase).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseUpgraded {
    /// The version that the code wants.
    pub target: u64,
    /// One per blog.
    pub blogs: Vec<BlogUpgraded>,
    /// The id to go on after, when there are more.
    pub next: Option<u64>,
}

/// A blog's tables before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlogUpgraded {
    /// The blog's id, 1 for a single site.
    pub blog: u64,
    /// `db_version` before, from the table.
    pub before: Option<u64>,
    /// `db_version` after, from the table.
    pub after: Option<u64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// Of [`Action::CompleteUpgrade`](crate::bridge::Action::CompleteUpgrade).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeCompleted {
    /// What listeners were told.
    pub hook_extra: serde_json::Value,
    /// Whether `admin_init` was fired.
    pub admin_init: bool,
}

/// Of [`Action::FlushObjectCache`](crate::bridge::Action::FlushObjectCache).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlushedObjects {
    /// Whether there is a cache that outlives a request.
    pub persistent: bool,
}

/// Of [`Action::DeleteTransients`](crate::bridge::Action::DeleteTransients).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedTransients {
    /// How many were in the tables.
    pub deleted: u64,
    /// Whether transients live in a persistent object cache.
    pub persistent: bool,
}

/// Of the actions about permalinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// Permalink structure, empty for plain addresses.
    pub structure: String,
    /// Base of category addresses.
    pub category_base: String,
    /// Base of tag addresses.
    pub tag_base: String,
    /// Whether addresses go through `index.php/`.
    pub using_index: bool,
    /// How many rules are stored.
    pub rules: u64,
    /// Whether the rules were made in this run; `None` when that was not asked.
    pub rebuilt: Option<bool>,
    /// Whether `.htaccess` was written; `None` when that was not asked.
    pub htaccess: Option<bool>,
}
