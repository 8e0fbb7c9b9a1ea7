//! Options, events, blogs, and the site as a whole.

use crate::bridge::report::Blame;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Of [`Action::Install`](crate::bridge::Action::Install).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The first administrator.
    pub user_id: u64,
    /// The locale that was there.
    pub locale: String,
}

/// Of [`Action::ListCron`](crate::bridge::Action::ListCron).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cron {
    /// The site's clock.
    pub now: i64,
    /// `DISABLE_WP_CRON`: visitors do not start events.
    pub disabled: bool,
    /// `ALTERNATE_WP_CRON`.
    pub alternate: bool,
    /// By time.
    pub events: Vec<CronEvent>,
    /// The intervals that are known.
    pub schedules: Vec<CronSchedule>,
}

/// A scheduled event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronEvent {
    /// Its hook.
    pub hook: String,
    /// WordPress' hash of its arguments.
    pub key: String,
    /// When it is due.
    pub next_run: i64,
    /// Its schedule; `None` for once.
    pub schedule: Option<String>,
    /// Seconds between runs.
    pub interval_s: Option<i64>,
    /// Arguments of the hook.
    pub args: Vec<Value>,
    /// Whether anything listens to the hook.
    pub has_action: bool,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronSchedule {
    /// E.g. `hourly`.
    pub name: String,
    /// Seconds between runs.
    pub interval_s: i64,
    /// Its name for people.
    pub display: String,
}

/// Of [`Action::RunCron`](crate::bridge::Action::RunCron).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronRan {
    /// How many were due when it began.
    pub due: u64,
    /// One per event that was begun, in order.
    pub ran: Vec<EventRan>,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRan {
    /// Its hook.
    pub hook: String,
    /// When it was due.
    pub due_at: i64,
    /// Whether it came to its end.
    pub ok: bool,
    /// `fatal`, `exception` or `died`.
    pub code: Option<String>,
    /// The error.
    pub error: Option<String>,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// Whose code failed.
    pub blame: Option<Blame>,
}

/// Of [`Action::ScheduleCron`](crate::bridge::Action::ScheduleCron).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronScheduled {
    /// When the next event with this hook and arguments is due.
    pub next_run: i64,
}

/// Of [`Action::UnscheduleCron`](crate::bridge::Action::UnscheduleCron).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CronUnscheduled {
    /// How many events went.
    pub removed: u64,
}

/// An option's row.
///
/// In values, PHP objects are maps with `__class`, strings that are no UTF-8
/// `{"__base64": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOption {
    /// Its name.
    pub name: String,
    /// Whether there is a row.
    pub exists: bool,
    /// What the row holds, unserialized.
    pub stored: Value,
    /// Bytes in the row.
    pub bytes: u64,
    /// The column `autoload`; `None` for a network's.
    pub autoload: Option<String>,
    /// Whether the row is PHP's serialization.
    pub serialized: bool,
    /// Whether it holds PHP objects.
    pub objects: bool,
}

/// Of [`Action::GetOption`](crate::bridge::Action::GetOption).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionTold {
    /// The row.
    #[serde(flatten)]
    pub row: StoredOption,
    /// What WordPress answers its own code, filters of plugins and constants included.
    pub value: Value,
    /// Whether that is something else than the row holds.
    pub differs: bool,
}

/// Of the actions that change options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionChanged {
    /// From before.
    pub before: StoredOption,
    /// Now, read again.
    pub after: OptionTold,
}

/// Of [`Action::ListOptions`](crate::bridge::Action::ListOptions).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionPage {
    /// How many there are in all.
    pub total: u64,
    /// Their bytes.
    pub total_bytes: u64,
    /// Bytes of all options that are loaded with every request; `None` for a network.
    pub autoload_bytes: Option<u64>,
    /// This page, by name.
    pub options: Vec<ListedOption>,
}

