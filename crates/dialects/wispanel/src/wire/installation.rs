//! The installation object (§2).

use pressroom_base::{Timestamp, id::DomainId};
use pressroom_fleet::{environments::Details, views::Environment};
use serde::Serialize;
use utoipa::ToSchema;

/// One WordPress. All 14 members are always there.
#[derive(Serialize, ToSchema)]
pub struct InstallationOut {
    id: String,
    domain: String,
    /// 0 when unknown.
    domain_id: i64,
    /// Absolute, without a trailing slash.
    path: String,
    version: String,
    site_title: String,
    site_url: String,
    /// Ends with a slash.
    admin_url: String,
    db_name: String,
    db_user: String,
    db_host: String,
    table_prefix: String,
    debug: bool,
    multisite: bool,
}

impl From<Environment> for InstallationOut {
    fn from(environment: Environment) -> Self {
        Self {
            admin_url: if environment.url.is_empty() {
                String::new()
            } else {
                format!("{}/wp-admin/", environment.url)
            },
            id: environment.panel_id,
            domain: environment.domain,
            domain_id: environment.domain_id.map_or(0, DomainId::get),
            path: environment.root,
            version: environment.core_version,
            site_title: environment.title,
            site_url: environment.url,
            db_name: environment.db_name,
            db_user: environment.db_user,
            db_host: environment.db_host,
            table_prefix: environment.table_prefix,
            debug: environment.debug,
            multisite: environment.multisite,
        }
    }
}

/// T02.
#[derive(Serialize, ToSchema)]
pub struct StatusOut {
    /// Whether PHP runs, so that installations can be worked on.
    pub wp_cli_available: bool,
    /// The same objects as the list's.
    pub installations: Vec<InstallationOut>,
}

/// T03: the installation object, and what takes a closer look. What could not be found
/// out is `null`.
#[derive(Serialize, ToSchema)]
pub struct InstallationDetailsOut {
    #[serde(flatten)]
    installation: InstallationOut,
    php_version: Option<String>,
    /// `null` also when no newer version is known of.
    core_update: Option<String>,
    plugins_total: usize,
    plugins_updates: usize,
    themes_total: usize,
    themes_updates: usize,
    disk_usage_bytes: Option<u64>,
    db_size_bytes: Option<u64>,
    maintenance: Option<bool>,
    /// Whether its address is an https one.
    ssl: bool,
    last_backup_at: Option<String>,
}

impl InstallationDetailsOut {
    /// An installation and what was found out.
    pub fn new(environment: Environment, details: Details) -> Self {
        let of = |kind: &'static str| {
            let components = environment.components.iter();
            components.filter(move |found| found.kind == kind)
        };
        let newer = |kind| of(kind).filter(|found| found.new_version.is_some()).count();
        Self {
            php_version: details.php_version,
            core_update: details.core_update,
            plugins_total: of("plugin").count(),
            plugins_updates: newer("plugin"),
            themes_total: of("theme").count(),
            themes_updates: newer("theme"),
            disk_usage_bytes: details.disk_usage,
            db_size_bytes: details.database_size,
            maintenance: details.maintenance,
            ssl: environment.url.starts_with("https://"),
            last_backup_at: details.last_snapshot_at.map(Timestamp::to_rfc3339),
            installation: environment.into(),
        }
    }
}
