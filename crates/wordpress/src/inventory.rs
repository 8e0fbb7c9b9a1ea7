//! What is installed, read without running PHP.

mod activity;
mod files;
mod package;
mod plugins;
mod source;
mod themes;

use crate::{
    Error, Result,
    config::{self, Directories, Directory, Settings, below},
    home::Home,
    kind::ComponentKind,
    watch::Watch,
};
pub use activity::{Survey, mark_active, survey};
use files::{head, kind_of, list};
pub(crate) use package::package_version;
use pressroom_phpdata::tokens;
use serde::{Deserialize, Serialize};
pub use source::UpdateSource;

/// One WordPress as found on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// `$wp_version`, e.g. `6.5.5`; `None` when it cannot be read.
    pub version: Option<String>,
    /// `$wp_local_package`, or `en_US`.
    pub locale: String,
    /// What `wp-config.php` says.
    pub settings: Settings,
    /// Plugins, themes, must-use plugins and drop-ins.
    pub components: Vec<FoundComponent>,
    /// Directories in `themes` that WordPress takes for broken themes.
    #[serde(default)]
    pub broken_themes: Vec<BrokenTheme>,
    /// What was not looked at, and why, in sentences: directories that the
    /// configuration has moved out of the home or to where only PHP could tell.
    #[serde(default)]
    pub unread: Vec<String>,
}

/// One component as found on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundComponent {
    /// Plugin or theme.
    pub kind: ComponentKind,
    /// Where it lives.
    pub place: Place,
    /// Directory name, or file name without `.php` for a single-file plugin; a theme
    /// in a directory of themes is `directory/theme`.
    pub slug: String,
    /// Main file relative to its container, e.g. `akismet/akismet.php`.
    pub file: String,
    /// `Plugin Name` or `Theme Name`; for one without a name what WordPress shows.
    pub name: String,
    /// `Version`; empty when the header has none.
    pub version: String,
    /// `Author`, tags removed.
    pub author: String,
    /// `Description`, tags removed.
    pub description: String,
    /// A theme's parent (`Template`).
    pub parent: Option<String>,
    /// `Requires PHP`.
    pub requires_php: Option<String>,
    /// `Requires at least`.
    pub requires_wordpress: Option<String>,
    /// `Update URI`.
    pub update_uri: Option<String>,
    /// `Text Domain`, or the directory's name where a plugin has none.
    #[serde(default)]
    pub text_domain: Option<String>,
    /// `Requires Plugins`: slugs.
    #[serde(default)]
    pub requires_plugins: Vec<String>,
    /// `Network: true`: can only be activated for a whole network.
    #[serde(default)]
    pub network_only: bool,
    /// Further files in a plugin's directory that WordPress lists as plugins of
    /// their own.
    #[serde(default)]
    pub others: Vec<OtherPlugin>,
    /// Who may know of a newer version.
    #[serde(default)]
    pub update_source: UpdateSource,
    /// Whether the main site uses it; `None` when the database was not asked or did
    /// not answer. A theme that is only the parent of the active one is not.
    #[serde(default)]
    pub active: Option<bool>,
    /// Whether it is activated for the whole network; `None` when that is unknown,
    /// or this is no network or no plugin.
    #[serde(default)]
    pub network_active: Option<bool>,
    /// The sites of a network that use it by themselves, by id.
    #[serde(default)]
    pub active_on: Vec<u64>,
}

/// One more plugin in another's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherPlugin {
    /// Relative to the plugins' directory.
    pub file: String,
    /// `Plugin Name`.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// As [`FoundComponent::active`].
    #[serde(default)]
    pub active: Option<bool>,
}

/// A theme that WordPress will not use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenTheme {
    /// Its directory in `themes`.
    pub slug: String,
    /// What is wrong.
    pub fault: ThemeFault,
}