/// An option in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedOption {
    /// Its name.
    pub name: String,
    /// Bytes in the row.
    pub bytes: u64,
    /// The column `autoload`.
    pub autoload: Option<String>,
    /// What the row holds, when asked for and at most 64 kB.
    #[serde(default)]
    pub stored: Option<Value>,
}

/// Of [`Action::FindBrokenOptions`](crate::bridge::Action::FindBrokenOptions).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenOptions {
    /// Their names.
    pub names: Vec<String>,
}

/// Of [`Action::ListBlogs`](crate::bridge::Action::ListBlogs).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlogPage {
    /// How many there are in all.
    pub total: u64,
    /// This page.
    pub blogs: Vec<Blog>,
}

/// A blog of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "WordPress' own columns")]
pub struct Blog {
    /// Id.
    pub id: u64,
    /// Domain.
    pub domain: String,
    /// Path, with slashes around.
    pub path: String,
    /// Search engines are welcome.
    pub public: bool,
    /// Archived.
    pub archived: bool,
    /// For adults.
    pub mature: bool,
    /// Marked as spam.
    pub spam: bool,
    /// Marked as deleted; the tables are there.
    pub deleted: bool,
    /// When it was made, `2024-05-01 10:00:00`.
    pub registered: String,
    /// When it last changed.
    pub last_updated: String,
    /// Its address, with details.
    #[serde(default)]
    pub home: Option<String>,
    /// Its title, with details.
    #[serde(default)]
    pub title: Option<String>,
    /// Version of its tables, with details.
    #[serde(default)]
    pub db_version: Option<u64>,
}

/// Of [`Action::SiteInfo`](crate::bridge::Action::SiteInfo).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "settings of the site")]
pub struct SiteInfo {
    /// WordPress' version.
    pub wordpress: String,
    /// Version of the tables.
    pub db_version_stored: Option<u64>,
    /// Version that the code wants.
    pub db_version_code: u64,
    /// PHP's version on the command line.
    pub php: String,
    /// The database server's version.
    pub database: String,
    /// PHP's extensions, small letters, sorted.
    pub extensions: Vec<String>,
    /// The blog, 1 for a single site.
    pub blog_id: u64,
    /// Address for visitors.
    pub home: String,
    /// Address of WordPress.
    pub siteurl: String,
    /// Title.
    pub title: String,
    /// Locale, e.g. `de_DE`.
    pub locale: String,
    /// Locales whose files are there.
    pub languages: Vec<String>,
    /// Name such as `Europe/Berlin`, or an offset such as `+05:30`.
    pub timezone: String,
    /// Seconds east of UTC just now.
    pub utc_offset_s: i32,
    /// Permalink structure.
    pub permalinks: String,
    /// Search engines are welcome.
    pub blog_public: bool,
    /// The administrator's address.
    pub admin_email: String,
    /// Users of this blog.
    pub users: u64,
    /// A network.
    pub multisite: bool,
    /// A network by sub-domains.
    pub subdomains: bool,
    /// Blogs of the network, 1 for a single site.
    pub blogs: u64,
    /// `$table_prefix`.
    pub table_prefix: String,
    /// A persistent object cache is in use.
    pub object_cache: bool,
    /// Directory of the parent theme, or of the theme.
    pub template: String,
    /// Directory of the theme.
    pub stylesheet: String,
    /// `DISABLE_WP_CRON`.
    pub cron_disabled: bool,
    /// `WP_DEBUG`.
    pub debug: bool,
    /// `production`, `staging`, `development` or `local`.
    pub environment: String,
}

/// Of [`Action::ReadConstants`](crate::bridge::Action::ReadConstants).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constants {
    /// Those that are defined; `null` for what is no plain value.
    pub constants: std::collections::BTreeMap<String, Value>,
}

/// Of [`Action::FindPath`](crate::bridge::Action::FindPath).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathUse {
    /// What has the address, such as `page 7`; `None` when it is free.
    pub taken_by: Option<String>,
}
