//! What an existing `wp-config.php` says.

use super::locate::{self, Located, locate};
use crate::{Error, Result, cage::record, home::Home, kind::ComponentKind};
use pressroom_phpdata::wp_config::{self, Value, WpConfig};
use serde::{Deserialize, Serialize};

/// What an existing `wp-config.php` says; `None` is *unknown*, never a default.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `DB_NAME`.
    pub db_name: Option<String>,
    /// `DB_USER`.
    pub db_user: Option<String>,
    /// `DB_PASSWORD`.
    pub db_password: Option<String>,
    /// `DB_HOST`.
    pub db_host: Option<String>,
    /// `DB_CHARSET`.
    pub db_charset: Defined,
    /// `DB_COLLATE`.
    pub db_collate: Defined,
    /// `$table_prefix`.
    pub table_prefix: Option<String>,
    /// `WP_DEBUG`; `Some(false)` when it is not defined at all.
    pub debug: Option<bool>,
    /// Whether this is a network, by WordPress' rule: `MULTISITE`, or without that
    /// one of `SUBDOMAIN_INSTALL`, `VHOST`, `SUNRISE` being defined.
    pub multisite: Option<bool>,
    /// `SUBDOMAIN_INSTALL`; `Some(false)` when it is not defined at all.
    pub subdomain_install: Option<bool>,
    /// `DOMAIN_CURRENT_SITE`.
    pub domain_current_site: Defined,
    /// `PATH_CURRENT_SITE`.
    pub path_current_site: Defined,
    /// `SITE_ID_CURRENT_SITE`, the network's id.
    pub site_id_current_site: Defined,
    /// `BLOG_ID_CURRENT_SITE`, the main site's id.
    pub blog_id_current_site: Defined,
    /// `CUSTOM_USER_TABLE`.
    pub custom_user_table: Defined,
    /// `CUSTOM_USER_META_TABLE`.
    pub custom_user_meta_table: Defined,
    /// `WP_HOME`, which overrides the option.
    pub wp_home: Defined,
    /// `WP_SITEURL`, which overrides the option.
    pub wp_siteurl: Defined,
    /// Where content is; `None` when there is no configuration.
    pub directories: Option<Directories>,
    /// The file that was read, relative to the home.
    pub file: Option<String>,
    /// It lies one level above WordPress.
    pub above: bool,
    /// How the values were learned.
    pub source: Source,
    /// Why an evaluation gave nothing.
    pub trouble: Option<String>,
}

/// How settings were learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From the file, nothing executed: what is told is certain.
    #[default]
    Read,
    /// By running the file with PHP and an empty `wp-settings.php`: what the site's
    /// own code said, in an environment that is not the web server's.
    Evaluated,
}

/// A constant that need not be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Defined {
    /// It is certainly not defined.
    No,
    /// It is this.
    As(String),
    /// It may be anything.
    #[default]
    Unknown,
}

impl Defined {
    /// The value, when it is defined and known.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::As(value) => Some(value),
            Self::No | Self::Unknown => None,
        }
    }
}

/// Where a site has its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directories {
    /// `WP_CONTENT_DIR`.
    pub content: Directory,
    /// `WP_PLUGIN_DIR`.
    pub plugins: Directory,
    /// `WPMU_PLUGIN_DIR`.
    pub must_use: Directory,
    /// `themes` in the content directory; plugins may register more.
    pub themes: Directory,
    /// `UPLOADS`, or `uploads` in the content directory; the option `upload_path` may
    /// say otherwise.
    pub uploads: Directory,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "path", rename_all = "snake_case")]
pub enum Directory {
    /// In the home, relative to it; it need not exist.
    Inside(String),
    /// Somewhere else: not this site's, and not looked at.
    Outside(String),
    /// It cannot be told without running the configuration.
    Unknown,
}