/// What is wrong with a theme, by WordPress' own checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum ThemeFault {
    /// There is no `style.css`.
    NoStylesheet,
    /// `style.css` may not be read.
    StylesheetUnreadable,
    /// It names itself as its parent.
    OwnParent,
    /// It has neither a parent nor `index.php` nor `templates/index.html`.
    NoIndex,
    /// Its parent is not there.
    NoParent {
        /// The directory it names.
        parent: String,
    },
    /// Its parent has a parent itself.
    ParentIsChild {
        /// The directory it names.
        parent: String,
    },
}

/// Where a plugin lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// `plugins/` or `themes/`.
    Normal,
    /// `mu-plugins/`.
    MustUse,
    /// `wp-content/object-cache.php` and its like.
    DropIn,
}

/// What a core says of itself.
pub(crate) struct CoreFacts {
    pub(crate) version: Option<String>,
    pub(crate) locale: String,
}

/// Reads what is installed in `root`, with what its `wp-config.php` plainly says.
/// Links are passed over: what they point to is not this site's.
pub fn inspect(home: &Home, root: &str, watch: &Watch) -> Result<Inspection> {
    let root = config::plain_root(root);
    if !home.resolve(root)?.is_dir() {
        return Err(Error::Missing(root.to_owned()));
    }
    let settings = match config::read(home, root) {
        // None, or one behind a link: nothing is known then.
        Err(Error::Missing(_) | Error::BadPath(_)) => Settings::default(),
        other => other?,
    };
    inspect_with(home, root, settings, watch)
}

/// As [`inspect`], with settings that were read or evaluated before.
pub fn inspect_with(
    home: &Home,
    root: &str,
    settings: Settings,
    watch: &Watch,
) -> Result<Inspection> {
    let root = config::plain_root(root);
    if !home.resolve(root)?.is_dir() {
        return Err(Error::Missing(root.to_owned()));
    }
    let core = core_facts(home, root)?;
    let directories = settings
        .directories
        .clone()
        .unwrap_or_else(|| Directories::usual(root));
    let mut unread = Vec::new();
    let mut reachable = |directory: &Directory, what: &str| -> Option<String> {
        match directory {
            Directory::Inside(path) => match home.resolve(path) {
                Ok(_) => return Some(path.clone()),
                Err(_) => unread.push(format!(
                    "{what} are in `{path}`, behind a link or where no site's files are"
                )),
            },
            Directory::Outside(path) => {
                unread.push(format!(
                    "{what} are in `{path}`, outside of the site's home"
                ));
            }
            Directory::Unknown => unread.push(format!(
                "where {what} are is computed by the configuration and is not known"
            )),
        }
        None
    };
    let mut components = Vec::new();
    let mut broken_themes = Vec::new();
    if let Some(dir) = reachable(&directories.plugins, "plugins") {
        plugins::normal(home, &dir, watch, &mut components)?;
    }
    if let Some(dir) = reachable(&directories.themes, "themes") {
        themes::themes(home, &dir, watch, &mut components, &mut broken_themes)?;
    }
    if let Some(dir) = reachable(&directories.must_use, "must-use plugins") {
        plugins::must_use(home, &dir, watch, &mut components)?;
    }
    if let Some(dir) = reachable(&directories.content, "drop-ins") {
        plugins::drop_ins(home, &dir, settings.multisite, &mut components)?;
    }
    Ok(Inspection {
        version: core.version,
        locale: core.locale,
        settings,
        components,
        broken_themes,
        unread,
    })
}

/// Version and locale of the core in `root`.
pub(crate) fn core_facts(home: &Home, root: &str) -> Result<CoreFacts> {
    let file = match home.read_start(&below(root, "wp-includes/version.php"), 64 * 1024) {
        Err(Error::BadPath(_)) => None,
        other => other?,
    };
    let said = |variable| {
        file.as_deref()
            .and_then(|file| tokens::assigned_text(file, variable))
    };
    Ok(CoreFacts {
        version: said("wp_version"),
        locale: said("wp_local_package").unwrap_or_else(|| "en_US".to_owned()),
    })
}

/// `$wp_version` of the core in `root`.
pub(crate) fn core_version(home: &Home, root: &str) -> Result<Option<String>> {
    Ok(core_facts(home, root)?.version)
}

/// A header that is there.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