impl Directory {
    /// The path relative to the home, when it is in there.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Inside(path) => Some(path),
            Self::Outside(_) | Self::Unknown => None,
        }
    }

    /// The same, or why it is not to be touched.
    pub(crate) fn reachable(&self) -> Result<&str> {
        match self {
            Self::Inside(path) => Ok(path),
            Self::Outside(path) => Err(Error::BadPath(path.clone())),
            Self::Unknown => Err(Error::BadPath("?".to_owned())),
        }
    }

    fn join(&self, name: &str) -> Self {
        match self {
            Self::Inside(path) => Self::Inside(locate::below(path, name)),
            Self::Outside(path) => Self::Outside(format!("{path}/{name}")),
            Self::Unknown => Self::Unknown,
        }
    }
}

impl Directories {
    /// Where content is when nothing says otherwise.
    pub fn usual(root: &str) -> Self {
        Self::in_content(Directory::Inside(locate::below(root, "wp-content")))
    }

    /// As the configuration of the WordPress in `root` says without being run. What only
    /// PHP could tell is taken to be where it usually is, and so is everything where
    /// there is no configuration to read: whoever exchanges what is there looks at its
    /// hash first.
    pub(crate) fn told(home: &Home, root: &str) -> Self {
        read(home, root)
            .ok()
            .and_then(|told| told.directories)
            .map_or_else(|| Self::usual(root), |told| told.or_usual(root))
    }

    /// With the usual place for each that is unknown.
    fn or_usual(self, root: &str) -> Self {
        let usual = Self::usual(root);
        let known = |told: Directory, usual: Directory| match told {
            Directory::Unknown => usual,
            told => told,
        };
        Self {
            content: known(self.content, usual.content),
            plugins: known(self.plugins, usual.plugins),
            must_use: known(self.must_use, usual.must_use),
            themes: known(self.themes, usual.themes),
            uploads: known(self.uploads, usual.uploads),
        }
    }

    /// The one that holds components of a kind.
    pub fn holding(&self, kind: ComponentKind) -> &Directory {
        match kind {
            ComponentKind::Plugin => &self.plugins,
            ComponentKind::Theme => &self.themes,
        }
    }

    fn in_content(content: Directory) -> Self {
        Self {
            plugins: content.join("plugins"),
            must_use: content.join("mu-plugins"),
            themes: content.join("themes"),
            uploads: content.join("uploads"),
            content,
        }
    }

    /// As a configuration has moved them.
    fn of(home: &Home, root: &str, config: &WpConfig) -> Self {
        let moved = |name: &str| -> Option<Directory> {
            Some(match config.constant(name)? {
                Value::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(path) if path.starts_with('/') => match locate::inside(home, path) {
                        Some(path) => Directory::Inside(path),
                        None => Directory::Outside(path.to_owned()),
                    },
                    // What a relative path means depends on who asks.
                    _ => Directory::Unknown,
                },
                _ => Directory::Unknown,
            })
        };
        let content = moved("WP_CONTENT_DIR");
        let mut all = content.map_or_else(|| Self::usual(root), Self::in_content);
        if let Some(plugins) = moved("WP_PLUGIN_DIR") {
            all.plugins = plugins;
        }
        if let Some(must_use) = moved("WPMU_PLUGIN_DIR") {
            all.must_use = must_use;
        }
        match config.constant("UPLOADS") {
            None => {}
            // It is told relative to WordPress.
            Some(Value::Text(path)) => {
                let base = home.path().join(locate::plain_root(root));
                let path = String::from_utf8_lossy(path);
                let path = format!("{}/{path}", base.display());
                all.uploads = match locate::inside(home, &path) {
                    Some(path) => Directory::Inside(path),
                    None => Directory::Outside(path),
                };
            }
            Some(_) => all.uploads = Directory::Unknown,
        }
        all
    }

    fn all(&self) -> [&Directory; 5] {
        [
            &self.content,
            &self.plugins,
            &self.must_use,
            &self.themes,
            &self.uploads,
        ]
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("db_name", &self.db_name)
            .field("db_user", &self.db_user)
            .field("db_host", &self.db_host)
            .field("table_prefix", &self.table_prefix)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Reads `wp-config.php` without executing it: in `root`, or one level above where
/// WordPress would look too.
pub fn read(home: &Home, root: &str) -> Result<Settings> {
    let located = locate(home, root)?;
    Ok(Settings::located(home, root, &located))
}

impl Settings {
    /// What a configuration file says by itself, wherever it lies.
    pub fn from_file(file: &[u8]) -> Self {
        Self::of(&wp_config::parse(file))
    }

    pub(super) fn located(home: &Home, root: &str, located: &Located) -> Self {
        let config = wp_config::parse_at(&located.bytes, &located.place);
        Self::of(&config).at(home, root, located, &config)
    }

    pub(super) fn at(self, home: &Home, root: &str, located: &Located, config: &WpConfig) -> Self {
        // A clone's own says where its gate is, which is for its own code: we go past it.
        let clone = record::holding(home, root).ok().flatten();
        Self {
            db_host: clone.map_or(self.db_host, |record| Some(record.db_host)),
            directories: Some(Directories::of(home, root, config)),
            file: Some(located.path.clone()),
            above: located.above,
            ..self
        }
    }

    pub(super) fn of(config: &WpConfig) -> Self {
        let text = |name| config.constant(name).and_then(Value::text);
        let flag = |name| config.constant(name).map_or(Some(false), Value::truth);
        let defined = |name| match config.constant(name).map(Value::text) {
            None => Defined::No,
            Some(Some(value)) => Defined::As(value),
            Some(None) => Defined::Unknown,
        };
        Self {
            db_name: text("DB_NAME"),
            db_user: text("DB_USER"),
            db_password: text("DB_PASSWORD"),
            db_host: text("DB_HOST"),
            db_charset: defined("DB_CHARSET"),
            db_collate: defined("DB_COLLATE"),
            table_prefix: config.table_prefix().and_then(Value::text),
            debug: flag("WP_DEBUG"),
            multisite: multisite(config),
            subdomain_install: flag("SUBDOMAIN_INSTALL"),
            domain_current_site: defined("DOMAIN_CURRENT_SITE"),
            path_current_site: defined("PATH_CURRENT_SITE"),
            site_id_current_site: defined("SITE_ID_CURRENT_SITE"),
            blog_id_current_site: defined("BLOG_ID_CURRENT_SITE"),
            custom_user_table: defined("CUSTOM_USER_TABLE"),
            custom_user_meta_table: defined("CUSTOM_USER_META_TABLE"),
            wp_home: defined("WP_HOME"),
            wp_siteurl: defined("WP_SITEURL"),
            ..Self::default()
        }
    }

    /// The directory that holds components of a kind, relative to the home: the usual one
    /// where only PHP could tell, `None` when it is elsewhere.
    pub fn container(&self, root: &str, kind: ComponentKind) -> Option<String> {
        let told = self.directories.clone();
        let all = told.map_or_else(|| Directories::usual(root), |told| told.or_usual(root));
        all.holding(kind).path().map(str::to_owned)
    }

    /// Whether something that the engine needs is unknown.
    pub(super) fn lacks(&self) -> bool {
        let needed = [
            &self.db_name,
            &self.db_user,
            &self.db_password,
            &self.db_host,
            &self.table_prefix,
        ];
        needed.iter().any(|value| value.is_none())
            || self.multisite.is_none()
            || self.custom_user_table == Defined::Unknown
            || self.custom_user_meta_table == Defined::Unknown
            || self
                .directories
                .as_ref()
                .is_none_or(|all| all.all().contains(&&Directory::Unknown))
    }
}

/// WordPress' `is_multisite()` before anything is loaded.
fn multisite(config: &WpConfig) -> Option<bool> {
    if let Some(said) = config.constant("MULTISITE") {
        return said.truth();
    }
    let signs = ["SUBDOMAIN_INSTALL", "VHOST", "SUNRISE"].map(|name| config.constant(name));
    if signs
        .iter()
        .flatten()
        .any(|value| **value != Value::Unknown)
    {
        Some(true)
    } else if signs.iter().any(Option::is_some) {
        None
    } else {
        Some(false)
    }
}
